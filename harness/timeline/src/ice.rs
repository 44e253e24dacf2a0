//! What ICE and TURN did, in the words of RFC 8445, RFC 8656 and W3C webrtc-stats.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The transport between a client and an ICE server (`relayProtocol` in W3C webrtc-stats).
///
/// The relayed candidate's own protocol is always `udp`; what people call "relay tcp" is this.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum IceTransport {
    /// Plain UDP.
    Udp,
    /// Plain TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

impl std::fmt::Display for IceTransport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        })
    }
}

/// How an ICE candidate was obtained (RFC 8445 section 5.1.1).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum CandidateType {
    /// An address of the peer's own interface.
    Host,
    /// Server reflexive: the address a STUN server saw.
    Srflx,
    /// Peer reflexive: the address the other peer saw.
    Prflx,
    /// An address allocated on a TURN server.
    Relay,
}

impl std::fmt::Display for CandidateType {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Host => "host",
            Self::Srflx => "srflx",
            Self::Prflx => "prflx",
            Self::Relay => "relay",
        })
    }
}

/// What became of one URL of the ICE configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum IceServerOutcome {
    /// The TURN server allocated a relayed address (RFC 8656 section 7).
    Allocated,
    /// The STUN server answered a Binding request (RFC 8489).
    Reachable,
    /// Nothing came back before the gathering deadline.
    NoAnswer,
    /// The connection was refused: a TCP reset or an ICMP error at the first packet.
    Refused,
    /// The connection was reset or closed after it had been established.
    Reset,
    /// The host name did not resolve.
    DnsFailed,
    /// The TLS handshake failed; the reason says how.
    TlsFailed,
    /// 401 although credentials were sent.
    Unauthorized,
    /// 486 (Allocation Quota Reached).
    Quota,
    /// 403 (Forbidden).
    Forbidden,
    /// 508 (Insufficient Capacity).
    NoCapacity,
    /// Another STUN error code; the reason has its number.
    ServerError,
    /// What came back is not STUN.
    Malformed,
    /// The peer never asked the server: under `relay` STUN servers are left alone.
    NotUsed,
}

impl IceServerOutcome {
    /// Whether this URL gave the peer something to connect with.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self, Self::Allocated | Self::Reachable)
    }
}

impl std::fmt::Display for IceServerOutcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Allocated => "allocated",
            Self::Reachable => "reachable",
            Self::NoAnswer => "no answer",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::DnsFailed => "DNS failed",
            Self::TlsFailed => "TLS failed",
            Self::Unauthorized => "unauthorized",
            Self::Quota => "quota",
            Self::Forbidden => "forbidden",
            Self::NoCapacity => "no capacity",
            Self::ServerError => "server error",
            Self::Malformed => "malformed",
            Self::NotUsed => "not used",
        })
    }
}

/// The outcome of one URL of a peer's ICE configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IceServerReport {
    /// The URL as the configuration has it.
    pub url: String,
    /// The transport to the server that the URL names.
    pub transport: IceTransport,
    /// What became of it.
    pub outcome: IceServerOutcome,
    /// From the start of gathering to the outcome, in milliseconds.
    pub after_ms: f64,
    /// The relayed transport address `ip:port`, when one was allocated.
    pub relay_address: Option<String>,
    /// The reason in words; empty on success.
    pub reason: String,
    /// Payload bytes sent to the server by the peer, STUN and media.
    pub bytes_sent: u64,
    /// Payload bytes received from the server.
    pub bytes_received: u64,
}

/// An ICE candidate of a peer or of the other one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// How it was obtained.
    #[serde(rename = "type")]
    pub candidate_type: CandidateType,
    /// The candidate's own transport protocol (`udp` for all that webrtc 0.21.1 gathers).
    pub protocol: String,
    /// The transport address `ip:port`.
    pub address: String,
    /// For local relay candidates, the transport between client and TURN server.
    pub relay_protocol: Option<IceTransport>,
    /// The configured URL it was obtained from, for local `srflx` and `relay` candidates.
    pub url: Option<String>,
}

/// The candidate pair over which media flows (W3C `RTCIceTransport.getSelectedCandidatePair`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SelectedPair {
    /// The local candidate.
    pub local: Candidate,
    /// The remote candidate; its `relay_protocol` and `url` are known to the other peer only.
    pub remote: Candidate,
}

