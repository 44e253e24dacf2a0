//! `farcall up`: a lab without a call, to put any tool into any node.

use crate::args::LabArgs;
use crate::exit::{Exit, Failure};
use crate::output;
use crate::progress::Progress;
use crate::{docker, input, signals};
use farcall_lab::{Engine, Lab, LabOptions, RemoveError, SessionId, reap};
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long what a failed raise still has under way may take to come to its end.
const RAISE_END_DEADLINE: Duration = Duration::from_secs(30);

pub(crate) async fn up(args: &LabArgs, scenarios: Option<&Path>) -> Result<Exit, Failure> {
    let stop = signals::stop_token().map_err(Failure::infrastructure)?;
    let scenario = input::scenario(&args.scenario, scenarios)?;
    let ice = input::ice(&args.ice)?;
    let plan = farcall_plan::plan(&scenario, &ice, args.seed).map_err(Failure::plan)?;

    let progress = Progress::new();
    let harness = tokio::select! {
        harness = docker::prepare(&progress) => harness?,
        () = stop.cancelled() => return Err(Failure::Interrupted),
    };
    let engine = harness.engine();
    progress.say(&format!("raising {}", scenario.name));
    let session = SessionId::random();
    let options = LabOptions {
        session: session.clone(),
        keep: true,
        ..LabOptions::new()
    };
    // Nobody watches the events of a lab without a call; that they end tells that the raise has.
    let (events, mut unwatched) = mpsc::unbounded_channel();
    let raised = tokio::select! {
        lab = Lab::raise(engine, harness.image(), &plan, options, events) => {
            lab.map_err(Failure::infrastructure)
        }
        () = stop.cancelled() => Err(Failure::Interrupted),
    };
    let lab = match raised {
        Ok(lab) => lab,
        Err(failure) => {
            progress.say("removing what was raised");
            let ended = async { while unwatched.recv().await.is_some() {} };
            remove(engine, &session, ended)
                .await
                .unwrap_or_else(|error| progress.keep(&format!("error: {error}")));
            return Err(failure);
        }
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

/// Removes what there is of a lab that was to be kept and did not come up.
async fn remove(
    engine: &Engine,
    session: &SessionId,
    ended: impl Future<Output = ()>,
) -> Result<(), RemoveError> {
    remove_now(engine, session).await?;
    // Docker may still have been creating something, which is there when the raise has ended.
    if tokio::time::timeout(RAISE_END_DEADLINE, ended)
        .await
        .is_err()
    {
        output::note(format_args!(
            "the raise has not ended within {RAISE_END_DEADLINE:?} after it failed: see `farcall clean`"
        ));
    }
    remove_now(engine, session).await
}

async fn remove_now(engine: &Engine, session: &SessionId) -> Result<(), RemoveError> {
    let mut labs = reap::survey(engine).await?;
    labs.retain(|lab| lab.session == *session);
    reap::remove(engine, &labs).await
}
