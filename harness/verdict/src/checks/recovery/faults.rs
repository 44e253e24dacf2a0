//! Every fault took effect.

use super::of_fault;
use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_plan::ExpectedFault;
use farcall_timeline::{FaultEdge, FaultEvent};

/// Every fault took effect: what drops packets has dropped some.
pub(crate) fn faults(case: &Case<'_>) -> Vec<Check> {
    let faults = case.declared.expect.faults.iter().enumerate();
    faults
        .map(|(index, fault)| took_effect(case, index + 1, fault))
        .collect()
}

fn took_effect(case: &Case<'_>, number: usize, fault: &ExpectedFault) -> Check {
    let edges: Vec<(f64, &FaultEvent)> = of_fault(case, number).collect();
    let name = format!("faults/{number}");
    let expected = match fault.drops {
        true => format!("{} drops packets", fault.what),
        false => format!("{} happens", fault.what),
    };
    let find = |edge| edges.iter().find(|(_, event)| event.edge == edge);
    let (Some((begun_ms, begun)), Some((mended_ms, mended))) =
        (find(FaultEdge::Begun), find(FaultEdge::Mended))
    else {
        // The first is due whatever the peers do; another may wait for what they never did.
        let verdict = match number {
            1 => CheckVerdict::Invalid,
            _ => CheckVerdict::Skipped,
        };
        return Check::new(name, verdict, expected, "its moment never came");
    };
    let evidence = format!(
        "from {begun_ms:.0} ms{} to {mended_ms:.0} ms{}",
        lateness(begun),
        lateness(mended)
    );
    let (verdict, observed) = match (fault.drops, mended.dropped_packets) {
        (false, _) => (CheckVerdict::Pass, "it happened".to_owned()),
        (true, Some(packets @ 1..)) => (CheckVerdict::Pass, format!("{packets} packets dropped")),
        (true, _) => (CheckVerdict::Invalid, "no packet dropped".to_owned()),
    };
    Check::new(name, verdict, expected, observed).with_evidence([evidence])
}

fn lateness(event: &FaultEvent) -> String {
    let late_ms = event
        .late_ms
        .map(|late_ms| format!(" ({late_ms:.0} ms late)"));
    late_ms.unwrap_or_default()
}
