//! What the peers claim agrees with what the gateways counted.

use super::claims::{Bytes, least_of, over_last_pair, with_servers};
use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_plan::{FROM_INSIDE, TO_INSIDE};
use farcall_timeline::CandidateType;

/// One check for each peer and gateway on its way.
///
/// The gateway next to a peer must have been given what the peer says it sent, blocked or not. Every
/// gateway must have seen what arrived: from this peer at the other one, and at this peer.
pub(crate) fn gateways_agree(case: &Case<'_>) -> Vec<Check> {
    let mut checks = Vec::new();
    for (peer, gateways) in &case.declared.expect.gateways {
        for (distance, gateway) in gateways.iter().enumerate() {
            checks.push(check(case, peer, gateway, distance == 0));
        }
    }
    checks
}

fn check(case: &Case<'_>, peer: &str, gateway: &str, is_next: bool) -> Check {
    let name = format!("claims/gateway/{gateway}/{peer}");
    let claimed = claimed(case, peer, is_next);
    let least = Bytes {
        sent: least_of(claimed.sent),
        received: least_of(claimed.received),
    };
    let expected = format!(
        "at least {} bytes from {peer} and {} bytes to it",
        least.sent, least.received
    );
    if claimed == Bytes::default() {
        return Check::new(name, CheckVerdict::Skipped, expected, "nothing claimed");
    }
    let counters = case
        .counted(gateway, FROM_INSIDE)
        .zip(case.counted(gateway, TO_INSIDE));
    let Some((from, to)) = counters else {
        let observed =
            "its traffic was not read before and after the call, or a counter went backwards";
        return Check::new(name, CheckVerdict::Invalid, expected, observed);
    };
    let verdict = if from.bytes >= least.sent && to.bytes >= least.received {
        CheckVerdict::Pass
    } else {
        CheckVerdict::Invalid
    };
    let observed = format!("{} bytes from inside, {} bytes to it", from.bytes, to.bytes);
    Check::new(name, verdict, expected, observed).with_evidence([format!(
        "{peer} accounts for {} bytes sent and {} received by this way",
        claimed.sent, claimed.received
    )])
}

fn claimed(case: &Case<'_>, peer: &str, is_next: bool) -> Bytes {
    let servers = with_servers(case, peer);
    let media = if passes_gateways(case, peer) {
        over_last_pair(case, peer)
    } else {
        Bytes::default()
    };
    let claimed = servers.or_more(media);
    if is_next {
        return claimed;
    }
    let arrived = case
        .other(peer)
        .filter(|_| media != Bytes::default())
        .map_or(0, |other| over_last_pair(case, other).received);
    Bytes {
        sent: arrived,
        ..claimed
    }
}

/// Whether the media leaves the peer's LAN: not between two peers behind one gateway that use
/// addresses of that LAN.
fn passes_gateways(case: &Case<'_>, peer: &str) -> bool {
    let gateways = &case.declared.expect.gateways;
    let next = |peer: &str| gateways.get(peer).and_then(|list| list.first());
    let is_one_lan = case
        .other(peer)
        .is_some_and(|other| next(other) == next(peer));
    let leaves =
        |candidate_type| matches!(candidate_type, CandidateType::Relay | CandidateType::Srflx);
    case.pair(peer).is_some_and(|pair| {
        !is_one_lan || leaves(pair.local.candidate_type) || leaves(pair.remote.candidate_type)
    })
}

#[cfg(test)]
mod tests {
    use crate::CheckVerdict::{Invalid, Pass, Skipped};
    use crate::sample::Sample;
    use farcall_timeline::{CandidateType, Event, MediaKind};

    const OFFICE: &str = "claims/gateway/office-gateway/alice";
    const CARRIER: &str = "claims/gateway/mobile-carrier-gateway/bob";

    #[test]
    fn claims_that_every_gateway_saw_pass() {
        let sample = Sample::good();
        assert_eq!(sample.check(OFFICE).verdict, Pass);
        assert_eq!(sample.check(CARRIER).verdict, Pass);
    }

    #[test]
    fn bytes_that_the_next_gateway_never_saw_are_invalid() {
        let mut sample = Sample::good();
        sample.change_media("alice", MediaKind::Video, |stats| {
            stats.bytes_sent = 10_000_000;
        });
        let check = sample.check(OFFICE);
        assert_eq!(check.verdict, Invalid);
        assert_eq!(
            check.observed,
            "170000 bytes from inside, 170000 bytes to it"
        );
    }

    #[test]
    fn received_bytes_must_have_passed_every_gateway() {
        let mut sample = Sample::good();
        sample.change_counter("mobile-carrier-gateway", "traffic/to-inside", |counter| {
            counter.bytes = 5_000;
        });
        assert_eq!(sample.check(CARRIER).verdict, Invalid);
    }

    #[test]
    fn a_farther_gateway_need_not_have_seen_what_never_arrived() {
        let mut sample = Sample::good();
        sample.change_media("bob", MediaKind::Video, |stats| {
            stats.bytes_sent = 150_000;
        });
        sample.change_counter("mobile-carrier-gateway", "traffic/from-inside", |counter| {
            counter.bytes = 130_000;
        });
        assert_eq!(sample.check(CARRIER).verdict, Pass);
    }

    #[test]
    fn a_gateway_that_was_not_read_is_invalid() {
        let mut sample = Sample::good();
        sample.remove(|entry| {
            entry.node == "office-gateway" && matches!(entry.event, Event::Counters { .. })
        });
        assert_eq!(sample.check(OFFICE).verdict, Invalid);
    }

    #[test]
    fn media_within_one_lan_passes_no_gateway() {
        let mut sample = Sample::good();
        let gateway = vec!["office-gateway".to_owned()];
        let gateways = &mut sample.declared.expect.gateways;
        gateways.insert("bob".into(), gateway);
        sample.change(|event| match event {
            Event::SelectedPair(pair) => {
                pair.local.candidate_type = CandidateType::Host;
                pair.remote.candidate_type = CandidateType::Host;
            }
            Event::IceServer(report) => {
                report.bytes_sent = 0;
                report.bytes_received = 0;
            }
            _ => {}
        });
        assert_eq!(sample.check(OFFICE).verdict, Skipped);
    }
}
