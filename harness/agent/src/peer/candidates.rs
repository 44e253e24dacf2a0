//! webrtc-rs's candidates in the words of the timeline.

use farcall_timeline::{Candidate, CandidateType, IceTransport, SelectedPair};
use rtc::peer_connection::transport::{RTCIceCandidate, RTCIceCandidatePair, RTCIceCandidateType};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// What is known of the server behind a gathered candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// The URL as the configuration has it.
    pub url: String,
    /// The transport to the server.
    pub transport: IceTransport,
}

/// The local candidates gathered so far, with the server that each came from.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    candidates: Vec<Candidate>,
    /// The address of each by the attribute that is trickled.
    addresses: BTreeMap<String, SocketAddr>,
}

impl Gathered {
    /// Takes a candidate as it was gathered; `None` if webrtc-rs gives it no type.
    pub fn take(
        &mut self,
        candidate: &RTCIceCandidate,
        origin: Option<Origin>,
    ) -> Option<Candidate> {
        let mut known = describe(candidate)?;
        if let Some(origin) = origin {
            if known.candidate_type == CandidateType::Relay {
                known.relay_protocol = Some(origin.transport);
            }
            known.url = Some(origin.url);
        }
        self.candidates.push(known.clone());
        Some(known)
    }

    /// A candidate is trickled as this attribute.
    pub fn trickled(&mut self, attribute: &str, candidate: &RTCIceCandidate) {
        if let Some(address) = socket_address(candidate) {
            self.addresses.insert(attribute.to_owned(), address);
        }
    }

    /// The address of the candidate that was trickled as this attribute.
    pub fn address_of(&self, attribute: &str) -> Option<SocketAddr> {
        self.addresses.get(attribute).copied()
    }

    /// The selected pair. Its local candidate is looked up among those gathered, since what
    /// webrtc-rs reports of a pair lacks the server's URL.
    pub fn selected(&self, pair: &RTCIceCandidatePair) -> Option<SelectedPair> {
        let local = describe(pair.local())?;
        let gathered = self.candidates.iter().find(|candidate| {
            candidate.address == local.address && candidate.candidate_type == local.candidate_type
        });
        Some(SelectedPair {
            local: gathered.cloned().unwrap_or(local),
            remote: describe(pair.remote())?,
        })
    }
}

/// A candidate's transport address; `None` for a name, such as an mDNS one.
pub(super) fn socket_address(candidate: &RTCIceCandidate) -> Option<SocketAddr> {
    let ip = candidate.address.parse().ok()?;
    Some(SocketAddr::new(ip, candidate.port))
}

fn describe(candidate: &RTCIceCandidate) -> Option<Candidate> {
    let candidate_type = match candidate.typ {
        RTCIceCandidateType::Host => CandidateType::Host,
        RTCIceCandidateType::Srflx => CandidateType::Srflx,
        RTCIceCandidateType::Prflx => CandidateType::Prflx,
        RTCIceCandidateType::Relay => CandidateType::Relay,
        _ => return None,
    };
    let address = match socket_address(candidate) {
        Some(address) => address.to_string(),
        None => format!("{}:{}", candidate.address, candidate.port),
    };
    Some(Candidate {
        candidate_type,
        protocol: candidate.protocol.to_string(),
        address,
        relay_protocol: None,
        url: None,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn candidate(typ: RTCIceCandidateType, address: &str, port: u16) -> RTCIceCandidate {
        RTCIceCandidate {
            typ,
            address: address.to_owned(),
            port,
            ..RTCIceCandidate::default()
        }
    }

    fn origin() -> Origin {
        Origin {
            url: "turns:turn.example:443?transport=tcp".to_owned(),
            transport: IceTransport::Tls,
        }
    }

    #[test]
    fn a_relay_candidate_tells_its_server_and_transport() {
        let mut gathered = Gathered::default();
        let relay = candidate(RTCIceCandidateType::Relay, "203.0.113.100", 50000);
        let known = gathered.take(&relay, Some(origin())).unwrap();
        assert_eq!(known.relay_protocol, Some(IceTransport::Tls));
        assert_eq!(known.url, Some(origin().url));
        assert_eq!(known.address, "203.0.113.100:50000");
    }

    #[test]
    fn only_relay_candidates_have_a_relay_protocol() {
        let mut gathered = Gathered::default();
        let srflx = candidate(RTCIceCandidateType::Srflx, "203.0.113.10", 41000);
        assert_eq!(
            gathered
                .take(&srflx, Some(origin()))
                .unwrap()
                .relay_protocol,
            None
        );
    }

    #[test]
    fn the_selected_pair_names_the_server_of_its_local_candidate() {
        let mut gathered = Gathered::default();
        let relay = candidate(RTCIceCandidateType::Relay, "203.0.113.100", 50000);
        gathered.take(&relay, Some(origin()));
        let remote = candidate(RTCIceCandidateType::Prflx, "203.0.113.20", 1234);
        let pair = RTCIceCandidatePair::new(relay, remote);
        let selected = gathered.selected(&pair).unwrap();
        assert_eq!(selected.local.url, Some(origin().url));
        assert_eq!(selected.remote.candidate_type, CandidateType::Prflx);
        assert_eq!(selected.remote.url, None);
    }

    #[test]
    fn a_candidate_without_a_type_is_none() {
        let unknown = candidate(RTCIceCandidateType::Unspecified, "203.0.113.1", 1);
        assert_eq!(Gathered::default().take(&unknown, None), None);
    }
}
