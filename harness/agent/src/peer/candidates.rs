//! webrtc-rs's candidates in the words of the timeline.

use crate::ice_transport::CheckedPair;
use farcall_timeline::{Candidate, CandidatePairReport, CandidateType, IceTransport, SelectedPair};
use rtc::peer_connection::transport::{RTCIceCandidate, RTCIceCandidatePair, RTCIceCandidateType};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// How many remote candidates of a connection are told at most: far more than there are.
const REMOTE_CANDIDATES: usize = 256;

/// What is known of the server behind a gathered candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// The URL as the configuration has it.
    pub url: String,
    /// The transport to the server.
    pub transport: IceTransport,
}

/// The local candidates gathered so far, with the server that each came from, and the remote ones that are known.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    candidates: Vec<Candidate>,
    remote: Vec<Candidate>,
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

    /// Takes a candidate of the other peer; whether it is another than those that are known.
    pub fn take_remote(&mut self, candidate: &Candidate) -> bool {
        let is_new = self.remote.len() < REMOTE_CANDIDATES && !self.remote.contains(candidate);
        if is_new {
            self.remote.push(candidate.clone());
        }
        is_new
    }

    /// The other peer's candidate with this address: as signalling brought it, or else a peer-reflexive one.
    fn remote_of(&self, address: &str) -> Candidate {
        let signalled = self.remote.iter().find(|candidate| {
            candidate.address == address && candidate.candidate_type != CandidateType::Prflx
        });
        let found = || bare(CandidateType::Prflx, address.to_owned());
        signalled.cloned().unwrap_or_else(found)
    }

    /// The candidate of this type and address among those gathered.
    fn local_of(&self, candidate_type: CandidateType, address: &str) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| {
            candidate.address == address && candidate.candidate_type == candidate_type
        })
    }

    /// A pair over which checks have passed, as the timeline has it.
    pub fn checked(&self, connection: u32, pair: &CheckedPair) -> CandidatePairReport {
        let local_type = match pair.is_relayed {
            true => CandidateType::Relay,
            false => CandidateType::Host,
        };
        let local = pair.local.to_string();
        let gathered = self.local_of(local_type, &local).cloned();
        CandidatePairReport {
            connection,
            local: gathered.unwrap_or_else(|| bare(local_type, local)),
            remote: self.remote_of(&pair.remote.to_string()),
            state: pair.state,
            nominated: pair.nominated,
            requests_sent: pair.requests_sent,
            responses_received: pair.responses_received,
            requests_received: pair.requests_received,
            responses_sent: pair.responses_sent,
            current_round_trip_ms: pair.round_trip.map(|time| time.as_secs_f64() * 1e3),
        }
    }

    /// The selected pair. Its local candidate is looked up among those gathered, since what
    /// webrtc-rs reports of a pair lacks the server's URL.
    pub fn selected(&self, pair: &RTCIceCandidatePair) -> Option<SelectedPair> {
        let local = describe(pair.local())?;
        let gathered = self.local_of(local.candidate_type, &local.address);
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

/// A candidate of which no more is known.
fn bare(candidate_type: CandidateType, address: String) -> Candidate {
    Candidate {
        candidate_type,
        protocol: "udp".to_owned(),
        address,
        relay_protocol: None,
        url: None,
    }
}

/// The candidates in a session description.
pub(super) fn in_description(sdp: &str) -> impl Iterator<Item = Candidate> {
    let attributes = sdp.lines().filter_map(|line| line.strip_prefix("a="));
    let candidates = attributes.filter(|attribute| attribute.starts_with("candidate:"));
    candidates.filter_map(in_attribute)
}

/// A candidate attribute (RFC 8839 section 5.1); `None` if it is something else, such as the empty one at the end.
pub(super) fn in_attribute(attribute: &str) -> Option<Candidate> {
    let words: Vec<&str> = attribute.split_whitespace().collect();
    let [_, _, protocol, _, address, port, "typ", kind, ..] = words.as_slice() else {
        return None;
    };
    let candidate_type = match *kind {
        "host" => CandidateType::Host,
        "srflx" => CandidateType::Srflx,
        "prflx" => CandidateType::Prflx,
        "relay" => CandidateType::Relay,
        _ => return None,
    };
    let port: u16 = port.parse().ok()?;
    let address = match address.parse::<IpAddr>() {
        Ok(ip) => SocketAddr::new(ip, port).to_string(),
        // A name, such as an mDNS one.
        Err(_) => format!("{address}:{port}"),
    };
    Some(Candidate {
        protocol: protocol.to_lowercase(),
        ..bare(candidate_type, address)
    })
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
    use farcall_timeline::CandidatePairState;
    use std::time::Duration;

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

    const SIGNALLED: &str =
        "candidate:2 1 UDP 1694498815 198.51.100.9 61234 typ srflx raddr 0.0.0.0 rport 0";

    fn checked(local: &str, is_relayed: bool, remote: &str) -> CheckedPair {
        CheckedPair {
            local: local.parse().unwrap(),
            is_relayed,
            remote: remote.parse().unwrap(),
            state: CandidatePairState::Succeeded,
            nominated: true,
            requests_sent: 4,
            responses_received: 3,
            requests_received: 2,
            responses_sent: 1,
            round_trip: Some(Duration::from_millis(31)),
        }
    }

    #[test]
    fn a_candidate_is_read_as_it_is_signalled() {
        let read = in_attribute(SIGNALLED).unwrap();
        let wanted = bare(CandidateType::Srflx, "198.51.100.9:61234".into());
        assert_eq!(read, wanted);
        let ipv6 = in_attribute("candidate:1 1 udp 1 2001:db8::1 9 typ host").unwrap();
        assert_eq!(ipv6.address, "[2001:db8::1]:9");
        let name = in_attribute("candidate:1 1 udp 1 a-name.local 9 typ host").unwrap();
        assert_eq!(name.address, "a-name.local:9");
    }

    #[test]
    fn what_is_no_candidate_is_none() {
        for attribute in [
            "",
            "candidate:",
            "end-of-candidates",
            "candidate:1 1 udp 1 198.51.100.9 70000 typ host",
            "candidate:1 1 udp 1 198.51.100.9 9 typ carrier-pigeon",
        ] {
            assert_eq!(in_attribute(attribute), None, "{attribute}");
        }
    }

    #[test]
    fn a_description_may_have_candidates() {
        let sdp = format!("v=0\r\na=mid:0\r\na={SIGNALLED}\r\na=end-of-candidates\r\n");
        let found: Vec<Candidate> = in_description(&sdp).collect();
        assert_eq!(found, [in_attribute(SIGNALLED).unwrap()]);
    }

    #[test]
    fn a_remote_candidate_is_told_once() {
        let mut gathered = Gathered::default();
        let signalled = in_attribute(SIGNALLED).unwrap();
        let found = bare(CandidateType::Prflx, signalled.address.clone());
        assert!(gathered.take_remote(&found));
        assert!(gathered.take_remote(&signalled));
        assert!(!gathered.take_remote(&signalled));
        assert!(!gathered.take_remote(&found));
    }

    #[test]
    fn a_checked_pair_has_the_candidates_that_are_known() {
        let mut gathered = Gathered::default();
        let relay = candidate(RTCIceCandidateType::Relay, "203.0.113.100", 50000);
        let local = gathered.take(&relay, Some(origin())).unwrap();
        let signalled = in_attribute(SIGNALLED).unwrap();
        gathered.take_remote(&bare(CandidateType::Prflx, signalled.address.clone()));
        gathered.take_remote(&signalled);
        let pair = checked("203.0.113.100:50000", true, "198.51.100.9:61234");
        let expected = CandidatePairReport {
            connection: 2,
            local,
            remote: signalled,
            state: CandidatePairState::Succeeded,
            nominated: true,
            requests_sent: 4,
            responses_received: 3,
            requests_received: 2,
            responses_sent: 1,
            current_round_trip_ms: Some(31.0),
        };
        assert_eq!(gathered.checked(2, &pair), expected);
    }

    #[test]
    fn a_checked_pair_of_unknown_candidates_has_their_addresses() {
        let pair = checked("10.20.0.5:40000", false, "198.51.100.9:61234");
        let report = Gathered::default().checked(1, &pair);
        let host = bare(CandidateType::Host, "10.20.0.5:40000".into());
        let found = bare(CandidateType::Prflx, "198.51.100.9:61234".into());
        assert_eq!((report.local, report.remote), (host, found));
    }

    #[test]
    fn a_candidate_without_a_type_is_none() {
        let unknown = candidate(RTCIceCandidateType::Unspecified, "203.0.113.1", 1);
        assert_eq!(Gathered::default().take(&unknown, None), None);
    }
}