/// How far the checks of a candidate pair have come (W3C webrtc-stats `RTCStatsIceCandidatePairState`).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum CandidatePairState {
    /// Not to be checked before others.
    Frozen,
    /// No check was sent yet.
    Waiting,
    /// A check was sent and may still be answered.
    InProgress,
    /// No check was answered in time.
    Failed,
    /// A check was answered.
    Succeeded,
}

impl std::fmt::Display for CandidatePairState {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Frozen => "frozen",
            Self::Waiting => "waiting",
            Self::InProgress => "in-progress",
            Self::Failed => "failed",
            Self::Succeeded => "succeeded",
        })
    }
}

/// A candidate pair and its connectivity checks (RFC 8445 section 7), counted from its first check to the end of its
/// connection, with the later checks of consent (RFC 7675) among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CandidatePairReport {
    /// Which of the peer's connections it is of, 1 being the first.
    pub connection: u32,
    /// The local candidate, which is the base where checks go out from (RFC 8445 section 6.1.2.4): never `srflx`.
    pub local: Candidate,
    /// The remote candidate; its `relay_protocol` and `url` are known to the other peer only.
    pub remote: Candidate,
    /// How far its checks had come.
    pub state: CandidatePairState,
    /// Whether a check with USE-CANDIDATE (RFC 8445 section 7.1.2) has succeeded.
    pub nominated: bool,
    /// Binding requests sent.
    pub requests_sent: u64,
    /// Success responses to them.
    pub responses_received: u64,
    /// Binding requests received.
    pub requests_received: u64,
    /// Success responses sent.
    pub responses_sent: u64,
    /// From the last request that was answered to its response, in milliseconds; `None` where none was.
    pub current_round_trip_ms: Option<f64>,
}

impl CandidatePairReport {
    /// Whether this is the selected pair. One whose local candidate is reflexive is known by its remote candidate and a
    /// local base.
    #[must_use]
    pub fn is_selected(&self, pair: &SelectedPair) -> bool {
        let is_local = match pair.local.candidate_type {
            CandidateType::Srflx | CandidateType::Prflx => {
                self.local.candidate_type == CandidateType::Host
            }
            CandidateType::Host | CandidateType::Relay => self.local.address == pair.local.address,
        };
        is_local && self.remote.address == pair.remote.address
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn a_pair_state_is_stored_by_the_name_that_is_shown() {
        use CandidatePairState::{Failed, Frozen, InProgress, Succeeded, Waiting};
        let names = ["frozen", "waiting", "in-progress", "failed", "succeeded"];
        for (state, name) in [Frozen, Waiting, InProgress, Failed, Succeeded]
            .into_iter()
            .zip(names)
        {
            assert_eq!(state.to_string(), name);
            assert_eq!(serde_json::to_value(state).unwrap(), name);
        }
    }

    fn candidate(candidate_type: CandidateType, address: &str) -> Candidate {
        Candidate {
            candidate_type,
            protocol: "udp".into(),
            address: address.into(),
            relay_protocol: None,
            url: None,
        }
    }

    #[test]
    fn a_selected_pair_is_known_by_its_addresses_or_its_base() {
        use CandidateType::{Host, Prflx, Relay, Srflx};
        let report = CandidatePairReport {
            connection: 1,
            local: candidate(Host, "10.20.0.5:40000"),
            remote: candidate(Srflx, "198.51.100.9:61234"),
            state: CandidatePairState::Succeeded,
            nominated: true,
            requests_sent: 1,
            responses_received: 1,
            requests_received: 0,
            responses_sent: 0,
            current_round_trip_ms: None,
        };
        for (local_type, local, remote, is_selected) in [
            (Host, "10.20.0.5:40000", "198.51.100.9:61234", true),
            (Prflx, "198.51.100.2:50001", "198.51.100.9:61234", true),
            (Host, "10.20.0.5:40001", "198.51.100.9:61234", false),
            (Relay, "203.0.113.10:49152", "198.51.100.9:61234", false),
            (Host, "10.20.0.5:40000", "198.51.100.9:61235", false),
        ] {
            let pair = SelectedPair {
                local: candidate(local_type, local),
                remote: candidate(Prflx, remote),
            };
            assert_eq!(report.is_selected(&pair), is_selected, "{pair:?}");
        }
    }
}
