//! As much of a TCP connection's state as decides how long it is kept (RFC 5382 section 5).

use std::time::Duration;

/// How long a connection that is not open yet or not open any more may be idle: four minutes, the least
/// that RFC 5382 REQ-5 allows.
const TRANSITORY: Duration = Duration::from_secs(240);

/// The flags of a segment that matter here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    pub(crate) syn: bool,
    pub(crate) ack: bool,
    pub(crate) fin: bool,
    pub(crate) rst: bool,
}

impl Flags {
    /// From the header's fourteenth byte (RFC 9293 section 3.1).
    pub(crate) fn read(byte: u8) -> Self {
        Self {
            fin: byte & 0x01 != 0,
            syn: byte & 0x02 != 0,
            rst: byte & 0x04 != 0,
            ack: byte & 0x10 != 0,
        }
    }

    /// Whether the segment opens a connection.
    pub(crate) fn opens(self) -> bool {
        self.syn && !self.ack && !self.fin && !self.rst
    }
}

/// Which way a packet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    Outbound,
    Inbound,
}

/// What one side has sent.
#[derive(Debug, Clone, Copy, Default)]
struct Half {
    syn: bool,
    fin: bool,
}

/// A connection, as the segments that passed tell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connection {
    outbound: Half,
    inbound: Half,
    established: bool,
    reset: bool,
    expires: Duration,
}

impl Connection {
    pub(crate) fn is_live(&self, now: Duration) -> bool {
        now < self.expires
    }

    pub(crate) fn expires(&self) -> Duration {
        self.expires
    }

    /// Takes a segment that passed. `idle` is how long an established connection may be idle.
    pub(crate) fn follow(
        &mut self,
        direction: Direction,
        flags: Flags,
        now: Duration,
        idle: Duration,
    ) {
        if flags.opens() && self.is_over() {
            *self = Self::default();
        }
        let half = match direction {
            Direction::Outbound => &mut self.outbound,
            Direction::Inbound => &mut self.inbound,
        };
        half.syn |= flags.syn;
        half.fin |= flags.fin;
        self.reset |= flags.rst;
        self.established |= self.outbound.syn && self.inbound.syn && !flags.syn && flags.ack;
        let open = self.established && !self.is_over();
        self.expires = now.saturating_add(if open { idle } else { TRANSITORY });
    }

    fn is_over(&self) -> bool {
        self.reset || (self.outbound.fin && self.inbound.fin)
    }
}
