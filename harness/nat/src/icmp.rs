//! ICMP errors, which are about a packet that they quote (RFC 5508 section 4).

use crate::packet::{Kind, Packet, Part, Segment};
use crate::rewrite::{self, Side};
use crate::table::Table;
use crate::{Reason, checksum};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

/// Translates an error from inside about a packet that came from outside: the quoted packet becomes as it was
/// when it came, and the external address takes the place of whoever found the error (REQ-5).
pub(crate) fn outbound(
    bytes: &mut [u8],
    error: &Packet,
    table: &Table,
    external: Ipv4Addr,
    now: Duration,
) -> Result<(), Reason> {
    let (embedded, segment) = quoted(bytes, error)?;
    if segment.kind == Kind::EchoRequest {
        return Err(Reason::IcmpError);
    }
    let protocol = segment.kind.protocol();
    let port = table
        .port_of(protocol, segment.destination, segment.source, now)
        .ok_or(Reason::IcmpError)?;
    let end = SocketAddrV4::new(external, port);
    rewrite::endpoint(bytes, &embedded, segment.kind, Side::Destination, end);
    rewrite::address(bytes, error, Side::Source, external);
    rewrite::icmp_checksum(bytes, error);
    Ok(())
}

/// Translates an error from outside about a packet that came from inside: the quoted packet becomes as it
/// was when it came, and its sender gets the error (REQ-4). Whoever on the way found the error may report it.
pub(crate) fn inbound(
    bytes: &mut [u8],
    error: &Packet,
    table: &Table,
    external: Ipv4Addr,
    now: Duration,
) -> Result<(), Reason> {
    let (embedded, segment) = quoted(bytes, error)?;
    if segment.kind == Kind::EchoReply || embedded.source != external {
        return Err(Reason::IcmpError);
    }
    let protocol = segment.kind.protocol();
    let inside = table
        .inside_of(protocol, segment.source.port(), segment.destination, now)
        .ok_or(Reason::IcmpError)?;
    rewrite::endpoint(bytes, &embedded, segment.kind, Side::Source, inside);
    rewrite::address(bytes, error, Side::Destination, *inside.ip());
    rewrite::icmp_checksum(bytes, error);
    Ok(())
}

/// The packet that the error is about. The error's checksum must hold (REQ-3), because it is summed anew.
fn quoted(bytes: &[u8], error: &Packet) -> Result<(Packet, Segment), Reason> {
    if error.part != Part::Whole {
        return Err(Reason::Fragment);
    }
    let message = bytes.get(error.payload.clone()).unwrap_or_default();
    if checksum::of(message) != 0 {
        return Err(Reason::Malformed);
    }
    let embedded = Packet::read_embedded(bytes, error)?;
    if embedded.part == Part::LaterFragment {
        return Err(Reason::IcmpError);
    }
    match Segment::read(bytes, &embedded) {
        Ok(segment) => Ok((embedded, segment)),
        Err(Reason::Malformed) => Err(Reason::Malformed),
        Err(_) => Err(Reason::IcmpError),
    }
}
