//! A call that is over has left no allocation at the TURN servers.

use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_plan::Fact;
use farcall_scenario::{FaultKind, MediaQuality, ServerCondition};
use farcall_timeline::{Event, FaultEdge, FaultEvent, Phase};
use std::collections::BTreeSet;

/// One check for each TURN server. An allocation that is not released stays for its lifetime, ten minutes, and counts
/// against the account's quota (RFC 8656 section 3.2).
///
/// Those count that were made after the last change for the clients: one that is cut off, or that comes from another
/// address, cannot release what it has.
pub(crate) fn allocations(case: &Case<'_>) -> Vec<Check> {
    let nodes = case.declared.expect.turn_nodes.values();
    let nodes: BTreeSet<&str> = nodes.map(String::as_str).collect();
    nodes.into_iter().map(|node| check(case, node)).collect()
}

fn check(case: &Case<'_>, node: &str) -> Check {
    let name = format!("released/allocations/{node}");
    let expected = "every allocation that is made after the last fault is closed after the call";
    let made = made(case, node);
    if let Some(reason) = excused(case, &made) {
        return Check::new(name, CheckVerdict::Skipped, expected, reason);
    }
    let sessions = case.sessions(node);
    let is_closed = |session: &&str| sessions.get(session).is_some_and(|one| one.complete);
    let left: Vec<&str> = made
        .iter()
        .copied()
        .filter(|session| !is_closed(session))
        .collect();
    let verdict = match left.is_empty() {
        true => CheckVerdict::Pass,
        false => CheckVerdict::Fail,
    };
    let observed = format!("{} made, {} not closed", made.len(), left.len());
    let evidence = left
        .iter()
        .map(|session| format!("session {session} of {node} is not closed"));
    Check::new(name, verdict, expected, observed).with_evidence(evidence)
}

/// The sessions that count.
fn made<'a>(case: &Case<'a>, node: &str) -> BTreeSet<&'a str> {
    let begun = case.all().filter_map(|(_, at_ms, event)| match event {
        Event::PhaseStarted { phase } if *phase == Phase::Call => Some(at_ms),
        _ => None,
    });
    let changed = case.all().filter_map(|(_, at_ms, event)| match event {
        Event::Fault(fault) => changes(case, fault).then_some(at_ms),
        _ => None,
    });
    let (begun, changed) = (begun.min_by(f64::total_cmp), changed.max_by(f64::total_cmp));
    let Some(since_ms) = begun.map(|begun| begun.max(changed.unwrap_or(begun))) else {
        return BTreeSet::new();
    };
    let events = case.of(node).iter();
    let made = events.filter_map(|(at_ms, event)| match event {
        Event::TurnAllocated { session } if *at_ms >= since_ms => Some(session.as_str()),
        _ => None,
    });
    made.collect()
}

/// Whether what a client can release is another after a fault began or was mended. Where mappings are forgotten or a
/// client comes from another address its way is open again at once, and if that lasts to the end of the call, nothing is
/// mended before everything is released.
fn changes(case: &Case<'_>, edge: &FaultEvent) -> bool {
    let index = usize::try_from(edge.number).unwrap_or(0).wrapping_sub(1);
    let fault = case.declared.expect.faults.get(index);
    let is_over_at_once = fault.is_some_and(|fault| {
        matches!(
            fault.kind,
            FaultKind::ForgetMappings | FaultKind::AddressChange | FaultKind::Handover
        )
    });
    edge.edge == FaultEdge::Begun || edge.late_ms.is_some() || !is_over_at_once
}

/// Why nothing can be said.
fn excused(case: &Case<'_>, made: &BTreeSet<&str>) -> Option<&'static str> {
    let expect = &case.declared.expect;
    let declares = |what: fn(&Fact) -> bool| {
        let mut declarations = case.declared.attestation.iter();
        declarations.any(|declaration| what(&declaration.fact))
    };
    let loses = case.declared.loses_packets
        || expect.media == MediaQuality::Degraded
        || declares(|fact| matches!(fact, Fact::PolicedRate { .. }));
    if made.is_empty() {
        Some("none made")
    } else if loses {
        Some("on a link that loses packets the release may be lost")
    } else if declares(swallows_large_packets) {
        Some(
            "a TCP connection whose large segments vanish stands still, with the release behind them in it",
        )
    } else if expect
        .server_conditions
        .contains(&ServerCondition::StaleNonce)
    {
        Some(
            "a nonce that is stale after a second refuses the release (438), and nobody repeats it",
        )
    } else {
        None
    }
}

/// Whether a link drops packets for their size and tells nobody.
fn swallows_large_packets(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::Mtu {
            fragmentation_needed: Some(false),
            ..
        }
    )
}

