//! What a peer can know about the servers of its configuration.

use farcall_timeline::IceServerReport;
use std::net::SocketAddr;

/// What one URL came to, and what flowed. Bytes and packets are TURN messages, without the padding of
/// streams, TLS, TCP, UDP and IP around them.
///
/// coturn counts the same packets, and the same bytes but for padding that it adds to what it sends
/// over a stream, at most three bytes a packet.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerStatus {
    /// The outcome, as reports have it.
    pub report: IceServerReport,
    /// This end of the connection to the server, before any NAT.
    pub local_address: Option<SocketAddr>,
    /// The server's address that was used; the HTTP proxy's, if the way led through one.
    pub server_address: Option<SocketAddr>,
    /// This peer's address as the server sees it (XOR-MAPPED-ADDRESS).
    pub mapped_address: Option<SocketAddr>,
    /// Messages sent to the server.
    pub packets_sent: u64,
    /// Messages received from the server.
    pub packets_received: u64,
    /// Messages that were dropped because the connection could not keep up or was gone.
    pub packets_dropped: u64,
}

/// Something that was seen of a server.
#[derive(Debug, Clone, PartialEq)]
pub enum Observation {
    /// A URL came to its outcome. Each URL does so exactly once.
    Outcome(ServerStatus),
    /// The connection to a server that had allocated a relayed address ended. It is not opened again.
    Lost {
        /// The URL as configured.
        url: String,
        /// How it ended.
        reason: String,
        /// Since gathering began, in milliseconds.
        after_ms: f64,
    },
    /// A server rejected a request after its outcome, such as CreatePermission with 403 where
    /// its operator denies the other peer's address.
    Rejected {
        /// The URL as configured.
        url: String,
        /// The request's STUN method.
        method: String,
        /// The STUN error code.
        code: u16,
        /// The server's words.
        reason: String,
        /// Since gathering began, in milliseconds.
        after_ms: f64,
    },
}
