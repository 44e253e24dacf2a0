//! How the NAT between the node and the internet maps (RFC 4787 section 4.1).

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use farcall_plan::{PROBE_ADDRESSES, ProbeProtocol};
use farcall_scenario::Behaviour;
use tokio::net::{TcpSocket, TcpStream, UdpSocket};

use super::ask::{FirstBytes, ask, send_first, udp_socket};
use super::patience::{Reading, settle};
use super::tls::client_hello;
use super::wire::{Answer, AnswerFrom, Question};

/// What the internet saw of one local transport address, in the order of RFC 5780 section 4.3.
#[derive(Debug, Clone, Copy)]
struct Observed {
    /// By the first address at the first port.
    first: SocketAddr,
    /// By the second address at the same port.
    other_address: SocketAddr,
    /// By the second address at the second port.
    other_port: SocketAddr,
}

/// Measures the mapping.
pub(super) async fn measure(protocol: ProbeProtocol, ports: [u16; 2], declared: &str) -> String {
    let destinations = [
        SocketAddr::from((PROBE_ADDRESSES[0], ports[0])),
        SocketAddr::from((PROBE_ADDRESSES[1], ports[0])),
        SocketAddr::from((PROBE_ADDRESSES[1], ports[1])),
    ];
    settle(declared, async || {
        let measured = match protocol {
            ProbeProtocol::Udp => over_udp(destinations).await,
            ProbeProtocol::Tcp => over_tcp(destinations).await,
        };
        match measured {
            Ok(Some((local, observed))) => {
                let mapping = classify(local, observed, ports[0] != ports[1]);
                let words = mapping.map(|mapping| mapping.to_string());
                Reading::Found(words.unwrap_or("no translation".to_owned()))
            }
            Ok(None) => Reading::Silence("no answer".to_owned()),
            Err(error) => Reading::impossible(error),
        }
    })
    .await
}

/// With only one port to ask at, what depends on the address counts as depending on the port too.
fn classify(local: SocketAddr, observed: Observed, has_two_ports: bool) -> Option<Behaviour> {
    let Observed {
        first,
        other_address,
        other_port,
    } = observed;
    if first == local && other_address == local {
        None
    } else if first == other_address {
        Some(Behaviour::EndpointIndependent)
    } else if has_two_ports && other_address == other_port {
        Some(Behaviour::AddressDependent)
    } else {
        Some(Behaviour::AddressAndPortDependent)
    }
}

type Mapped = io::Result<Option<(SocketAddr, Observed)>>;

async fn over_udp(destinations: [SocketAddr; 3]) -> Mapped {
    let socket = udp_socket().await?;
    let local = local_address(&socket, destinations[0]).await?;
    let mut observed = Vec::new();
    for to in destinations {
        let question = (to, Question::new(AnswerFrom::Same));
        match ask(&socket, &[question]).await?[..] {
            [Some(address)] => observed.push(address),
            _ => return Ok(None),
        }
        if suffices(&observed) {
            break;
        }
    }
    Ok(told(&observed).map(|observed| (local, observed)))
}

/// The third question is asked only if the second had another answer than the first: what one client
/// port sends to two ports of one address ends at the same socket of the responder, whose kernel
/// tells the two apart by another source port.
fn suffices(observed: &[SocketAddr]) -> bool {
    matches!(observed, [first, other_address] if first == other_address)
}

fn told(observed: &[SocketAddr]) -> Option<Observed> {
    match *observed {
        [first, other_address] => Some(Observed {
            first,
            other_address,
            other_port: other_address,
        }),
        [first, other_address, other_port] => Some(Observed {
            first,
            other_address,
            other_port,
        }),
        _ => None,
    }
}

/// The socket's transport address on the way to there.
async fn local_address(socket: &UdpSocket, to: SocketAddr) -> io::Result<SocketAddr> {
    let way = udp_socket().await?;
    way.connect(to).await?;
    Ok(SocketAddr::new(
        way.local_addr()?.ip(),
        socket.local_addr()?.port(),
    ))
}

/// Connections from one local port.
async fn over_tcp(destinations: [SocketAddr; 3]) -> Mapped {
    // A TLS handshake passes also where only TLS may.
    let payload = client_hello()?;
    let mut local = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let mut observed = Vec::new();
    for to in destinations {
        let (from, first) = from_local_port(local, to, &payload).await?;
        local = from;
        match first {
            FirstBytes::Nothing => return Ok(None),
            FirstBytes::NotOpened(error) | FirstBytes::Broken(error) => return Err(error),
            FirstBytes::Answer(line) => {
                observed.push(serde_json::from_slice::<Answer>(&line)?.observed);
            }
        }
        if suffices(&observed) {
            break;
        }
    }
    Ok(told(&observed).map(|observed| (local, observed)))
}

/// Connects from this local transport address, 0 standing for any, and sends the payload.
async fn from_local_port(
    local: SocketAddr,
    to: SocketAddr,
    payload: &[u8],
) -> io::Result<(SocketAddr, FirstBytes)> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(SocketAddr::new(
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        local.port(),
    ))?;
    let mut from = local;
    let connect = async {
        let stream: TcpStream = socket.connect(to).await?;
        from = stream.local_addr()?;
        Ok(stream)
    };
    let first = send_first(connect, payload).await;
    Ok((from, first))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::super::responder::Responder;
    use super::*;

    const LOCAL: &str = "192.168.1.10:40000";

    fn of(seen: [&str; 3], has_two_ports: bool) -> Option<Behaviour> {
        let [first, other_address, other_port] = seen.map(|text| text.parse().unwrap());
        let observed = Observed {
            first,
            other_address,
            other_port,
        };
        classify(LOCAL.parse().unwrap(), observed, has_two_ports)
    }

    #[test]
    fn mappings_are_classified_as_rfc_4787_does() {
        let (same, second, third) = ("203.0.113.9:40000", "203.0.113.9:1", "203.0.113.9:2");
        let independent = Some(Behaviour::EndpointIndependent);
        let of_address = Some(Behaviour::AddressDependent);
        let of_both = Some(Behaviour::AddressAndPortDependent);
        assert_eq!(of([same, same, same], true), independent);
        assert_eq!(of([same, second, second], true), of_address);
        assert_eq!(of([same, second, second], false), of_both);
        assert_eq!(of([same, second, third], true), of_both);
        assert_eq!(of([LOCAL, LOCAL, LOCAL], true), None);
    }

    #[tokio::test]
    async fn without_a_nat_there_is_no_mapping() {
        let addresses = [Ipv4Addr::new(127, 0, 3, 1), Ipv4Addr::new(127, 0, 3, 2)];
        let (port, alternate) = (20_007, 20_008);
        let _responder = Responder::start_at(addresses, port, alternate)
            .await
            .unwrap();
        let at = |address, port| SocketAddr::from((address, port));
        let first = at(addresses[0], port);
        let destinations = [first, at(addresses[1], port), at(addresses[1], 1)];
        for mapped in [over_udp(destinations).await, over_tcp(destinations).await] {
            let (local, observed) = mapped.unwrap().unwrap();
            assert_eq!(local.ip(), Ipv4Addr::LOCALHOST);
            assert_ne!(local.port(), 0);
            assert_eq!(classify(local, observed, true), None);
        }
        let silent = [first, at(addresses[1], alternate), first];
        assert!(over_udp(silent).await.unwrap().is_none());
        assert!(over_tcp(silent).await.is_err());
    }
}