#[cfg(test)]
mod tests {
    use crate::CheckVerdict::{Fail, Pass, Skipped};
    use crate::sample::Sample;
    use farcall_plan::{ExpectedFault, Fact};
    use farcall_scenario::{Direction, FaultKind, MediaQuality, ServerCondition};
    use farcall_timeline::{Event, FaultEdge, FaultEvent};

    const CHECK: &str = "released/allocations/turn";

    /// A good call, one of whose allocations is not closed.
    fn left() -> Sample {
        let mut sample = Sample::good();
        sample.change(|event| match event {
            Event::TurnSession(session) if session.session == "001" => session.complete = false,
            _ => {}
        });
        sample
    }

    #[test]
    fn an_allocation_that_is_not_closed_fails() {
        let check = Sample::good().check(CHECK);
        assert_eq!(
            (check.verdict, check.observed.as_str()),
            (Pass, "3 made, 0 not closed")
        );
        let check = left().check(CHECK);
        assert_eq!(
            (check.verdict, check.observed.as_str()),
            (Fail, "3 made, 1 not closed")
        );
        assert_eq!(check.evidence, ["session 001 of turn is not closed"]);
    }

    #[test]
    fn one_that_was_never_told_of_again_fails() {
        let mut sample = Sample::good();
        sample.remove(|entry| matches!(entry.event, Event::TurnSession(_)));
        assert_eq!(sample.check(CHECK).observed, "3 made, 3 not closed");
    }

    #[test]
    fn what_was_made_before_the_last_fault_was_mended_is_not_counted() {
        for (mended_ms, verdict) in [(4_100.0, Fail), (9_000.0, Skipped)] {
            let mut sample = left();
            let fault = FaultEvent {
                number: 1,
                what: "link-down at office".to_owned(),
                edge: FaultEdge::Mended,
                late_ms: Some(0.0),
                dropped_packets: Some(9),
                crossed: None,
            };
            sample.add(mended_ms, "harness", Event::Fault(fault));
            assert_eq!(sample.check(CHECK).verdict, verdict, "{mended_ms}");
        }
    }

    #[test]
    fn where_the_way_is_open_again_at_once_all_count_that_are_made_after_a_fault_began() {
        let edge = |edge, late_ms| {
            Event::Fault(FaultEvent {
                number: 1,
                what: "it at hotspot".to_owned(),
                edge,
                late_ms,
                dropped_packets: None,
                crossed: None,
            })
        };
        for (kind, late_ms, verdict) in [
            (FaultKind::Handover, None, Fail),
            (FaultKind::ForgetMappings, None, Fail),
            // Back to the old address in the middle of the call.
            (FaultKind::AddressChange, Some(1.0), Skipped),
            (FaultKind::ServerDown, None, Skipped),
        ] {
            let mut sample = left();
            sample.declared.expect.faults = vec![ExpectedFault {
                what: "it at hotspot".to_owned(),
                drops: false,
                kind,
                target: "hotspot".to_owned(),
                least_delay: None,
            }];
            sample.add(4_100.0, "harness", edge(FaultEdge::Begun, Some(1.0)));
            sample.add(9_000.0, "harness", edge(FaultEdge::Mended, late_ms));
            assert_eq!(sample.check(CHECK).verdict, verdict, "{kind:?}");
        }
    }

    #[test]
    fn what_others_had_before_the_call_is_not_counted() {
        let mut sample = Sample::good();
        let session = "000".to_owned();
        sample.add(3_500.0, "turn", Event::TurnAllocated { session });
        assert_eq!(sample.check(CHECK).verdict, Pass);
    }

    #[test]
    fn where_the_release_may_not_arrive_nothing_is_said() {
        let mut sample = left();
        sample.declared.expect.media = MediaQuality::Degraded;
        assert_eq!(sample.check(CHECK).verdict, Skipped);
        let mut sample = left();
        sample.declared.loses_packets = true;
        assert_eq!(sample.check(CHECK).verdict, Skipped);
        let mut sample = left();
        sample.declared.attestation[0].fact = Fact::PolicedRate {
            direction: Direction::Out,
            kbit: 200,
            port: 3_478,
        };
        assert_eq!(sample.check(CHECK).verdict, Skipped);
        for (fragmentation_needed, verdict) in [(Some(false), Skipped), (Some(true), Fail)] {
            let mut sample = left();
            let fact = Fact::Mtu {
                direction: Direction::Out,
                mtu: 1_280,
                fragmentation_needed,
                port: 53,
            };
            sample.declared.attestation[0].fact = fact;
            assert_eq!(sample.check(CHECK).verdict, verdict);
        }
        let mut sample = left();
        sample.declared.expect.server_conditions = vec![ServerCondition::StaleNonce];
        assert_eq!(sample.check(CHECK).verdict, Skipped);
    }
}
