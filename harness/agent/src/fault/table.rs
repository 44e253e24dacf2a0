//! A fault's table of rules.

use farcall_plan::FaultAction;

use super::FaultError;
use crate::counters::counters_of;
use crate::tool::{self, ToolError, Waiting};

/// The tool that takes rules; it does nothing before it has all of them.
pub(super) fn nft() -> Result<Waiting, ToolError> {
    tool::start(&["nft", "-f", "-"])
}

/// What puts a table out of effect and lets its counters stay to be read: one that is dormant is no longer asked
/// (nft(8), TABLES).
pub(super) fn dormant(table: &str) -> String {
    format!("add table inet {table} {{ flags dormant; }}\n")
}

/// Takes a table away, and tells how many packets it has dropped.
pub(super) async fn remove(table: &str) -> Result<Option<u64>, FaultError> {
    let mut counters = counters_of(table).await?.into_iter();
    let dropped = counters.find(|counter| counter.rule == FaultAction::DROPPED);
    tool::run(&["nft", "delete", "table", "inet", table], "").await?;
    Ok(dropped.map(|counter| counter.packets))
}
