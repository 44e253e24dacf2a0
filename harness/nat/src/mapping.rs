//! One mapping: an inside endpoint, its external port, and who may answer.

use crate::tcp::{Connection, Direction, Flags};
use crate::{Reason, Remote};
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Display};
use std::net::SocketAddrV4;
use std::time::Duration;

/// How many remote endpoints one mapping may have contacted, and how many connections it may have.
pub(crate) const REMOTES: usize = 256;

/// A protocol that is translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// RFC 4787.
    Udp,
    /// RFC 5382.
    Tcp,
    /// Echo, with the identifier for a port (RFC 5508 section 3).
    Icmp,
}

impl Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Icmp => "icmp",
        })
    }
}

/// A live mapping, to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Of what.
    pub protocol: Protocol,
    /// Who sends. With ICMP the port is the identifier.
    pub inside: SocketAddrV4,
    /// From where it seems to be sent.
    pub external: SocketAddrV4,
    /// To whom, as far as the mapping depends on it.
    pub remote: Remote,
    /// How long the mapping lives on if no packet refreshes it.
    pub expires_in: Duration,
}

impl Display for Mapping {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            protocol,
            inside,
            external,
            remote,
            expires_in,
        } = self;
        write!(formatter, "{protocol} {inside} -> {external}")?;
        if *remote != Remote::Any {
            write!(formatter, " towards {remote}")?;
        }
        // Rounded up, so that nothing that lives is shown with 0 s.
        let seconds = expires_in.as_millis().div_ceil(1000);
        write!(formatter, " expires in {seconds} s")
    }
}

/// What a mapping is found by from inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) protocol: Protocol,
    pub(crate) inside: SocketAddrV4,
    pub(crate) remote: Remote,
}

/// A mapping's state.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    expires: Duration,
    contacted: HashSet<Remote>,
    connections: HashMap<SocketAddrV4, Connection>,
}

impl Entry {
    /// A mapping that lives once it has been refreshed.
    pub(crate) fn new(key: Key) -> Self {
        Self {
            key,
            expires: Duration::ZERO,
            contacted: HashSet::new(),
            connections: HashMap::new(),
        }
    }

    pub(crate) fn is_live(&self, now: Duration) -> bool {
        now < self.expires
    }

    pub(crate) fn expires(&self) -> Duration {
        self.expires
    }

    /// Whether the filter admits this remote endpoint.
    pub(crate) fn admits(&self, remote: Remote) -> bool {
        self.contacted.contains(&remote)
    }

    /// Lets this remote endpoint answer from now on.
    pub(crate) fn contact(&mut self, remote: Remote) -> Result<(), Reason> {
        if self.contacted.len() >= REMOTES && !self.contacted.contains(&remote) {
            return Err(Reason::TableFull);
        }
        self.contacted.insert(remote);
        Ok(())
    }

    pub(crate) fn refresh(&mut self, now: Duration, idle: Duration) {
        self.expires = now.saturating_add(idle);
    }

    /// Takes a TCP segment to or from this remote endpoint. The mapping lives as long as any of its
    /// connections.
    pub(crate) fn follow(
        &mut self,
        direction: Direction,
        remote: SocketAddrV4,
        flags: Flags,
        now: Duration,
        idle: Duration,
    ) -> Result<(), Reason> {
        let is_known = self
            .connections
            .get(&remote)
            .is_some_and(|connection| connection.is_live(now));
        if !is_known {
            if !flags.opens() {
                return Err(Reason::NoConnection);
            }
            self.connections
                .retain(|_, connection| connection.is_live(now));
            if self.connections.len() >= REMOTES {
                return Err(Reason::TableFull);
            }
        }
        let connection = self.connections.entry(remote).or_default();
        connection.follow(direction, flags, now, idle);
        let last = self.connections.values().map(Connection::expires).max();
        self.expires = last.unwrap_or(now);
        Ok(())
    }
}
