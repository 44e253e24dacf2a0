//! The selected pair has the expected types and the expected transport to the TURN server.

use super::connection::nothing_to_observe;
use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_scenario::ExpectedPair;
use farcall_timeline::{Candidate, CandidateType, SelectedPair};
use std::fmt::Display;

/// One check for each peer of which a pair is expected, and one for the whole way if it is expected to
/// lead through a TURN server, or not to.
pub(crate) fn selected_pairs(case: &Case<'_>) -> Vec<Check> {
    let expect = &case.declared.expect;
    expect
        .relayed
        .map(|wanted| relayed(case, wanted))
        .into_iter()
        .chain(
            expect
                .selected_pair
                .iter()
                .map(|(peer, wanted)| of_peer(case, peer, wanted)),
        )
        .collect()
}

/// Media are relayed if the local candidate of either peer is a relay candidate.
fn relayed(case: &Case<'_>, wanted: bool) -> Check {
    let name = "selected-pair/relayed";
    let in_words = |relayed| {
        if relayed {
            "media go through a TURN server"
        } else {
            "media do not go through a TURN server"
        }
    };
    let expected = in_words(wanted);
    if let Some(observed) = nothing_to_observe(case) {
        return Check::new(name, CheckVerdict::Skipped, expected, observed);
    }
    let pairs: Option<Vec<&SelectedPair>> = case.peers.iter().map(|peer| case.pair(peer)).collect();
    let Some(pairs) = pairs else {
        let observed = "a peer reported no selected pair";
        return Check::new(name, CheckVerdict::Invalid, expected, observed);
    };
    let found = pairs
        .iter()
        .any(|pair| pair.local.candidate_type == CandidateType::Relay);
    let verdict = if found == wanted {
        CheckVerdict::Pass
    } else {
        CheckVerdict::Fail
    };
    Check::new(name, verdict, expected, in_words(found))
}

fn of_peer(case: &Case<'_>, peer: &str, wanted: &ExpectedPair) -> Check {
    let name = format!("selected-pair/{peer}");
    let expected = pair_wanted(wanted);
    if let Some(observed) = nothing_to_observe(case) {
        return Check::new(name, CheckVerdict::Skipped, expected, observed);
    }
    let Some(pair) = case.pair(peer) else {
        let observed = "the peer reported no selected pair";
        return Check::new(name, CheckVerdict::Invalid, expected, observed);
    };
    let is_expected = fits_pair(wanted, pair);
    let verdict = if is_expected {
        CheckVerdict::Pass
    } else {
        CheckVerdict::Fail
    };
    Check::new(name, verdict, expected, pair_seen(pair)).with_evidence(
        case.pairs(peer)
            .map(|(at_ms, pair)| format!("selected at {at_ms:.0} ms: {}", addresses(pair))),
    )
}

/// Whether a peer's pair is what it may be.
#[must_use]
pub fn fits_pair(wanted: &ExpectedPair, pair: &SelectedPair) -> bool {
    let local = &pair.local;
    let transport_fits = match local.relay_protocol {
        _ if local.candidate_type != CandidateType::Relay => true,
        Some(transport) => fits(&wanted.relay_protocol, &transport),
        None => wanted.relay_protocol.is_empty(),
    };
    transport_fits
        && fits(&wanted.local, &local.candidate_type)
        && fits(&wanted.remote, &pair.remote.candidate_type)
}

/// What a peer's pair may be, in words.
#[must_use]
pub fn pair_wanted(wanted: &ExpectedPair) -> String {
    format!(
        "local {}, remote {}, over {} where relayed",
        any_of(&wanted.local),
        any_of(&wanted.remote),
        any_of(&wanted.relay_protocol)
    )
}

/// An empty list allows anything.
fn fits<T: PartialEq>(allowed: &[T], found: &T) -> bool {
    allowed.is_empty() || allowed.contains(found)
}

fn any_of<T: Display>(allowed: &[T]) -> String {
    if allowed.is_empty() {
        return "any".to_owned();
    }
    let words: Vec<String> = allowed.iter().map(ToString::to_string).collect();
    words.join(" or ")
}

/// What a peer's pair is, in words.
#[must_use]
pub fn pair_seen(pair: &SelectedPair) -> String {
    format!(
        "local {}, remote {}",
        candidate(&pair.local),
        pair.remote.candidate_type
    )
}

