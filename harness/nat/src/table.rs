//! All mappings.

use crate::mapping::{Entry, Key, Mapping, Protocol};
use crate::packet::{Kind, Segment};
use crate::tcp::Direction;
use crate::{Reason, Remote, port};
use farcall_scenario::Nat;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// How many mappings there may be.
const MAPPINGS: usize = 16_384;

/// How often expired mappings are removed, if new ones are made.
const SWEPT_EVERY: Duration = Duration::from_secs(10);

/// How long an echo's mapping lives: the least that RFC 5508 REQ-2 allows.
const ICMP_TIMEOUT: Duration = Duration::from_secs(60);

/// The mappings, by external port and by inside endpoint. An expired one is as good as none, from the very
/// moment on; it is removed when its port or its place is wanted.
#[derive(Debug)]
pub(crate) struct Table {
    nat: Nat,
    entries: HashMap<(Protocol, u16), Entry>,
    ports: HashMap<Key, u16>,
    random: ChaCha8Rng,
    swept: Duration,
}

impl Table {
    pub(crate) fn new(nat: Nat, seed: u64) -> Self {
        Self {
            nat,
            entries: HashMap::new(),
            ports: HashMap::new(),
            random: ChaCha8Rng::seed_from_u64(seed),
            swept: Duration::ZERO,
        }
    }

    /// The external port that a segment from inside leaves by. The mapping is made if there is none, and
    /// refreshed.
    pub(crate) fn outbound(&mut self, segment: &Segment, now: Duration) -> Result<u16, Reason> {
        let remote = segment.destination;
        let protocol = segment.kind.protocol();
        let port = match self.port_of(protocol, segment.source, remote, now) {
            Some(port) => port,
            None => {
                if let Kind::Tcp(flags) = segment.kind
                    && !flags.opens()
                {
                    return Err(Reason::NoConnection);
                }
                self.assign(self.key(protocol, segment.source, remote), now)?
            }
        };
        let key = self.key(protocol, segment.source, remote);
        let entry = self.entries.entry((protocol, port));
        let entry = entry.or_insert_with(|| Entry::new(key));
        refresh(
            entry,
            Direction::Outbound,
            segment.kind,
            remote,
            now,
            &self.nat,
        )?;
        entry.contact(Remote::seen_by(self.nat.filtering, remote))?;
        Ok(port)
    }

    /// The inside endpoint that a segment from outside is for, if it passes. The mapping is refreshed.
    pub(crate) fn inbound(
        &mut self,
        segment: &Segment,
        now: Duration,
    ) -> Result<SocketAddrV4, Reason> {
        let remote = segment.source;
        let protocol = segment.kind.protocol();
        let entry = self
            .entries
            .get_mut(&(protocol, segment.destination.port()))
            .filter(|entry| entry.is_live(now))
            .ok_or(match protocol {
                Protocol::Udp => Reason::UnsolicitedUdp,
                Protocol::Tcp => Reason::UnsolicitedTcp,
                Protocol::Icmp => Reason::UnsolicitedIcmp,
            })?;
        if !entry.admits(Remote::seen_by(self.nat.filtering, remote)) {
            return Err(Reason::Filtered);
        }
        refresh(
            entry,
            Direction::Inbound,
            segment.kind,
            remote,
            now,
            &self.nat,
        )?;
        Ok(entry.key.inside)
    }

    /// The external port by which this inside endpoint sends to this remote one now.
    pub(crate) fn port_of(
        &self,
        protocol: Protocol,
        inside: SocketAddrV4,
        remote: SocketAddrV4,
        now: Duration,
    ) -> Option<u16> {
        let port = *self.ports.get(&self.key(protocol, inside, remote))?;
        let entry = self.entries.get(&(protocol, port))?;
        entry.is_live(now).then_some(port)
    }

    /// The inside endpoint that has this external port now, if this remote endpoint may answer it.
    pub(crate) fn inside_of(
        &self,
        protocol: Protocol,
        port: u16,
        remote: SocketAddrV4,
        now: Duration,
    ) -> Option<SocketAddrV4> {
        let entry = self.entries.get(&(protocol, port))?;
        let is_admitted = entry.admits(Remote::seen_by(self.nat.filtering, remote));
        (entry.is_live(now) && is_admitted).then_some(entry.key.inside)
    }

    /// The live mappings in the order of protocol, inside endpoint and remote one.
    pub(crate) fn mappings(&self, external: Ipv4Addr, now: Duration) -> Vec<Mapping> {
        let live = self.entries.iter().filter(|(_, entry)| entry.is_live(now));
        let mut mappings: Vec<Mapping> = live
            .map(|(&(protocol, port), entry)| Mapping {
                protocol,
                inside: entry.key.inside,
                external: SocketAddrV4::new(external, port),
                remote: entry.key.remote,
                expires_in: entry.expires().saturating_sub(now),
            })
            .collect();
        mappings.sort_by_key(|mapping| (mapping.protocol, mapping.inside, mapping.remote));
        mappings
    }

    pub(crate) fn forget(&mut self) {
        self.entries.clear();
        self.ports.clear();
    }

    fn key(&self, protocol: Protocol, inside: SocketAddrV4, remote: SocketAddrV4) -> Key {
        Key {
            protocol,
            inside,
            remote: Remote::seen_by(self.nat.mapping, remote),
        }
    }

    /// Makes a mapping for a key that has no live one, and says its port.
    fn assign(&mut self, key: Key, now: Duration) -> Result<u16, Reason> {
        if now >= self.swept.saturating_add(SWEPT_EVERY) || self.entries.len() >= MAPPINGS {
            self.sweep(now);
        }
        if self.entries.len() >= MAPPINGS {
            return Err(Reason::TableFull);
        }
        if let Some(expired) = self.ports.remove(&key) {
            self.entries.remove(&(key.protocol, expired));
        }
        let port = port::choose(
            &mut self.random,
            key.protocol,
            key.inside.port(),
            self.nat.port_preservation,
            |port| match self.entries.get(&(key.protocol, port)) {
                Some(entry) => !entry.is_live(now),
                None => true,
            },
        )
        .ok_or(Reason::NoPort)?;
        let entry = Entry::new(key);
        if let Some(expired) = self.entries.insert((key.protocol, port), entry) {
            self.ports.remove(&expired.key);
        }
        self.ports.insert(key, port);
        Ok(port)
    }

    fn sweep(&mut self, now: Duration) {
        self.entries.retain(|_, entry| entry.is_live(now));
        let entries = &self.entries;
        self.ports
            .retain(|key, port| entries.contains_key(&(key.protocol, *port)));
        self.swept = now;
    }
}

fn refresh(
    entry: &mut Entry,
    direction: Direction,
    kind: Kind,
    remote: SocketAddrV4,
    now: Duration,
    nat: &Nat,
) -> Result<(), Reason> {
    match kind {
        Kind::Tcp(flags) => {
            let idle = Duration::from_secs(nat.tcp_timeout_s.into());
            return entry.follow(direction, remote, flags, now, idle);
        }
        Kind::Udp => entry.refresh(now, Duration::from_secs(nat.udp_timeout_s.into())),
        Kind::EchoRequest | Kind::EchoReply => entry.refresh(now, ICMP_TIMEOUT),
    }
    Ok(())
}
