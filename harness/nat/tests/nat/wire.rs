//! Packets built, taken apart and verified by etherparse.

use etherparse::{
    IpFragOffset, IpNumber, Ipv4Header, Ipv4HeaderSlice, PacketBuilder, PacketBuilderStep,
    SlicedPacket, TransportSlice, checksum::Sum16BitWords,
};
use std::net::{Ipv4Addr, SocketAddrV4};

const PAYLOAD: &[u8] = b"an odd number of bytes!";

fn ip(source: Ipv4Addr, destination: Ipv4Addr) -> PacketBuilderStep<etherparse::IpHeaders> {
    let header = Ipv4Header::new(0, 64, IpNumber(0), source.octets(), destination.octets());
    let header = Ipv4Header {
        identification: 0x4787,
        ..header.unwrap()
    };
    PacketBuilder::ip(etherparse::IpHeaders::Ipv4(header, Default::default()))
}

/// A UDP packet.
pub fn udp(source: SocketAddrV4, destination: SocketAddrV4) -> Vec<u8> {
    udp_with(source, destination, PAYLOAD)
}

/// A UDP packet with this payload.
pub fn udp_with(source: SocketAddrV4, destination: SocketAddrV4, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    ip(*source.ip(), *destination.ip())
        .udp(source.port(), destination.port())
        .write(&mut bytes, payload)
        .unwrap();
    bytes
}

/// A TCP segment with these flags: `S`, `A`, `F` and `R`.
pub fn tcp(source: SocketAddrV4, destination: SocketAddrV4, flags: &str) -> Vec<u8> {
    let mut step =
        ip(*source.ip(), *destination.ip()).tcp(source.port(), destination.port(), 1, 512);
    for flag in flags.chars() {
        step = match flag {
            'S' => step.syn(),
            'A' => step.ack(1),
            'F' => step.fin(),
            'R' => step.rst(),
            _ => panic!("no flag {flag}"),
        };
    }
    let mut bytes = Vec::new();
    step.write(&mut bytes, PAYLOAD).unwrap();
    bytes
}

/// An ICMP echo request.
pub fn echo_request(source: Ipv4Addr, destination: Ipv4Addr, identifier: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    ip(source, destination)
        .icmpv4_echo_request(identifier, 1)
        .write(&mut bytes, PAYLOAD)
        .unwrap();
    bytes
}

/// An ICMP echo reply.
pub fn echo_reply(source: Ipv4Addr, destination: Ipv4Addr, identifier: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    ip(source, destination)
        .icmpv4_echo_reply(identifier, 1)
        .write(&mut bytes, PAYLOAD)
        .unwrap();
    bytes
}

/// An ICMP message of this type and code that quotes these bytes.
pub fn icmp(
    source: Ipv4Addr,
    destination: Ipv4Addr,
    (kind, code): (u8, u8),
    quoted: &[u8],
) -> Vec<u8> {
    let mut bytes = Vec::new();
    ip(source, destination)
        .icmpv4_raw(kind, code, [0, 0, 0x05, 0x14])
        .write(&mut bytes, quoted)
        .unwrap();
    bytes
}

/// Cuts a packet's payload at this offset into two fragments.
pub fn fragments(packet: &[u8], cut: usize) -> [Vec<u8>; 2] {
    let (header, payload) = Ipv4Header::from_slice(packet).unwrap();
    let part = |offset: usize, more: bool, payload: &[u8]| {
        let mut header = header.clone();
        header.fragment_offset = IpFragOffset::try_new(offset as u16 / 8).unwrap();
        header.more_fragments = more;
        header.set_payload_len(payload.len()).unwrap();
        header.header_checksum = header.calc_header_checksum();
        [header.to_bytes().as_slice(), payload].concat()
    };
    let (first, later) = payload.split_at(cut);
    [part(0, true, first), part(cut, false, later)]
}

/// Puts fragments together again.
pub fn reassembled(fragments: &[Vec<u8>]) -> Vec<u8> {
    let (mut header, _) = Ipv4Header::from_slice(&fragments[0]).unwrap();
    let mut payload = Vec::new();
    for fragment in fragments {
        let (part, bytes) = Ipv4Header::from_slice(fragment).unwrap();
        assert_eq!(part.header_checksum, part.calc_header_checksum());
        assert_eq!(
            (part.source, part.destination),
            (header.source, header.destination)
        );
        payload.extend_from_slice(bytes);
    }
    header.more_fragments = false;
    header.set_payload_len(payload.len()).unwrap();
    header.header_checksum = header.calc_header_checksum();
    [header.to_bytes().as_slice(), &payload].concat()
}

/// Source and destination of a packet whose checksums hold. An echo's identifier is the port of whoever
/// asked.
pub fn ends(packet: &[u8]) -> (SocketAddrV4, SocketAddrV4) {
    let sliced = SlicedPacket::from_ip(packet).unwrap();
    let (source, destination) = addresses(packet);
    let (from, to) = (source.octets(), destination.octets());
    let (source_port, destination_port) = match sliced.transport.unwrap() {
        TransportSlice::Udp(udp) => {
            let computed = udp
                .to_header()
                .calc_checksum_ipv4_raw(from, to, udp.payload());
            assert!(udp.checksum() == 0 || udp.checksum() == computed.unwrap());
            (udp.source_port(), udp.destination_port())
        }
        TransportSlice::Tcp(tcp) => {
            assert_eq!(tcp.checksum(), tcp.calc_checksum_ipv4(from, to).unwrap());
            (tcp.source_port(), tcp.destination_port())
        }
        TransportSlice::Icmpv4(icmp) => {
            assert!(holds(icmp.slice()));
            let [high, low, ..] = icmp.bytes5to8();
            match icmp.type_u8() {
                8 => (u16::from_be_bytes([high, low]), 0),
                0 => (0, u16::from_be_bytes([high, low])),
                other => panic!("ICMP type {other} has no ends"),
            }
        }
        other => panic!("no protocol that is translated: {other:?}"),
    };
    (
        SocketAddrV4::new(source, source_port),
        SocketAddrV4::new(destination, destination_port),
    )
}

/// Source and destination address of a packet whose header checksum holds.
pub fn addresses(packet: &[u8]) -> (Ipv4Addr, Ipv4Addr) {
    let header = Ipv4HeaderSlice::from_slice(packet).unwrap();
    assert!(holds(header.slice()));
    (header.source_addr(), header.destination_addr())
}

/// What an ICMP message quotes, if its checksum holds.
pub fn quoted(packet: &[u8]) -> Vec<u8> {
    let sliced = SlicedPacket::from_ip(packet).unwrap();
    let Some(TransportSlice::Icmpv4(icmp)) = sliced.transport else {
        panic!("no ICMP");
    };
    assert!(holds(icmp.slice()));
    icmp.payload().to_vec()
}

/// Sums an IPv4 header anew, after a test has changed it.
pub fn sum_header(packet: &mut [u8]) {
    let (header, _) = Ipv4Header::from_slice(packet).unwrap();
    packet[10..12].copy_from_slice(&header.calc_header_checksum().to_be_bytes());
}

fn holds(bytes: &[u8]) -> bool {
    Sum16BitWords::new().add_slice(bytes).ones_complement() == 0
}
