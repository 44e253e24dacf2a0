//! Where a fault is brought about, and how.

use farcall_lab::{Lab, NodeError, NodeHandle};
use farcall_plan::{FaultAction, PlannedFault};
use farcall_protocol::{Command, Reply};
use farcall_timeline::Crossed;
use futures::future::try_join_all;
use std::time::{Duration, Instant};

/// How long a node may take to break or to be mended.
pub(super) const FAULT_DEADLINE: Duration = Duration::from_secs(10);

/// For how long a node that stands still must leave a question unanswered. On an idle machine an answer takes a
/// millisecond.
const SILENCE: Duration = Duration::from_millis(250);

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

/// Breaks all of these when that is due; `None`: at once. Returns since when the fault is in effect everywhere.
pub(crate) async fn begin(
    places: &[Place<'_>],
    due: Option<Instant>,
) -> Result<Instant, NodeError> {
    let all = places.iter().map(async |at| {
        let node = at.lab.node(&at.node)?;
        let begin = Command::BeginFault {
            action: FaultAction::clone(at.action),
            at_ns: on_its_clock(node, due),
        };
        let at_ns = match node.request(begin, until(due) + FAULT_DEADLINE).await? {
            Reply::Broken { at_ns } => at_ns,
            reply => return Err(node.unexpected(&reply)),
        };
        if *at.action == FaultAction::Freeze {
            node.stands_still(SILENCE).await?;
        }
        Ok(moment(node, at_ns))
    });
    let begun = try_join_all(all).await?;
    Ok(begun.into_iter().max().unwrap_or_else(Instant::now))
}

/// The end of a fault.
pub(crate) struct Mended {
    /// Since when it is in effect nowhere.
    pub at: Instant,
    /// How many packets were dropped, as far as the fault drops any.
    pub dropped_packets: Option<u64>,
    /// What crossed the link whose conditions it changed.
    pub crossed: Option<Crossed>,
}

/// Mends them when that is due; `None`: at once.
pub(crate) async fn end(places: &[Place<'_>], due: Option<Instant>) -> Result<Mended, NodeError> {
    let all = places.iter().map(async |at| {
        let node = at.lab.node(&at.node)?;
        let end = Command::EndFault {
            action: FaultAction::clone(at.action),
            at_ns: on_its_clock(node, due),
        };
        match node.request(end, until(due) + FAULT_DEADLINE).await? {
            Reply::Mended {
                at_ns,
                dropped_packets,
                crossed,
            } => Ok(Mended {
                at: moment(node, at_ns),
                dropped_packets,
                crossed,
            }),
            reply => Err(node.unexpected(&reply)),
        }
    });
    let ends = try_join_all(all).await?;
    let at = ends.iter().map(|end| end.at).max();
    let dropped = ends.iter().filter_map(|end| end.dropped_packets);
    Ok(Mended {
        at: at.unwrap_or_else(Instant::now),
        dropped_packets: dropped.reduce(|one, other| one + other),
        crossed: ends.iter().find_map(|end| end.crossed),
    })
}

fn until(due: Option<Instant>) -> Duration {
    due.map_or(Duration::ZERO, |due| {
        due.saturating_duration_since(Instant::now())
    })
}

fn on_its_clock(node: &NodeHandle, due: Option<Instant>) -> Option<u64> {
    due.and_then(|due| node.on_its_clock(due))
}

/// The clock of a node that has been set up is known.
fn moment(node: &NodeHandle, at_ns: u64) -> Instant {
    node.moment(at_ns).unwrap_or_else(Instant::now)
}
