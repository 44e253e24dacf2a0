//! `farcall gate`: whether the networks of a baseline work, in one answer.

mod bless;
mod merge;
mod networks;

pub(crate) use merge::merge;

use super::report::Outlet;
use super::{lint, run::is_coloured};
use crate::args::GateArgs;
use crate::board::Board;
use crate::exit::{Exit, Failure};
use crate::labs::{Labs, LabsOptions};
use crate::{docker, input, output, signals};
use farcall_gate::{
    Answer, GATE_SCHEMA_VERSION, GateResult, NetworkCalls, Seen, Shard, Text, calls, cost_ms,
    divide, fingerprint_of_baseline, fingerprint_of_ice, judge, shown, store,
};
use farcall_report::StoredRun;
use farcall_scenario::{Baseline, IceConfiguration};
use networks::{Ended, Networks};
use std::path::{Path, PathBuf};
use time::OffsetDateTime;
use time::macros::format_description;

pub(crate) async fn gate(args: GateArgs, scenarios: Option<&Path>) -> Result<Exit, Failure> {
    let stop = signals::stop_token().map_err(Failure::infrastructure)?;
    // Everything that the user wrote is read before anything is started.
    let (configurations, sources) = input::each_ice(&args.ice)?;
    let names: Vec<&str> = configurations.iter().map(|ice| &*ice.name).collect();
    let baseline = match args.bless {
        true => bless::baseline(&args, &names, scenarios)?,
        false => read(&args.baseline, scenarios)?,
    };
    let all = calls(&baseline, &names).map_err(Failure::usage)?;
    let seed = args.runs.seed.unwrap_or_else(rand::random);
    for network in &all {
        input::plan_each(network.scenario, &configurations, seed)?;
    }
    lint::tell(&sources);
    let reports = Outlet::open_all(&args.runs.reports)?;

    let mine = of_shard(&all, args.shard);
    let began = Began {
        at: OffsetDateTime::now_utc(),
        id: format!("{:016x}", rand::random::<u64>()),
        seed,
    };
    let directory = create(&args.out, &began)?;
    let repeat = args.repeat.unwrap_or(1);
    let ended = match mine.is_empty() {
        true => Ended::default(),
        false => {
            let labs = mine
                .len()
                .saturating_mul(usize::try_from(repeat).unwrap_or(usize::MAX));
            let networks = Networks {
                labs: Labs {
                    harness: docker::prepare_unless(&stop).await?,
                    board: Board::new("labs", labs),
                    halt: stop.child_token(),
                    options: LabsOptions {
                        out: directory.clone(),
                        seed,
                        jobs: args.runs.jobs,
                        keep: false,
                        verbose: args.runs.verbose,
                    },
                },
                configurations: &configurations,
                retries: args.retries,
                repeat,
            };
            networks.all(&mine).await
        }
    };
    let exit = match args.bless {
        true => bless::bless(&args.baseline, &baseline, &ended, began.at.date())?,
        false => {
            let asked = Asked {
                args: &args,
                baseline: &baseline,
                configurations: &configurations,
                all: &all,
                mine: &mine,
            };
            let result = asked.result(&began, &ended, &directory);
            store::write(&directory.join(store::GATE_FILE), &result)
                .map_err(Failure::infrastructure)?;
            print(&result, &directory, args.json)?;
            output::note(format_args!("files     {}", directory.display()));
            write_reports(reports, &result, &directory, Failure::infrastructure)?;
            exit_of(result.answer)
        }
    };
    match ended.failure {
        Some(failure) => Err(failure),
        None if stop.is_cancelled() => Err(Failure::Interrupted),
        None => Ok(exit),
    }
}

/// A baseline that must be there.
fn read(path: &Path, scenarios: Option<&Path>) -> Result<Baseline, Failure> {
    if !path.exists() {
        return Err(Failure::Usage(miette::miette!(
            help = "write one with `farcall gate --bless NAME...`, where each NAME is a network that must work (see \
                    `farcall list`), or name another with --baseline",
            "there is no baseline {}",
            path.display()
        )));
    }
    Baseline::load(path, scenarios).map_err(|error| Failure::Usage(error.into()))
}

/// The networks that fall to a shard.
fn of_shard<'a>(all: &[NetworkCalls<'a>], shard: Option<Shard>) -> Vec<NetworkCalls<'a>> {
    let Some(shard) = shard else {
        return all.to_vec();
    };
    let costs = all.iter().map(|network| {
        let cost_ms = cost_ms(network.scenario, network.calls.len());
        (network.scenario.name.as_str(), cost_ms)
    });
    let shards = divide(&costs.collect::<Vec<_>>(), shard.of);
    let mine = all.iter().zip(shards);
    mine.filter(|(_, number)| *number == shard.number)
        .map(|(network, _)| network.clone())
        .collect()
}

