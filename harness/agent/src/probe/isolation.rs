//! Nothing leads out of the lab.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::time::Duration;

use hickory_resolver::proto::rr::{Name, RecordType};
use nix::net::if_::if_nameindex;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::dns;

/// The port of the discard service (RFC 863). Nothing is sent to it.
const DISCARD: u16 = 9;

/// Some host's link-local address, and the group of all nodes (RFC 4291 section 2.7.1).
const NEIGHBOURS: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x42),
    Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1),
];

/// Where Docker puts its resolver in a container.
const EMBEDDED_RESOLVER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 11);

/// How long Docker's resolver has to answer, which is in the same namespace.
const RESOLVER_WITHIN: Duration = Duration::from_millis(200);

/// Asks the kernel for routes. Connecting a UDP socket sends nothing.
pub(super) fn no_route(to: &[IpAddr]) -> String {
    let routed = to
        .iter()
        .filter_map(|address| route(*address).map(|what| format!("{address}: {what}")))
        .collect::<Vec<_>>();
    match routed.is_empty() {
        true => "none".to_owned(),
        false => routed.join(", "),
    }
}

/// How an address would be reached, `None` if the kernel knows no way.
fn route(to: IpAddr) -> Option<String> {
    let any: IpAddr = match to {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let connected = UdpSocket::bind((any, 0)).and_then(|socket| {
        socket.connect(SocketAddr::from((to, DISCARD)))?;
        socket.local_addr()
    });
    match connected {
        Ok(local) => Some(format!("from {}", local.ip())),
        Err(error) if error.kind() == ErrorKind::NetworkUnreachable => None,
        Err(error) => Some(error.to_string()),
    }
}

/// Sends nothing to any neighbour, as the node's own rules must see to: they refuse it to the sender.
pub(super) fn link_local() -> String {
    let interfaces = match if_nameindex() {
        Ok(interfaces) => interfaces,
        Err(error) => return format!("could not be measured: {error}"),
    };
    let mut found = Vec::new();
    for interface in &interfaces {
        let name = interface.name().to_string_lossy();
        for address in NEIGHBOURS {
            let sent = send(SocketAddrV6::new(address, DISCARD, 0, interface.index()));
            match sent {
                Ok(()) => found.push(format!("{address}%{name}: sent")),
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
                // Without a link-local address, or on a device without neighbours, there is no way at all.
                Err(error) if is_no_way(error.kind()) => {}
                Err(error) => found.push(format!("{address}%{name}: {error}")),
            }
        }
    }
    match found.is_empty() {
        true => "nothing is sent".to_owned(),
        false => found.join(", "),
    }
}

fn send(to: SocketAddrV6) -> std::io::Result<()> {
    let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?;
    socket.send_to(&[], to).map(drop)
}

fn is_no_way(error: ErrorKind) -> bool {
    matches!(
        error,
        ErrorKind::NetworkUnreachable
            | ErrorKind::HostUnreachable
            | ErrorKind::AddrNotAvailable
            | ErrorKind::NetworkDown
    )
}

/// Asks Docker's resolver over UDP and TCP.
pub(super) async fn no_embedded_resolver() -> String {
    let question = dns::question(Name::root(), RecordType::A);
    let tcp = TcpStream::connect((EMBEDDED_RESOLVER, dns::PORT));
    let (udp, tcp) = tokio::join!(
        timeout(
            RESOLVER_WITHIN,
            dns::ask(EMBEDDED_RESOLVER.into(), &question)
        ),
        timeout(RESOLVER_WITHIN, tcp),
    );
    let answers = [
        matches!(udp, Ok(Ok(_))).then_some("answers over udp"),
        matches!(tcp, Ok(Ok(_))).then_some("accepts over tcp"),
    ];
    let answers = answers.into_iter().flatten().collect::<Vec<_>>();
    match answers.is_empty() {
        true => "no answer".to_owned(),
        false => answers.join(" and "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_is_found_where_there_is_one() {
        let local = no_route(&[Ipv4Addr::LOCALHOST.into()]);
        assert_eq!(local, "127.0.0.1: from 127.0.0.1");
        assert_eq!(no_route(&[]), "none");
    }
}
