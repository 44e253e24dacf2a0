//! The translator: packets in, verdicts out.

use crate::fragments::Fragments;
use crate::packet::{Kind, Message, Packet, Part};
use crate::rewrite::{self, Side};
use crate::table::Table;
use crate::tcp::Direction;
use crate::{Counters, Mapping, Reason, icmp};
use farcall_scenario::Nat;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// What to do with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It has been rewritten: send it on, in the direction in which it went.
    Forward,
    /// It has been rewritten: send it back inside.
    Hairpin,
    /// Send it nowhere. Its bytes may have been rewritten in part.
    Drop(Reason),
}

/// A NAT with one external address.
///
/// Time is monotonic and the caller's: how long it has been since some moment, the same in all calls.
#[derive(Debug)]
pub struct Translator {
    nat: Nat,
    external: Ipv4Addr,
    table: Table,
    fragments: Fragments,
    counters: Counters,
}

impl Translator {
    /// A NAT that has no mappings. The seed decides which ports are drawn.
    pub fn new(nat: Nat, external: Ipv4Addr, seed: u64) -> Self {
        Self {
            nat,
            external,
            table: Table::new(nat, seed),
            fragments: Fragments::default(),
            counters: Counters::default(),
        }
    }

    /// Translates a packet from inside, in place. Its length stays the same, and bytes behind it are left
    /// alone.
    pub fn outbound(&mut self, packet: &mut [u8], now: Duration) -> Verdict {
        let verdict = match self.send(packet, now) {
            Ok(verdict) => verdict,
            Err(reason) => Verdict::Drop(reason),
        };
        match verdict {
            Verdict::Forward => self.counters.outbound.count(packet.len()),
            Verdict::Hairpin => self.counters.hairpin.count(packet.len()),
            Verdict::Drop(reason) => self.counters.count_drop(reason, packet.len()),
        }
        verdict
    }

    /// Translates a packet from outside to the external address, in place; as
    /// [`outbound`](Self::outbound), but never with [`Verdict::Hairpin`].
    pub fn inbound(&mut self, packet: &mut [u8], now: Duration) -> Verdict {
        match self.translate_inbound(packet, now) {
            Ok(()) => {
                self.counters.inbound.count(packet.len());
                Verdict::Forward
            }
            Err(reason) => {
                self.counters.count_drop(reason, packet.len());
                Verdict::Drop(reason)
            }
        }
    }

    /// What has been forwarded and dropped so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The mappings that live now, in the order of protocol, inside endpoint and remote one.
    pub fn mappings(&self, now: Duration) -> impl Iterator<Item = Mapping> + use<> {
        self.table.mappings(self.external, now).into_iter()
    }

    /// From now on this is the external address, as when a provider gives another one. All mappings are forgotten with
    /// the old one; the counters stay.
    pub fn readdress(&mut self, external: Ipv4Addr) {
        self.external = external;
        self.forget();
    }

    /// Forgets all mappings, connections and fragments, as a NAT does that restarts. The counters stay.
    pub fn forget(&mut self) {
        self.table.forget();
        self.fragments.forget();
    }

    /// A packet to the external address goes out and comes in again: so its source is the sender's
    /// external endpoint (RFC 4787 REQ-9 a), and the receiver's filtering applies.
    fn send(&mut self, bytes: &mut [u8], now: Duration) -> Result<Verdict, Reason> {
        let packet = Packet::read(bytes)?;
        if packet.destination != self.external {
            self.translate_outbound(bytes, &packet, now)?;
            return Ok(Verdict::Forward);
        }
        if !self.nat.hairpinning {
            return Err(Reason::NoHairpin);
        }
        self.translate_outbound(bytes, &packet, now)?;
        self.translate_inbound(bytes, now)?;
        Ok(Verdict::Hairpin)
    }

    fn translate_outbound(
        &mut self,
        bytes: &mut [u8],
        packet: &Packet,
        now: Duration,
    ) -> Result<(), Reason> {
        let direction = Direction::Outbound;
        if packet.part == Part::LaterFragment {
            let source = self.fragments.find(direction, packet, now);
            let source = source.ok_or(Reason::Fragment)?;
            rewrite::address(bytes, packet, Side::Source, source);
            return Ok(());
        }
        let segment = match Message::read(bytes, packet)? {
            Message::Error => {
                return icmp::outbound(bytes, packet, &self.table, self.external, now);
            }
            Message::Segment(segment) if segment.kind == Kind::EchoReply => {
                return Err(Reason::IcmpType);
            }
            Message::Segment(segment) => segment,
        };
        let port = self.table.outbound(&segment, now)?;
        let source = SocketAddrV4::new(self.external, port);
        rewrite::endpoint(bytes, packet, segment.kind, Side::Source, source);
        if packet.part == Part::FirstFragment {
            self.fragments.learn(direction, packet, self.external, now);
        }
        Ok(())
    }

    fn translate_inbound(&mut self, bytes: &mut [u8], now: Duration) -> Result<(), Reason> {
        let direction = Direction::Inbound;
        let packet = &Packet::read(bytes)?;
        if packet.destination != self.external {
            return Err(Reason::WrongAddress);
        }
        if packet.part == Part::LaterFragment {
            let inside = self.fragments.find(direction, packet, now);
            let inside = inside.ok_or(Reason::Fragment)?;
            rewrite::address(bytes, packet, Side::Destination, inside);
            return Ok(());
        }
        let segment = match Message::read(bytes, packet)? {
            Message::Error => {
                return icmp::inbound(bytes, packet, &self.table, self.external, now);
            }
            Message::Segment(segment) if segment.kind == Kind::EchoRequest => {
                return Err(Reason::IcmpType);
            }
            Message::Segment(segment) => segment,
        };
        let inside = self.table.inbound(&segment, now)?;
        rewrite::endpoint(bytes, packet, segment.kind, Side::Destination, inside);
        if packet.part == Part::FirstFragment {
            self.fragments.learn(direction, packet, *inside.ip(), now);
        }
        Ok(())
    }
}
