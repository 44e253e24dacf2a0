//! Writes translated endpoints into a packet and keeps its checksums.

use crate::checksum;
use crate::packet::{Kind, Packet};
use std::net::{Ipv4Addr, SocketAddrV4};

/// Which end of a packet is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Source,
    Destination,
}

impl Side {
    fn address_at(self, packet: &Packet) -> usize {
        packet.header.start
            + match self {
                Self::Source => 12,
                Self::Destination => 16,
            }
    }

    fn port_at(self, packet: &Packet, kind: Kind) -> usize {
        packet.payload.start
            + match (kind, self) {
                (Kind::EchoRequest | Kind::EchoReply, _) => 4,
                (_, Self::Source) => 0,
                (_, Self::Destination) => 2,
            }
    }
}

/// Writes the address alone: of a later fragment, or of an ICMP error.
pub(crate) fn address(bytes: &mut [u8], packet: &Packet, side: Side, new: Ipv4Addr) {
    let header_checksum = packet.header.start + 10;
    for (at, word) in words(side.address_at(packet), new) {
        if let Some(old) = replace(bytes, at, word) {
            adjust(bytes, header_checksum, old, word);
        }
    }
}

/// Writes address and port.
pub(crate) fn endpoint(
    bytes: &mut [u8],
    packet: &Packet,
    kind: Kind,
    side: Side,
    new: SocketAddrV4,
) {
    // An embedded packet may end before its checksum, and what follows it is not its own.
    let Some(bytes) = bytes.get_mut(..packet.payload.end) else {
        return;
    };
    let payload = packet.payload.start;
    let (checksum_at, covers_addresses) = match kind {
        Kind::Udp => (payload + 6, true),
        Kind::Tcp(_) => (payload + 16, true),
        Kind::EchoRequest | Kind::EchoReply => (payload + 2, false),
    };
    // In UDP 0 is no checksum at all (RFC 768), so it stays, and a sum of 0 is written as 0xffff.
    let has_checksum = kind != Kind::Udp || read(bytes, checksum_at) != Some(0);
    if covers_addresses && has_checksum {
        for (at, word) in words(side.address_at(packet), *new.ip()) {
            if let Some(old) = read(bytes, at) {
                adjust(bytes, checksum_at, old, word);
            }
        }
    }
    let old = replace(bytes, side.port_at(packet, kind), new.port());
    if let (Some(old), true) = (old, has_checksum) {
        adjust(bytes, checksum_at, old, new.port());
    }
    if kind == Kind::Udp && has_checksum && read(bytes, checksum_at) == Some(0) {
        replace(bytes, checksum_at, 0xffff);
    }
    address(bytes, packet, side, *new.ip());
}

/// Sums an ICMP message anew.
pub(crate) fn icmp_checksum(bytes: &mut [u8], packet: &Packet) {
    let at = packet.payload.start + 2;
    replace(bytes, at, 0);
    let sum = bytes.get(packet.payload.clone()).map(checksum::of);
    replace(bytes, at, sum.unwrap_or_default());
}

fn words(at: usize, address: Ipv4Addr) -> [(usize, u16); 2] {
    let [a, b, c, d] = address.octets();
    [
        (at, u16::from_be_bytes([a, b])),
        (at + 2, u16::from_be_bytes([c, d])),
    ]
}

fn read(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..at + 2)
        .map(|word| u16::from_be_bytes([word[0], word[1]]))
}

/// The word that was there; `None` where there is none.
fn replace(bytes: &mut [u8], at: usize, new: u16) -> Option<u16> {
    let old = read(bytes, at)?;
    bytes
        .get_mut(at..at + 2)?
        .copy_from_slice(&new.to_be_bytes());
    Some(old)
}

fn adjust(bytes: &mut [u8], checksum_at: usize, old: u16, new: u16) {
    if let Some(sum) = read(bytes, checksum_at) {
        replace(bytes, checksum_at, checksum::adjusted(sum, old, new));
    }
}
