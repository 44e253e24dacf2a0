//! `farcall run`: place a call in each scenario and judge it.

use super::lint;
use super::report::Outlet;
use crate::args::RunArgs;
use crate::board::Board;
use crate::exit::{Exit, Failure};
use crate::labs::{Labs, LabsOptions};
use crate::{docker, input, output, signals};
use farcall_report::{Call, Json, Report, StoredRun, Summary, Terminal};
use farcall_scenario::{IceConfiguration, Scenario};
use farcall_verdict::Verdict;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

pub(crate) async fn run(args: RunArgs, scenarios: Option<&Path>) -> Result<Exit, Failure> {
    let stop = signals::stop_token().map_err(Failure::infrastructure)?;
    // Everything that the user wrote is read before anything is started.
    let selected = input::selected(&args.selection, scenarios)?;
    let (configurations, sources) = input::each_ice(&args.ice)?;
    let seed = args.runs.seed.unwrap_or_else(rand::random);
    for scenario in &selected {
        input::plan_each(scenario, &configurations, seed)?;
    }
    lint::tell(&sources);
    let reports = Outlet::open_all(&args.runs.reports)?;

    let repeat = usize::try_from(args.repeat).unwrap_or(usize::MAX);
    let count = selected.len().saturating_mul(repeat);
    let runs = Runs {
        labs: Labs {
            harness: docker::prepare_unless(&stop).await?,
            board: Board::new("labs", count),
            halt: stop.child_token(),
            options: LabsOptions {
                out: args.out.clone(),
                seed,
                jobs: args.runs.jobs,
                keep: args.keep,
                verbose: args.runs.verbose,
            },
        },
        configurations,
        args,
    };
    let rows = selected.iter().flat_map(|scenario| {
        let each = runs.configurations.iter();
        each.map(|ice| runs.row(&scenario.name, &ice.name))
    });
    let mut summary = Summary::of(rows);
    let mut stored = Vec::new();
    let ended = |ended: Vec<StoredRun>| {
        ended.iter().try_for_each(|run| runs.tell(run))?;
        for run in ended {
            let result = &run.result;
            let row = runs.row(&result.scenario, &result.ice_configuration);
            summary.count(&row, result.verdict);
            if let Some(diagnosis) = &result.diagnosis {
                summary.blame(&row, diagnosis.cause);
            }
            stored.push(Ended::of(&run));
        }
        Ok(())
    };
    let each = selected.iter().flat_map(|scenario| {
        let repetitions = 1..=runs.args.repeat;
        let runs = &runs;
        repetitions.map(move |repetition| runs.one(scenario, repetition))
    });
    let came = runs.labs.each(each, ended).await;
    runs.labs.board.close();
    if count.saturating_mul(runs.configurations.len()) > 1 {
        runs.sum_up(&summary).map_err(Failure::infrastructure)?;
    }
    write_reports(reports, &mut stored)?;
    let verdicts: Vec<Verdict> = stored.iter().map(|run| run.verdict).collect();
    match came {
        Err(failure) => Err(failure),
        Ok(()) if stop.is_cancelled() => Err(Failure::Interrupted),
        Ok(()) => Ok(Exit::of_verdicts(&verdicts)),
    }
}

/// What is kept of a run that ended; all of it is in its directory.
struct Ended {
    directory: PathBuf,
    verdict: Verdict,
}

impl Ended {
    fn of(run: &StoredRun) -> Self {
        Self {
            directory: run.directory.clone(),
            verdict: run.result.verdict,
        }
    }
}

/// Writes the reports that were asked for, in the order in which the runs began.
fn write_reports(reports: Vec<Outlet>, stored: &mut [Ended]) -> Result<(), Failure> {
    if reports.is_empty() {
        return Ok(());
    }
    stored.sort_by(|one, other| one.directory.cmp(&other.directory));
    let runs = stored.iter().map(|run| StoredRun::load(&run.directory));
    let calls = runs.map(|run| run.map(Call::from));
    let calls = calls.collect::<Result<Vec<_>, _>>();
    Outlet::write_all(reports, &calls.map_err(Failure::infrastructure)?)
}

/// What all runs have in common.
struct Runs {
    labs: Labs,
    configurations: Vec<IceConfiguration>,
    args: RunArgs,
}

impl Runs {
    /// How a scenario with a configuration is called where there are several.
    fn row(&self, scenario: &str, configuration: &str) -> String {
        match self.configurations.len() {
            1 => scenario.to_owned(),
            _ => format!("{scenario} with {configuration}"),
        }
    }

    async fn one(&self, scenario: &Scenario, repetition: u32) -> Result<Vec<StoredRun>, Failure> {
        let title = title(&scenario.name, repetition, self.args.repeat);
        self.labs.one(title, scenario, &self.configurations).await
    }

    /// Prints what came of a run, in one piece.
    fn tell(&self, run: &StoredRun) -> Result<(), Failure> {
        let told = self.labs.board.aside(|| {
            output::with(|out| {
                if self.args.json {
                    return Json.render(run, out);
                }
                let colour = is_coloured();
                Terminal { colour }.render(run, out)
            })
        });
        told.map_err(Failure::infrastructure)
    }

    /// Prints what came of all runs. Where standard output is for programs, it is for people all the same.
    fn sum_up(&self, summary: &Summary) -> std::io::Result<()> {
        self.labs.board.aside(|| {
            if self.args.json {
                let mut text = Vec::new();
                summary.render(false, &mut text)?;
                output::note(String::from_utf8_lossy(&text).trim_end());
                return Ok(());
            }
            output::with(|out| {
                writeln!(out)?;
                summary.render(is_coloured(), out)
            })
        })
    }
}

fn title(scenario: &str, repetition: u32, of: u32) -> String {
    if of == 1 {
        scenario.to_owned()
    } else {
        format!("{scenario}, {repetition} of {of}")
    }
}

pub(super) fn is_coloured() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}
