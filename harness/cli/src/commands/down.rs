//! `farcall down`: removes labs that are up.

use crate::exit::{Exit, Failure};
use crate::output;
use farcall_lab::{Engine, reap};

pub(crate) async fn down(session: Option<&str>) -> Result<Exit, Failure> {
    let engine = Engine::connect().await.map_err(Failure::infrastructure)?;
    let labs = super::exec::kept(&engine, session).await?;
    if labs.is_empty() {
        output::line("no lab is up")?;
        return Ok(Exit::Passed);
    }
    reap::remove(&engine, &labs)
        .await
        .map_err(Failure::infrastructure)?;
    for lab in &labs {
        output::line(format_args!(
            "removed {} of session {}",
            lab.scenario,
            lab.session.as_str()
        ))?;
    }
    Ok(Exit::Passed)
}
