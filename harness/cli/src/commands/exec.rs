//! `farcall exec NODE -- COMMAND...`: any tool in any node of a lab that is up.

use crate::exit::{Exit, Failure};
use farcall_lab::reap::{self, Leftover};
use farcall_lab::{Engine, exec as run_in};

pub(crate) async fn exec(
    session: Option<&str>,
    node: &str,
    command: &[String],
) -> Result<Exit, Failure> {
    let engine = Engine::connect().await.map_err(Failure::infrastructure)?;
    let labs = kept(&engine, session).await?;
    let lab = match labs.as_slice() {
        [lab] => lab,
        [] => {
            return Err(Failure::Usage(miette::miette!(
                help = "raise one with `farcall up NAME`",
                "no lab is up"
            )));
        }
        several => {
            let sessions: Vec<&str> = several.iter().map(|lab| lab.session.as_str()).collect();
            return Err(Failure::Usage(miette::miette!(
                help = format!("choose one with --session: {}", sessions.join(", ")),
                "{} labs are up",
                several.len()
            )));
        }
    };
    if !lab.nodes.iter().any(|known| known == node) {
        return Err(Failure::Usage(miette::miette!(
            help = format!("its nodes are {}", lab.nodes.join(", ")),
            "the lab of {} has no node {node}",
            lab.scenario
        )));
    }
    let status = run_in::exec(&engine, &lab.session, node, command)
        .await
        .map_err(Failure::infrastructure)?;
    Ok(u8::try_from(status).map_or(Exit::Infrastructure, Exit::Other))
}

/// The labs that are up, or the one of a session.
pub(crate) async fn kept(engine: &Engine, session: Option<&str>) -> Result<Vec<Leftover>, Failure> {
    let labs = reap::kept_labs(engine)
        .await
        .map_err(Failure::infrastructure)?;
    let Some(session) = session else {
        return Ok(labs);
    };
    let known: Vec<String> = labs
        .iter()
        .map(|lab| lab.session.as_str().to_owned())
        .collect();
    let chosen: Vec<Leftover> = labs
        .into_iter()
        .filter(|lab| lab.session.as_str() == session)
        .collect();
    if chosen.is_empty() {
        return Err(Failure::Usage(miette::miette!(
            help = format!("the sessions that are up: {}", known.join(", ")),
            "no lab of session {session} is up"
        )));
    }
    Ok(chosen)
}
