//! `farcall up`: a lab without a call, to put any tool into any node.

use crate::args::LabArgs;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::progress::Progress;
use crate::{docker, input, signals};
use farcall_lab::{Lab, LabOptions, SessionId};
use std::path::Path;
use tokio::sync::mpsc;

pub(crate) async fn up(args: &LabArgs, scenarios: Option<&Path>) -> Result<Exit, Failure> {
    let stop = signals::stop_token().map_err(Failure::infrastructure)?;
    let scenario = input::scenario(&args.scenario, scenarios)?;
    let ice = input::ice(&args.ice)?;
    let plan = farcall_plan::plan(&scenario, &ice, args.seed).map_err(Failure::usage)?;

    let progress = Progress::new();
    let session = SessionId::random();
    let raised = async {
        let harness = docker::prepare(&progress).await?;
        progress.say(&format!("raising {}", scenario.name));
        // Nobody watches the events of a lab without a call.
        let (events, _unwatched) = mpsc::unbounded_channel();
        let options = LabOptions {
            session: session.clone(),
            keep: true,
            ..LabOptions::new()
        };
        Lab::raise(harness.engine(), harness.image(), &plan, options, events)
            .await
            .map_err(Failure::infrastructure)
    };
    let lab = tokio::select! {
        lab = raised => lab?,
        () = stop.cancelled() => return Ok(Exit::Interrupted),
    };
    lab.keep();
    drop(progress);
    output::line(format_args!(
        "{} is up as session {}",
        scenario.name,
        session.as_str()
    ))?;
    output::line("nodes:")?;
    for node in &plan.nodes {
        output::line(format_args!("  {}", node.name))?;
    }
    output::note("hint: farcall exec NODE -- COMMAND, and farcall down when done");
    Ok(Exit::Passed)
}
