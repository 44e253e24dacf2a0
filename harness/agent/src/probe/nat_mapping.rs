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

/// What the internet saw of one local transport address.
#[derive(Debug, Clone, Copy)]
struct Observed {
    /// By the first address at the first port.
    first: SocketAddr,
    /// By the first address at the second port.
    other_port: SocketAddr,
    /// By the second address at the first port.
    other_address: SocketAddr,
}

impl Observed {
    /// What was observed in the order of the questions; nothing unless all three were answered.
    fn in_order(observed: Vec<SocketAddr>) -> Option<Self> {
        let [first, other_port, other_address] = observed.try_into().ok()?;
        Some(Self {
            first,
            other_port,
            other_address,
        })
    }
}

/// Measures the mapping.
pub(super) async fn measure(protocol: ProbeProtocol, ports: [u16; 2], declared: &str) -> String {
    let destinations = [
        SocketAddr::from((PROBE_ADDRESSES[0], ports[0])),
        SocketAddr::from((PROBE_ADDRESSES[0], ports[1])),
        SocketAddr::from((PROBE_ADDRESSES[1], ports[0])),
    ];
    settle(declared, async || {
        let measured = match protocol {
            ProbeProtocol::Udp => over_udp(destinations).await,
            ProbeProtocol::Tcp => over_tcp(destinations).await,
        };
        match measured {
            Ok(Some((local, observed))) => {
                let mapping = classify(local, observed);
                let words = mapping.map(|mapping| mapping.to_string());
                Reading::Found(words.unwrap_or("no translation".to_owned()))
            }
            Ok(None) => Reading::Silence("no answer".to_owned()),
            Err(error) => Reading::impossible(error),
        }
    })
    .await
}

fn classify(local: SocketAddr, observed: Observed) -> Option<Behaviour> {
    let Observed {
        first,
        other_port,
        other_address,
    } = observed;
    if [first, other_port, other_address] == [local; 3] {
        None
    } else if first != other_port {
        Some(Behaviour::AddressAndPortDependent)
    } else if first != other_address {
        Some(Behaviour::AddressDependent)
    } else {
        Some(Behaviour::EndpointIndependent)
    }
}

type Mapped = io::Result<Option<(SocketAddr, Observed)>>;

async fn over_udp(destinations: [SocketAddr; 3]) -> Mapped {
    let socket = udp_socket().await?;
    let local = local_address(&socket, destinations[0]).await?;
    let questions = destinations.map(|to| (to, Question::new(AnswerFrom::Same)));
    let observed = ask(&socket, &questions).await?;
    let observed: Option<Vec<SocketAddr>> = observed.into_iter().collect();
    Ok(observed
        .and_then(Observed::in_order)
        .map(|observed| (local, observed)))
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

/// Three connections from one local port.
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
    }
    Ok(Observed::in_order(observed).map(|observed| (local, observed)))
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

    fn of(seen: [&str; 3]) -> Option<Behaviour> {
        let [first, other_port, other_address] = seen.map(|text| text.parse().unwrap());
        let observed = Observed {
            first,
            other_port,
            other_address,
        };
        classify(LOCAL.parse().unwrap(), observed)
    }

    #[test]
    fn mappings_are_classified_as_rfc_4787_does() {
        let (same, second, third) = ("203.0.113.9:40000", "203.0.113.9:1", "203.0.113.9:2");
        let of_both = Some(Behaviour::AddressAndPortDependent);
        assert_eq!(of([same; 3]), Some(Behaviour::EndpointIndependent));
        assert_eq!(of([same, same, second]), Some(Behaviour::AddressDependent));
        assert_eq!(of([same, second, third]), of_both);
        // A port that is the same again for another address makes it no less dependent.
        assert_eq!(of([same, second, same]), of_both);
        assert_eq!(of([LOCAL; 3]), None);
    }

    #[tokio::test]
    async fn without_a_nat_there_is_no_mapping() {
        let addresses = [Ipv4Addr::new(127, 0, 3, 1), Ipv4Addr::new(127, 0, 3, 2)];
        let ports = [20_008, 20_007];
        let _responder = Responder::start_at(addresses, ports).await.unwrap();
        let at = |address, port| SocketAddr::from((address, port));
        let destinations = [
            at(addresses[0], ports[0]),
            at(addresses[0], ports[1]),
            at(addresses[1], ports[0]),
        ];
        for mapped in [over_udp(destinations).await, over_tcp(destinations).await] {
            let (local, observed) = mapped.unwrap().unwrap();
            assert_eq!(local.ip(), Ipv4Addr::LOCALHOST);
            assert_ne!(local.port(), 0);
            assert_eq!(classify(local, observed), None);
        }
        let mut silent = destinations;
        silent[2] = at(addresses[1], 20_009);
        assert!(over_udp(silent).await.unwrap().is_none());
        assert!(over_tcp(silent).await.is_err());
    }
}
