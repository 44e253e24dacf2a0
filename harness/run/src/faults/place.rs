//! Where a fault is brought about, and how.

use farcall_lab::{Lab, NodeError};
use farcall_plan::{FaultAction, PlannedFault};
use farcall_protocol::{Command, Reply};
use futures::future::try_join_all;
use std::time::Duration;

/// How long a node may take to break or to be mended.
pub(super) const FAULT_DEADLINE: Duration = Duration::from_secs(10);

/// A node, and what is done there.
pub(crate) struct Place<'a> {
    pub lab: &'a Lab,
    pub node: String,
    pub action: &'a FaultAction,
}

/// Where a fault is brought about that befalls this node.
pub(super) fn places<'a>(lab: &'a Lab, fault: &'a PlannedFault, befalls: &str) -> Vec<Place<'a>> {
    match fault.around.get(befalls) {
        None => vec![Place {
            lab,
            node: befalls.to_owned(),
            action: &fault.action,
        }],
        Some(around) => around
            .iter()
            .map(|at| Place {
                lab,
                node: at.gateway.clone(),
                action: &at.action,
            })
            .collect(),
    }
}

/// Breaks all of these; when this returns, the fault is in effect.
pub(crate) async fn begin(places: &[Place<'_>]) -> Result<(), NodeError> {
    let all = places.iter().map(async |at| {
        if *at.action == FaultAction::Freeze {
            return at.lab.pause(&at.node, FAULT_DEADLINE).await;
        }
        let action = FaultAction::clone(at.action);
        let begin = Command::BeginFault { action };
        let begun = at.lab.node(&at.node)?.request(begin, FAULT_DEADLINE);
        begun.await.map(drop)
    });
    try_join_all(all).await.map(drop)
}

/// Mends them. Returns how many packets were dropped, as far as the fault drops any.
pub(crate) async fn end(places: &[Place<'_>]) -> Result<Option<u64>, NodeError> {
    let all = places.iter().map(async |at| {
        if *at.action == FaultAction::Freeze {
            at.lab.unpause(&at.node, FAULT_DEADLINE).await?;
            return Ok(None);
        }
        let node = at.lab.node(&at.node)?;
        let action = FaultAction::clone(at.action);
        let end = Command::EndFault { action };
        match node.request(end, FAULT_DEADLINE).await? {
            Reply::Mended { dropped_packets } => Ok(dropped_packets),
            reply => Err(node.unexpected(&reply)),
        }
    });
    let dropped = try_join_all(all).await?;
    let mut dropped = dropped.into_iter().flatten();
    let first = dropped.next();
    Ok(first.map(|first| first + dropped.sum::<u64>()))
}
