//! IPv4 packets, as far as translation reads them.

use crate::mapping::Protocol;
use crate::tcp::Flags;
use crate::{Reason, checksum};
use etherparse::{IpNumber, Ipv4HeaderSlice, icmpv4};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::ops::Range;

/// Of a TCP header without options.
const TCP_HEADER: usize = 20;

/// Of a UDP header, of an ICMP header, and what an ICMP error quotes at least of what it is about (RFC 792).
pub(crate) const SHORT_HEADER: usize = 8;

/// Where a packet's parts are in the bytes that it was read from.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    pub(crate) source: Ipv4Addr,
    pub(crate) destination: Ipv4Addr,
    pub(crate) protocol: IpNumber,
    pub(crate) identification: u16,
    pub(crate) part: Part,
    /// The IPv4 header with its options.
    pub(crate) header: Range<usize>,
    /// What follows it, as far as it is there.
    pub(crate) payload: Range<usize>,
}

/// How much of a datagram a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    FirstFragment,
    LaterFragment,
}

impl Packet {
    /// Reads the packet that these bytes begin with; it must be complete.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Reason> {
        let (packet, end) = Self::read_at(bytes, 0)?;
        if end > bytes.len() {
            return Err(Reason::Malformed);
        }
        Ok(packet)
    }

    /// Reads the packet that this ICMP error is about, which may be cut off behind its first eight bytes.
    /// Its header must be sound (RFC 5508 REQ-3 a).
    pub(crate) fn read_embedded(bytes: &[u8], error: &Self) -> Result<Self, Reason> {
        let start = error.payload.start + SHORT_HEADER;
        let bytes = bytes.get(..error.payload.end).ok_or(Reason::Malformed)?;
        let (packet, _) = Self::read_at(bytes, start)?;
        match checksum::of(&bytes[packet.header.clone()]) {
            0 => Ok(packet),
            _ => Err(Reason::Malformed),
        }
    }

    /// The packet, and where it says that it ends.
    fn read_at(bytes: &[u8], start: usize) -> Result<(Self, usize), Reason> {
        let from_start = bytes.get(start..).ok_or(Reason::Malformed)?;
        let header = Ipv4HeaderSlice::from_slice(from_start).map_err(|_| Reason::Malformed)?;
        let header_end = start + header.slice().len();
        let end = start + usize::from(header.total_len());
        if end < header_end {
            return Err(Reason::Malformed);
        }
        let part = match (header.fragments_offset().value(), header.more_fragments()) {
            (0, false) => Part::Whole,
            (0, true) => Part::FirstFragment,
            _ => Part::LaterFragment,
        };
        let packet = Self {
            source: header.source_addr(),
            destination: header.destination_addr(),
            protocol: header.protocol(),
            identification: header.identification(),
            part,
            header: start..header_end,
            payload: header_end..end.min(bytes.len()),
        };
        Ok((packet, end))
    }
}

/// What a packet is for a translator.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Message {
    /// Something with ports, or with an identifier that is treated as one.
    Segment(Segment),
    /// An ICMP error, with the packet that it is about.
    Error,
}

/// From where to where a packet goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    pub(crate) kind: Kind,
    pub(crate) source: SocketAddrV4,
    pub(crate) destination: SocketAddrV4,
}

/// What a segment is. An echo's identifier stands as the port of whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Udp,
    Tcp(Flags),
    EchoRequest,
    EchoReply,
}

impl Kind {
    pub(crate) fn protocol(self) -> Protocol {
        match self {
            Self::Udp => Protocol::Udp,
            Self::Tcp(_) => Protocol::Tcp,
            Self::EchoRequest | Self::EchoReply => Protocol::Icmp,
        }
    }
}

impl Message {
    /// What a packet carries that is whole or a first fragment.
    pub(crate) fn read(bytes: &[u8], packet: &Packet) -> Result<Self, Reason> {
        let payload = bytes.get(packet.payload.clone()).unwrap_or_default();
        let is_icmp = packet.protocol == IpNumber::ICMP;
        match payload.first() {
            Some(
                &(icmpv4::TYPE_DEST_UNREACH
                | icmpv4::TYPE_TIME_EXCEEDED
                | icmpv4::TYPE_PARAMETER_PROBLEM),
            ) if is_icmp => Ok(Self::Error),
            _ if packet.protocol == IpNumber::TCP && payload.len() < TCP_HEADER => {
                Err(Reason::Malformed)
            }
            _ => Segment::read(bytes, packet).map(Self::Segment),
        }
    }
}

impl Segment {
    /// The ends of what a packet carries, of which eight bytes are enough.
    pub(crate) fn read(bytes: &[u8], packet: &Packet) -> Result<Self, Reason> {
        let payload = bytes.get(packet.payload.clone()).unwrap_or_default();
        let word = |at: usize| match payload.get(at..at + 2) {
            Some(&[high, low]) => Ok(u16::from_be_bytes([high, low])),
            _ => Err(Reason::Malformed),
        };
        if payload.len() < SHORT_HEADER {
            return Err(match packet.protocol {
                IpNumber::UDP | IpNumber::TCP | IpNumber::ICMP => Reason::Malformed,
                _ => Reason::Protocol,
            });
        }
        let (kind, source, destination) = match (packet.protocol, payload[0]) {
            (IpNumber::UDP, _) => (Kind::Udp, word(0)?, word(2)?),
            (IpNumber::TCP, _) => {
                let flags = payload.get(13).copied().unwrap_or_default();
                (Kind::Tcp(Flags::read(flags)), word(0)?, word(2)?)
            }
            (IpNumber::ICMP, icmpv4::TYPE_ECHO_REQUEST) => (Kind::EchoRequest, word(4)?, 0),
            (IpNumber::ICMP, icmpv4::TYPE_ECHO_REPLY) => (Kind::EchoReply, 0, word(4)?),
            (IpNumber::ICMP, _) => return Err(Reason::IcmpType),
            _ => return Err(Reason::Protocol),
        };
        Ok(Self {
            kind,
            source: SocketAddrV4::new(packet.source, source),
            destination: SocketAddrV4::new(packet.destination, destination),
        })
    }
}
