//! `farcall down`: removes labs that are up.

use crate::exit::{Exit, Failure};
use farcall_lab::{Engine, reap};

pub(crate) async fn down(session: Option<&str>) -> Result<Exit, Failure> {
    let engine = Engine::connect().await.map_err(Failure::infrastructure)?;
    let labs = super::exec::kept(&engine, session).await?;
    if labs.is_empty() {
        println!("no lab is up");
        return Ok(Exit::Passed);
    }
    for lab in &labs {
        reap::remove_session(&engine, &lab.session)
            .await
            .map_err(Failure::infrastructure)?;
        println!("removed {} of session {}", lab.scenario, lab.session);
    }
    Ok(Exit::Passed)
}
