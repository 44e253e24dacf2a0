//! `farcall attest`: what labs are, beside what they are declared to be.

use super::run::is_coloured;
use crate::args::AttestArgs;
use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use crate::{docker, input, output, signals};
use farcall_report::{Attestation, AttestationTable};
use farcall_run::RunOptions;
use std::path::Path;

pub(crate) async fn attest(args: AttestArgs, scenarios: Option<&Path>) -> Result<Exit, Failure> {
    let stop = signals::stop_token().map_err(Failure::infrastructure)?;
    // Everything that the user wrote is read before anything is started.
    let selected = input::selected(&args.selection, scenarios)?;
    let ice = input::ice(&args.ice)?;
    for scenario in &selected {
        farcall_plan::plan(scenario, &ice, args.seed).map_err(Failure::plan)?;
    }

    let progress = Progress::new();
    let harness = tokio::select! {
        harness = docker::prepare(&progress) => harness?,
        () = stop.cancelled() => return Err(Failure::Interrupted),
    };
    let options = RunOptions {
        seed: args.seed,
        stop: stop.clone(),
        ..RunOptions::default()
    };
    let mut all_hold = true;
    for scenario in &selected {
        progress.say(&format!("attesting {}", scenario.name));
        let lab = harness
            .attest(scenario, &ice, args.deep, &options)
            .await
            .map_err(Failure::infrastructure)?;
        all_hold &= lab.holds;
        progress.aside(|| print(&lab, args.json))?;
        if stop.is_cancelled() {
            return Err(Failure::Interrupted);
        }
    }
    Ok(match all_hold {
        true => Exit::Passed,
        false => Exit::Infrastructure,
    })
}

fn print(lab: &Attestation, json: bool) -> Result<(), Failure> {
    if json {
        let text = serde_json::to_string(lab).map_err(Failure::infrastructure)?;
        return Ok(output::line(text)?);
    }
    let colour = is_coloured();
    Ok(output::with(|out| {
        AttestationTable { colour }.render(lab, out)?;
        writeln!(out)
    })?)
}
