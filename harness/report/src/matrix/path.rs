//! What connected two peers, in a few letters.

use farcall_timeline::{CandidateType, IceTransport, SelectedPair};
use farcall_verdict::PeerResult;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What connected two peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum ConnectedPath {
    /// Each reached an address of the other's own interface.
    Host,
    /// At least one reached the other at an address that a NAT gave it and a STUN server told.
    Srflx,
    /// At least one reached the other at an address that a NAT gave it for this peer alone.
    Prflx,
    /// Through a TURN server: the transports between it and the peers that have a relayed local candidate.
    Relay {
        /// Of the peer that offers.
        offerer: Option<IceTransport>,
        /// Of the peer that answers.
        answerer: Option<IceTransport>,
    },
}

impl std::fmt::Display for ConnectedPath {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = match self {
            Self::Host => "host".to_owned(),
            Self::Srflx => "srflx".to_owned(),
            Self::Prflx => "prflx".to_owned(),
            Self::Relay { offerer, answerer } => {
                let both = [offerer, answerer];
                let words: Vec<String> = both
                    .into_iter()
                    .flatten()
                    .map(ToString::to_string)
                    .collect();
                match words.is_empty() {
                    true => "relay".to_owned(),
                    false => format!("relay/{}", words.join("+")),
                }
            }
        };
        formatter.pad(&text)
    }
}

/// What connected two peers; `None` where either selected no pair or never connected.
#[must_use]
pub fn path_of(offerer: &PeerResult, answerer: &PeerResult) -> Option<ConnectedPath> {
    formed_after_ms(offerer, answerer)?;
    let pairs = [
        offerer.selected_pair.as_ref()?,
        answerer.selected_pair.as_ref()?,
    ];
    let is_relayed = |pair: &SelectedPair| pair.local.candidate_type == CandidateType::Relay;
    if pairs.into_iter().any(is_relayed) {
        let [offerer, answerer] = pairs.map(|pair| pair.local.relay_protocol);
        return Some(ConnectedPath::Relay { offerer, answerer });
    }
    // A signalled candidate is called peer reflexive where a check was faster than the signalling.
    let seen = [(pairs[0], answerer), (pairs[1], offerer)].map(|(pair, other)| {
        let mut gathered = other.candidates.iter();
        gathered
            .find(|candidate| candidate.address == pair.remote.address)
            .map_or(pair.remote.candidate_type, |known| known.candidate_type)
    });
    Some(if seen.contains(&CandidateType::Prflx) {
        ConnectedPath::Prflx
    } else if seen.contains(&CandidateType::Srflx) {
        ConnectedPath::Srflx
    } else {
        ConnectedPath::Host
    })
}

/// From the offer to both peers connected.
pub(crate) fn formed_after_ms(offerer: &PeerResult, answerer: &PeerResult) -> Option<f64> {
    let reached = |peer: &PeerResult, machine: &str, state: &str| {
        let mut states = peer.states.iter();
        let found = states.find(|one| one.machine == machine && one.state == state);
        found.map(|one| one.at_ms)
    };
    let offered_ms = reached(offerer, "signaling", "have-local-offer")?;
    let connected_ms = [offerer, answerer].map(|peer| reached(peer, "connection", "connected"));
    let [Some(from), Some(to)] = connected_ms else {
        return None;
    };
    Some(from.max(to) - offered_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use farcall_timeline::Candidate;
    use farcall_verdict::TimedState;

    fn candidate(candidate_type: CandidateType, address: &str) -> Candidate {
        Candidate {
            candidate_type,
            protocol: "udp".to_owned(),
            address: address.to_owned(),
            relay_protocol: (candidate_type == CandidateType::Relay).then_some(IceTransport::Tls),
            url: None,
        }
    }

    fn peer(
        local: CandidateType,
        remote: (CandidateType, &str),
        own: &[(CandidateType, &str)],
    ) -> PeerResult {
        let state = |at_ms, machine: &str, state: &str| TimedState {
            at_ms,
            machine: machine.to_owned(),
            state: state.to_owned(),
        };
        PeerResult {
            candidates: own.iter().map(|(of, at)| candidate(*of, at)).collect(),
            selected_pair: Some(SelectedPair {
                local: candidate(local, "10.0.0.2:9"),
                remote: candidate(remote.0, remote.1),
            }),
            states: vec![
                state(10.0, "signaling", "have-local-offer"),
                state(60.0, "connection", "connected"),
            ],
            ..PeerResult::default()
        }
    }

    #[test]
    fn a_signalled_candidate_that_a_check_outran_is_what_was_signalled() {
        use CandidateType::{Host, Prflx, Srflx};
        let alice = peer(Host, (Prflx, "192.0.2.9:1"), &[]);
        let bob = peer(Host, (Host, "198.51.100.2:1"), &[(Srflx, "192.0.2.9:1")]);
        assert_eq!(path_of(&alice, &bob), Some(ConnectedPath::Srflx));
        let elsewhere = peer(Host, (Host, "198.51.100.2:1"), &[(Srflx, "192.0.2.9:7")]);
        assert_eq!(path_of(&alice, &elsewhere), Some(ConnectedPath::Prflx));
    }

    #[test]
    fn a_relay_is_named_with_the_transport_to_it() {
        use CandidateType::{Host, Relay};
        let relays = peer(Relay, (Host, "192.0.2.9:1"), &[]);
        let other = peer(Host, (Relay, "203.0.113.100:1"), &[]);
        let text = |from, to| path_of(from, to).map(|path| path.to_string());
        assert_eq!(text(&relays, &other).as_deref(), Some("relay/tls"));
        assert_eq!(text(&relays, &relays).as_deref(), Some("relay/tls+tls"));
    }

    #[test]
    fn without_a_connection_there_is_no_path() {
        use CandidateType::Host;
        let mut alice = peer(Host, (Host, "192.0.2.9:1"), &[]);
        let bob = alice.clone();
        assert_eq!(path_of(&alice, &bob), Some(ConnectedPath::Host));
        assert_eq!(formed_after_ms(&alice, &bob), Some(50.0));
        alice.states.pop();
        assert_eq!(path_of(&alice, &bob), None);
    }
}
