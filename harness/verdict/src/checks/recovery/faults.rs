//! Every fault took effect.

use super::of_fault;
use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_plan::{ExpectedFault, LeastDelay};
use farcall_timeline::{Crossed, Crossing, FaultEdge, FaultEvent};

/// By how much a time may be off because it was written as a number.
const ROUNDING_US: f64 = 1.0;

/// Every fault took effect: what drops packets has dropped some, and what crossed a changed link took as long as it has
/// to. Whether others did, nodes have asked themselves, and told of a fault of the harness where it was not so.
pub(crate) fn faults(case: &Case<'_>) -> Vec<Check> {
    let faults = case.declared.expect.faults.iter().enumerate();
    faults
        .map(|(index, fault)| took_effect(case, index + 1, fault))
        .collect()
}

fn took_effect(case: &Case<'_>, number: usize, fault: &ExpectedFault) -> Check {
    let edges: Vec<(f64, &FaultEvent)> = of_fault(case, number).collect();
    let name = format!("faults/{number}");
    let expected = match (fault.drops, fault.least_delay) {
        (true, _) => format!("{} drops packets", fault.what),
        (false, Some(least)) => format!("{} makes packets take {}", fault.what, delays(least)),
        (false, None) => format!("{} happens", fault.what),
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
    let (is_in_effect, observed) = match (fault.drops, fault.least_delay) {
        (true, _) => dropped(mended.dropped_packets),
        (false, Some(least)) => crossed(mended.crossed, least),
        (false, None) => (true, "it happened".to_owned()),
    };
    let verdict = match is_in_effect {
        true => CheckVerdict::Pass,
        false => CheckVerdict::Invalid,
    };
    Check::new(name, verdict, expected, observed).with_evidence([evidence])
}

fn dropped(packets: Option<u64>) -> (bool, String) {
    match packets {
        Some(packets @ 1..) => (true, format!("{packets} packets dropped")),
        _ => (false, "no packet dropped".to_owned()),
    }
}

fn delays(least: LeastDelay) -> String {
    let ms = |us: u64| us as f64 / 1e3;
    format!(
        "{} ms or more up, {} ms or more down",
        ms(least.up_us),
        ms(least.down_us)
    )
}

fn crossed(crossed: Option<Crossed>, least: LeastDelay) -> (bool, String) {
    let Some(Crossed { up, down }) = crossed else {
        return (false, "nobody counted what crossed the link".to_owned());
    };
    let is_as_slow = |crossing: Crossing, least_us: u64| {
        let in_time = |ms: f64| ms * 1e3 + ROUNDING_US >= least_us as f64;
        crossing.shortest_ms.is_none_or(in_time)
    };
    let tell = |crossing: Crossing| match crossing.shortest_ms {
        Some(ms) => format!("{} packets, the fastest in {ms:.1} ms", crossing.packets),
        None => format!("{} packets, none of which could be timed", crossing.packets),
    };
    (
        // A peer that has gone elsewhere meanwhile may send nothing one way.
        up.packets + down.packets > 0
            && is_as_slow(up, least.up_us)
            && is_as_slow(down, least.down_us),
        format!("up {}; down {}", tell(up), tell(down)),
    )
}

fn lateness(event: &FaultEvent) -> String {
    let late_ms = event
        .late_ms
        .map(|late_ms| format!(" ({late_ms:.0} ms late)"));
    late_ms.unwrap_or_default()
}
