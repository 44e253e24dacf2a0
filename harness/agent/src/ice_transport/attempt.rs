//! One use of one URL from one local socket: how far it came, and what flowed.

use super::outcome::Conclusion;
use super::transactions::{Answer, Transactions};
use farcall_timeline::IceServerOutcome;
use std::net::SocketAddr;
use std::ops::Add;
use std::time::Duration;

/// What a peer's own connection leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FarEnd {
    /// The server.
    Server(SocketAddr),
    /// The HTTP proxy through which the server is reached.
    Proxy(SocketAddr),
}

impl FarEnd {
    pub fn address(self) -> SocketAddr {
        match self {
            Self::Server(address) | Self::Proxy(address) => address,
        }
    }

    /// That there is a connection to the server.
    fn connected(self) -> String {
        match self {
            Self::Server(server) => format!("connected to {server}"),
            Self::Proxy(proxy) => format!("connected through the HTTP proxy {proxy}"),
        }
    }
}

impl std::fmt::Display for FarEnd {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Server(server) => server.fmt(formatter),
            Self::Proxy(proxy) => write!(formatter, "the HTTP proxy {proxy}"),
        }
    }
}

/// How far an attempt to reach a server has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Phase {
    /// The host name is being resolved.
    #[default]
    Resolving,
    /// The TCP connection is being opened.
    Connecting { far: FarEnd },
    /// The HTTP proxy was asked to connect to the server.
    Tunnelling { local: SocketAddr, far: FarEnd },
    /// The TLS handshake is under way.
    Handshaking { local: SocketAddr, far: FarEnd },
    /// Datagrams can be exchanged.
    Open {
        local: SocketAddr,
        far: FarEnd,
        is_stream: bool,
    },
}

/// What flowed between a peer and a server: TURN messages, without the padding, TLS, TCP, UDP and IP
/// around them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Traffic {
    pub packets_sent: u64,
    pub bytes_sent: u64,
    pub packets_received: u64,
    pub bytes_received: u64,
    pub packets_dropped: u64,
}

impl Add for Traffic {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            packets_sent: self.packets_sent + other.packets_sent,
            bytes_sent: self.bytes_sent + other.bytes_sent,
            packets_received: self.packets_received + other.packets_received,
            bytes_received: self.bytes_received + other.bytes_received,
            packets_dropped: self.packets_dropped + other.packets_dropped,
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Attempt {
    phase: Phase,
    pub transactions: Transactions,
    pub conclusion: Option<Conclusion>,
    pub traffic: Traffic,
}

impl Attempt {
    pub fn reached(&mut self, phase: Phase) {
        self.phase = phase;
    }

    /// Whether there is no conclusion yet.
    pub fn is_open(&self) -> bool {
        self.conclusion.is_none()
    }

    pub fn sent(&mut self, datagram: &[u8]) {
        self.traffic.packets_sent += 1;
        self.traffic.bytes_sent += datagram.len() as u64;
        self.transactions.sent(datagram);
    }

    pub fn received(&mut self, datagram: &[u8]) -> Answer {
        self.traffic.packets_received += 1;
        self.traffic.bytes_received += datagram.len() as u64;
        self.transactions.received(datagram)
    }

    /// The deadline: what has not been concluded is concluded from how far it came.
    pub fn finish(&mut self, after: Duration) {
        if self.is_open() {
            let conclusion = self.transactions.at_deadline();
            self.conclusion = Some(conclusion.unwrap_or_else(|| self.no_answer(after)));
        }
    }

    fn no_answer(&self, after: Duration) -> Conclusion {
        let ms = after.as_millis();
        let (outcome, reason) = match self.phase {
            Phase::Resolving => (
                IceServerOutcome::DnsFailed,
                format!("no answer from the name server in {ms} ms"),
            ),
            Phase::Connecting { far } => (
                IceServerOutcome::NoAnswer,
                format!("the TCP connection to {far} timed out after {ms} ms"),
            ),
            Phase::Tunnelling { far, .. } => (
                IceServerOutcome::NoAnswer,
                format!("connected to {far}, but no answer to CONNECT in {ms} ms"),
            ),
            Phase::Handshaking { far, .. } => (
                IceServerOutcome::NoAnswer,
                format!("{}, but no TLS handshake in {ms} ms", far.connected()),
            ),
            Phase::Open {
                far,
                is_stream: true,
                ..
            } => (
                IceServerOutcome::NoAnswer,
                format!("{}, but no answer in {ms} ms", far.connected()),
            ),
            Phase::Open { far, .. } => {
                let count = self.traffic.packets_sent;
                let requests = self.transactions.count();
                let again = if requests == 1 {
                    ""
                } else {
                    " to the last request"
                };
                (
                    IceServerOutcome::NoAnswer,
                    format!("no answer{again} from {far} in {ms} ms ({count} packets sent)"),
                )
            }
        };
        Conclusion::failure(outcome, reason)
    }

    pub fn local_address(&self) -> Option<SocketAddr> {
        match self.phase {
            Phase::Tunnelling { local, .. }
            | Phase::Handshaking { local, .. }
            | Phase::Open { local, .. } => Some(local),
            Phase::Resolving | Phase::Connecting { .. } => None,
        }
    }

    pub fn far_address(&self) -> Option<SocketAddr> {
        match self.phase {
            Phase::Connecting { far }
            | Phase::Tunnelling { far, .. }
            | Phase::Handshaking { far, .. }
            | Phase::Open { far, .. } => Some(far.address()),
            Phase::Resolving => None,
        }
    }
}