/// What tells a gate from every other.
struct Began {
    at: OffsetDateTime,
    id: String,
    seed: u64,
}

/// What a gate was asked.
struct Asked<'a> {
    args: &'a GateArgs,
    baseline: &'a Baseline,
    configurations: &'a [IceConfiguration],
    all: &'a [NetworkCalls<'a>],
    mine: &'a [NetworkCalls<'a>],
}

impl Asked<'_> {
    /// The answer.
    fn result(&self, began: &Began, ended: &Ended, directory: &Path) -> GateResult {
        let names: Vec<&str> = self.configurations.iter().map(|ice| &*ice.name).collect();
        let today = began.at.date();
        let entry = |(network, configuration): &(usize, usize)| {
            let runs: &[Seen] = ended.runs_of((*network, *configuration));
            let network = &self.baseline.networks[*network];
            judge(network, names[*configuration], runs, directory, today)
        };
        let mine = self.mine.iter().flat_map(|network| &network.calls);
        let mut result = GateResult {
            schema_version: GATE_SCHEMA_VERSION,
            id: began.id.clone(),
            farcall: env!("CARGO_PKG_VERSION").to_owned(),
            answer: Answer::Undecided,
            started_at: began.at,
            today,
            seed: Some(began.seed),
            baseline: fingerprint_of_baseline(self.baseline),
            ice_configurations: self.configurations.iter().map(fingerprint_of_ice).collect(),
            shard: self.args.shard,
            missing_shards: Vec::new(),
            retries: self.args.retries,
            calls: self
                .all
                .iter()
                .flat_map(|one| one.subjects(&names))
                .collect(),
            entries: mine.map(entry).collect(),
        };
        result.answer = result.answered();
        result
    }
}

/// The directory of a gate: `gate.json`, and the directories of its runs.
fn create(out: &Path, began: &Began) -> Result<PathBuf, Failure> {
    let form = format_description!("[year][month][day]T[hour][minute][second]Z");
    // The description has nothing that a date could lack.
    let time = began.at.format(&form).unwrap_or_default();
    let path = out.join(format!("{time}-gate-{}", began.id));
    std::fs::create_dir_all(&path).map_err(|error| {
        Failure::Usage(miette::miette!(
            help = "name a directory that can be written with --out",
            "failed to create {}: {error}",
            path.display()
        ))
    })?;
    Ok(path)
}

/// Prints the answer.
fn print(result: &GateResult, base: &Path, json: bool) -> Result<(), Failure> {
    if json {
        let text = serde_json::to_string(result).map_err(Failure::infrastructure)?;
        return Ok(output::line(text)?);
    }
    let colour = is_coloured();
    Ok(output::with(|out| {
        Text { colour }.render(result, base, out)
    })?)
}

/// Writes the reports that were asked for, of all calls as the answer has them.
fn write_reports(
    reports: Vec<Outlet>,
    result: &GateResult,
    base: &Path,
    failure: fn(farcall_report::ReportError) -> Failure,
) -> Result<(), Failure> {
    if reports.is_empty() {
        return Ok(());
    }
    let load = |directory: &str| StoredRun::load(&base.join(directory));
    let calls = shown(result, load).map_err(failure)?;
    Outlet::write_all(reports, &calls)
}

fn exit_of(answer: Answer) -> Exit {
    match answer {
        Answer::Yes => Exit::Passed,
        Answer::No => Exit::Failed,
        Answer::Undecided => Exit::Infrastructure,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use farcall_scenario::Scenario;

    #[test]
    fn the_shards_of_a_baseline_are_all_of_it_and_each_network_is_in_one() {
        let text: String = Scenario::builtin_names()
            .iter()
            .map(|name| format!("[[networks]]\nscenario = \"{name}\"\n"))
            .collect();
        let find = |name: &str| Scenario::find(name, None);
        let baseline = Baseline::parse("baseline.toml", &text, &find).unwrap();
        let all = calls(&baseline, &["production", "with-tls"]).unwrap();
        let mut seen: Vec<String> = Vec::new();
        for number in 1..=4 {
            let mine = of_shard(&all, Some(Shard { number, of: 4 }));
            seen.extend(mine.iter().map(|network| network.scenario.name.clone()));
        }
        seen.sort();
        assert_eq!(seen, Scenario::builtin_names());
        assert_eq!(of_shard(&all, None), all);
    }

    #[test]
    fn what_the_lab_left_open_is_neither_a_yes_nor_a_no() {
        let exits = [Answer::Yes, Answer::No, Answer::Undecided].map(exit_of);
        assert_eq!(exits, [Exit::Passed, Exit::Failed, Exit::Infrastructure]);
    }
}
