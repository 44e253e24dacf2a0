//! `farcall clean`: lists, then removes, whatever any earlier run left.

use crate::exit::{Exit, Failure};
use crate::output;
use farcall_lab::{Engine, reap};

pub(crate) async fn clean() -> Result<Exit, Failure> {
    let engine = Engine::connect().await.map_err(Failure::infrastructure)?;
    let all = reap::all(&engine).await.map_err(Failure::infrastructure)?;
    if all.is_empty() {
        output::line("nothing is left of any run")?;
        return Ok(Exit::Passed);
    }
    for lab in &all {
        output::line(lab)?;
    }
    reap::remove(&engine, &all)
        .await
        .map_err(Failure::infrastructure)?;
    output::line("removed")?;
    Ok(Exit::Passed)
}
