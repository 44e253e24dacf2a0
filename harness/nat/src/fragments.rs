//! What became of the first fragments, for those that follow and have no ports.

use crate::packet::Packet;
use crate::tcp::Direction;
use etherparse::IpNumber;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

/// How long fragments are awaited, as by Linux (`ipfrag_time`).
const AWAITED: Duration = Duration::from_secs(30);

/// How many fragmented datagrams are known at once.
const DATAGRAMS: usize = 1024;

/// The fragments of one datagram (RFC 791 section 3.2), by the addresses that it came with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Datagram {
    direction: Direction,
    source: Ipv4Addr,
    destination: Ipv4Addr,
    identification: u16,
    protocol: IpNumber,
}

#[derive(Debug)]
struct Translation {
    address: Ipv4Addr,
    expires: Duration,
}

/// The datagrams whose first fragment was forwarded.
#[derive(Debug, Default)]
pub(crate) struct Fragments {
    known: HashMap<Datagram, Translation>,
}

impl Fragments {
    /// Remembers with which address a first fragment went on. Where there is no room, the fragments that
    /// follow it will be dropped.
    pub(crate) fn learn(
        &mut self,
        direction: Direction,
        packet: &Packet,
        address: Ipv4Addr,
        now: Duration,
    ) {
        if self.known.len() >= DATAGRAMS {
            self.known
                .retain(|_, translation| now < translation.expires);
        }
        if self.known.len() < DATAGRAMS {
            let expires = now.saturating_add(AWAITED);
            let translation = Translation { address, expires };
            self.known.insert(datagram(direction, packet), translation);
        }
    }

    /// The address with which the first fragment went on.
    pub(crate) fn find(
        &self,
        direction: Direction,
        packet: &Packet,
        now: Duration,
    ) -> Option<Ipv4Addr> {
        let translation = self.known.get(&datagram(direction, packet))?;
        (now < translation.expires).then_some(translation.address)
    }

    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }
}

fn datagram(direction: Direction, packet: &Packet) -> Datagram {
    Datagram {
        direction,
        source: packet.source,
        destination: packet.destination,
        identification: packet.identification,
        protocol: packet.protocol,
    }
}
