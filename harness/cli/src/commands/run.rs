//! `farcall run`: place a call in each scenario and judge it.

use crate::args::RunArgs;
use crate::exit::{Exit, Failure};
use crate::progress::Progress;
use crate::{docker, input, output, signals};
use farcall_report::{Json, Report, StoredRun, Terminal};
use farcall_run::RunOptions;
use std::io::IsTerminal;
use std::path::Path;

pub(crate) async fn run(args: RunArgs, scenarios: Option<&Path>) -> Result<Exit, Failure> {
    let stop = signals::stop_token().map_err(Failure::infrastructure)?;
    // Everything that the user wrote is read before anything is started.
    let selected = input::scenarios(&args.scenarios, scenarios)?;
    let ice = input::ice(&args.ice)?;
    let seed = args.seed.unwrap_or_else(rand::random);
    for scenario in &selected {
        farcall_plan::plan(scenario, &ice, seed).map_err(Failure::usage)?;
    }

    let progress = Progress::new();
    let harness = tokio::select! {
        harness = docker::prepare(&progress) => harness?,
        () = stop.cancelled() => return Err(Failure::Interrupted),
    };

    let mut verdicts = Vec::new();
    for scenario in &selected {
        for repetition in 1..=args.repeat {
            progress.say(&title(&scenario.name, repetition, args.repeat));
            let options = RunOptions {
                out: args.out.clone(),
                seed,
                keep: args.keep,
                stop: stop.clone(),
                on_event: args.verbose.then(|| progress.event_printer()),
                ..RunOptions::default()
            };
            let run = harness
                .run(scenario, &ice, &options)
                .await
                .map_err(Failure::infrastructure)?;
            verdicts.push(run.result.verdict);
            progress
                .aside(|| print(&run, args.json))
                .map_err(Failure::infrastructure)?;
            if stop.is_cancelled() {
                return Err(Failure::Interrupted);
            }
        }
    }
    Ok(Exit::of_verdicts(&verdicts))
}

fn title(scenario: &str, repetition: u32, of: u32) -> String {
    if of == 1 {
        format!("running {scenario}")
    } else {
        format!("running {scenario} ({repetition} of {of})")
    }
}

fn print(run: &StoredRun, json: bool) -> std::io::Result<()> {
    output::with(|out| {
        if json {
            return Json.render(run, out);
        }
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Terminal { colour }.render(run, out)
    })
}