fn candidate(candidate: &Candidate) -> String {
    if candidate.candidate_type != CandidateType::Relay {
        return candidate.candidate_type.to_string();
    }
    format!(
        "relay over {} ({})",
        candidate
            .relay_protocol
            .map_or_else(|| "an unknown transport".to_owned(), |one| one.to_string()),
        candidate.url.as_deref().unwrap_or("from an unknown URL")
    )
}

fn addresses(pair: &SelectedPair) -> String {
    format!(
        "{} {} <-> {} {}",
        pair.local.candidate_type,
        pair.local.address,
        pair.remote.candidate_type,
        pair.remote.address
    )
}

#[cfg(test)]
mod tests {
    use crate::CheckVerdict::{Fail, Invalid, Pass, Skipped};
    use crate::sample::{Sample, TCP_URL};
    use farcall_timeline::{CandidateType, Event, IceTransport, SelectedPair};

    const RELAYED: &str = "selected-pair/relayed";

    fn with_pair(change: impl Fn(&mut SelectedPair)) -> Sample {
        let mut sample = Sample::good();
        sample.change_of("alice", |event| {
            if let Event::SelectedPair(pair) = event {
                change(pair);
            }
        });
        sample
    }

    #[test]
    fn the_expected_pair_passes() {
        let check = Sample::good().check("selected-pair/alice");
        assert_eq!(check.verdict, Pass);
        assert_eq!(
            check.expected,
            "local relay, remote any, over tcp or tls where relayed"
        );
        assert_eq!(
            check.observed,
            format!("local relay over tcp ({TCP_URL}), remote prflx")
        );
    }

    #[test]
    fn another_type_fails() {
        let sample = with_pair(|pair| pair.local.candidate_type = CandidateType::Srflx);
        assert_eq!(sample.check("selected-pair/alice").verdict, Fail);
    }

    #[test]
    fn another_transport_to_the_server_fails() {
        let sample = with_pair(|pair| pair.local.relay_protocol = Some(IceTransport::Udp));
        assert_eq!(sample.check("selected-pair/alice").verdict, Fail);
    }

    #[test]
    fn an_unknown_transport_fails() {
        let sample = with_pair(|pair| pair.local.relay_protocol = None);
        assert_eq!(sample.check("selected-pair/alice").verdict, Fail);
    }

    #[test]
    fn a_connection_without_a_pair_is_invalid() {
        let mut sample = Sample::good();
        sample.remove(|entry| matches!(entry.event, Event::SelectedPair(_)));
        assert_eq!(sample.check("selected-pair/alice").verdict, Invalid);
    }

    #[test]
    fn without_a_connection_there_is_no_pair_to_check() {
        let sample = Sample::not_connected();
        assert_eq!(sample.check("selected-pair/alice").verdict, Skipped);
    }

    #[test]
    fn a_way_through_a_server_is_told_from_a_direct_one() {
        let mut sample = Sample::good();
        assert_eq!(sample.check(RELAYED).verdict, Pass);
        sample.declared.expect.relayed = Some(false);
        assert_eq!(sample.check(RELAYED).verdict, Fail);

        let mut direct = with_pair(|pair| pair.local.candidate_type = CandidateType::Srflx);
        let check = direct.check(RELAYED);
        assert_eq!(check.verdict, Fail);
        assert_eq!(check.observed, "media do not go through a TURN server");
        direct.declared.expect.relayed = Some(false);
        assert_eq!(direct.check(RELAYED).verdict, Pass);
    }

    #[test]
    fn without_both_pairs_nobody_knows_the_way() {
        let mut sample = Sample::good();
        sample.remove(|entry| entry.node == "bob" && matches!(entry.event, Event::SelectedPair(_)));
        assert_eq!(sample.check(RELAYED).verdict, Invalid);
        assert_eq!(Sample::not_connected().check(RELAYED).verdict, Skipped);
    }

    #[test]
    fn a_peer_of_which_nothing_is_expected_is_not_checked() {
        assert!(
            !Sample::good()
                .judge()
                .checks
                .iter()
                .any(|check| check.name == "selected-pair/bob")
        );
    }
}
