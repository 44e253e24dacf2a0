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

/// A local candidate, as trickled to the other peer.
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
    /// For relay candidates, the transport between client and TURN server.
    pub relay_protocol: Option<IceTransport>,
    /// The configured URL it was obtained from, for `srflx` and `relay`.
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
