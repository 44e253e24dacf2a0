//! What the two peers of a call say to each other to set up a connection, over whatever carries it: an application's
//! signalling.

use serde::{Deserialize, Serialize};

/// Where a peer's signalling goes: a WebSocket over TLS to a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignallingAccess {
    /// The server's host name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The room in which the two peers of the call meet.
    pub room: String,
    /// The peer's name there.
    pub peer: String,
}

impl SignallingAccess {
    /// The server's URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("wss://{}:{}/", self.host, self.port)
    }
}

/// A message of one peer to the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signal {
    /// The connection that it is about: the first is 1, and each that takes the place of another has the next number.
    pub connection: u32,
    /// Which connection of its sender says it: a peer counts those that it makes, from 1, also those that gave way to
    /// the other's of the same number. So a candidate is not taken for one of a connection that is no more.
    pub incarnation: u32,
    /// What it says.
    pub body: SignalBody,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum SignalBody {
    /// An offer: the first of its connection, or one with new ICE credentials.
    Offer {
        /// The offer, as SDP.
        sdp: String,
        /// The recovery's attempt that it is of; 0: the first offer of a call.
        attempt: u32,
    },
    /// The answer to an offer of the same connection.
    Answer {
        /// The answer, as SDP.
        sdp: String,
        /// The attempt that the offer was of: one that was made meanwhile has other ICE credentials.
        attempt: u32,
    },
    /// A trickled candidate.
    Candidate(RemoteCandidate),
    /// The other peer's candidate is known: from now on its relayed checks can be told apart.
    Taken(RemoteCandidate),
    /// A request for an offer with new ICE credentials, of the peer that gives way to the other's offers.
    Restart {
        /// The recovery's attempt that it is of.
        attempt: u32,
    },
}

/// A trickled candidate (W3C `RTCIceCandidateInit`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteCandidate {
    /// The candidate attribute.
    pub candidate: String,
    /// The media stream it belongs to.
    pub sdp_mid: Option<String>,
    /// The index of its media description.
    pub sdp_mline_index: Option<u16>,
    /// The user name fragment of its ICE generation.
    pub username_fragment: Option<String>,
}
