//! `farcall gate --bless`: the baseline out of a run.

use super::networks::Ended;
use super::read;
use crate::args::GateArgs;
use crate::exit::{Exit, Failure};
use crate::{input, output};
use farcall_gate::{Blessing, Refusal, blessing, written};
use farcall_report::replace_file;
use farcall_scenario::{Baseline, BaselineNetwork, ExpectedNetwork, Scenario};
use farcall_verdict::Verdict;
use std::path::{Path, PathBuf};
use time::Date;

/// What is in the baseline, if there is one, and the networks that are to be added: of several configurations, one for
/// each.
pub(super) fn baseline(
    args: &GateArgs,
    configurations: &[&str],
    scenarios: Option<&Path>,
) -> Result<Baseline, Failure> {
    let mut baseline = match args.scenarios.is_empty() || args.baseline.exists() {
        true => read(&args.baseline, scenarios)?,
        false => Baseline {
            file: args.baseline.display().to_string(),
            text: String::new(),
            networks: Vec::new(),
        },
    };
    let ices: Vec<Option<String>> = match configurations {
        [_] => vec![None],
        several => several
            .iter()
            .map(|name| Some((*name).to_owned()))
            .collect(),
    };
    let named = input::scenarios(&args.scenarios, scenarios)?;
    for (name, scenario) in args.scenarios.iter().zip(named) {
        let written = match Scenario::is_path(name) {
            true => beside(Path::new(name), &args.baseline)?,
            false => name.clone(),
        };
        let is_there = |network: &BaselineNetwork| network.scenario.name == scenario.name;
        if baseline.networks.iter().any(is_there) {
            continue;
        }
        baseline
            .networks
            .extend(ices.iter().map(|ice| BaselineNetwork {
                scenario: scenario.clone(),
                expected: ExpectedNetwork {
                    scenario: written.clone(),
                    ice: ice.clone(),
                    ..ExpectedNetwork::default()
                },
                line: 0,
            }));
    }
    Ok(baseline)
}

/// A scenario file's path as the baseline has it.
fn beside(scenario: &Path, baseline: &Path) -> Result<String, Failure> {
    let directory = match baseline.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let whole = |path: &Path| {
        path.canonicalize().map_err(|error| {
            Failure::Usage(miette::miette!(
                help = "name files and directories that exist",
                "failed to find {}: {error}",
                path.display()
            ))
        })
    };
    let (scenario, directory) = (whole(scenario)?, whole(&directory)?);
    match scenario.strip_prefix(&directory) {
        Ok(path) => Ok(path.display().to_string()),
        Err(_) => Err(Failure::Usage(miette::miette!(
            help =
                "a baseline names files relative to itself, so that it can be committed with them",
            "{} is not in the directory of the baseline, {}, nor below",
            scenario.display(),
            directory.display()
        ))),
    }
}

/// Writes the baseline, unless there is a network that cannot be blessed.
pub(super) fn bless(
    path: &Path,
    baseline: &Baseline,
    ended: &Ended,
    today: Date,
) -> Result<Exit, Failure> {
    let mut blessings: Vec<Blessing> = Vec::new();
    let mut refusals: Vec<Refusal> = Vec::new();
    for (index, network) in baseline.networks.iter().enumerate() {
        let expected = &network.expected;
        let quarantine = expected.quarantine.as_ref();
        let is_quarantined = quarantine.is_some_and(|one| !one.has_expired(today));
        match blessing(&network.scenario, expected, &ended.of_network(index)) {
            Ok(blessing) => blessings.push(blessing),
            Err(refusal) if is_quarantined => output::note(format_args!(
                "{} is quarantined and stays as it is: {}",
                refusal.scenario, refusal.why
            )),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if !refusals.is_empty() {
        return Ok(refuse(path, &refusals)?);
    }
    let text = (!baseline.text.is_empty()).then_some(baseline.text.as_str());
    let text = written(text, &blessings).map_err(Failure::usage)?;
    replace_file(path, text.as_bytes()).map_err(Failure::usage)?;
    output::line(format_args!(
        "wrote {} with {} networks from this run; read it before it is committed",
        path.display(),
        blessings.len()
    ))?;
    Ok(Exit::Passed)
}

fn refuse(path: &Path, refusals: &[Refusal]) -> std::io::Result<Exit> {
    output::line(format_args!("{} was not written:", path.display()))?;
    for refusal in refusals {
        let verdict = refusal.verdict.map(|verdict| format!("{verdict}: "));
        output::line(format_args!(
            "  {} is not blessed: {}{}",
            refusal.scenario,
            verdict.unwrap_or_default(),
            refusal.why
        ))?;
    }
    output::line(
        "Leave out or quarantine what does not work, and run what is INVALID again (--retries).",
    )?;
    let has_failed = |refusal: &Refusal| refusal.verdict == Some(Verdict::Fail);
    Ok(match refusals.iter().any(has_failed) {
        true => Exit::Failed,
        false => Exit::Infrastructure,
    })
}
