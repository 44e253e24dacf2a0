//! How the NAT between the node and the internet maps (RFC 4787 section 4.1).

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use farcall_plan::{PROBE_ADDRESSES, ProbeProtocol};
use farcall_scenario::Behaviour;
use futures::future::join_all;
use tokio::net::TcpSocket;

use super::ask::{FirstBytes, ask, local_address, send_first, udp_socket_at};
use super::patience::{Patience, Reading};
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
pub(super) async fn measure(
    protocol: ProbeProtocol,
    ports: [u16; 2],
    source_port: Option<u16>,
    patience: Patience,
    declared: &str,
) -> String {
    let destinations = [
        SocketAddr::from((PROBE_ADDRESSES[0], ports[0])),
        SocketAddr::from((PROBE_ADDRESSES[0], ports[1])),
        SocketAddr::from((PROBE_ADDRESSES[1], ports[0])),
    ];
    let mut tcp = OverTcp::default();
    let settled = patience.settle(declared, async || {
        let measured = match protocol {
            ProbeProtocol::Udp => over_udp(destinations, source_port, patience).await,
            ProbeProtocol::Tcp => tcp.attempt(destinations, patience).await,
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
    });
    settled.await
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

async fn over_udp(
    destinations: [SocketAddr; 3],
    source_port: Option<u16>,
    patience: Patience,
) -> Mapped {
    let socket = udp_socket_at(source_port).await?;
    let local = local_address(&socket, destinations[0]).await?;
    let questions = destinations.map(|to| (to, Question::new(AnswerFrom::Same)));
    let observed = ask(&socket, &questions, patience).await?;
    let observed: Option<Vec<SocketAddr>> = observed.into_iter().collect();
    Ok(observed
        .and_then(Observed::in_order)
        .map(|observed| (local, observed)))
}

/// What is known over TCP so far. On a link that loses packets an attempt may bring a part of it.
#[derive(Debug, Default)]
struct OverTcp {
    /// Holds the local port for the next attempt.
    holder: Option<TcpSocket>,
    local: Option<SocketAddr>,
    observed: [Option<SocketAddr>; 3],
}

impl OverTcp {
    /// Connects to those destinations that have not answered, from one local port, at the same time.
    async fn attempt(&mut self, destinations: [SocketAddr; 3], patience: Patience) -> Mapped {
        // A TLS handshake passes also where only TLS may.
        let payload = &client_hello()?;
        let holder = match self.holder.take() {
            Some(holder) => holder,
            None => tcp_socket(0)?,
        };
        let port = holder.local_addr()?.port();
        self.holder = Some(holder);
        let places = destinations.into_iter().enumerate();
        let asked = places.filter(|(place, _)| self.observed[*place].is_none());
        let asked = asked.map(async |(place, to)| {
            let mut from = None;
            let connect = async {
                let stream = tcp_socket(port)?.connect(to).await?;
                from = stream.local_addr().ok();
                Ok(stream)
            };
            let first = send_first(connect, payload, patience).await;
            (place, from, first)
        });
        for (place, from, first) in join_all(asked).await {
            self.local = self.local.or(from);
            match first {
                FirstBytes::Nothing => {}
                FirstBytes::NotOpened(error) | FirstBytes::Broken(error) => return Err(error),
                FirstBytes::Answer(line) => {
                    let answer = serde_json::from_slice::<Answer>(&line)?;
                    self.observed[place] = Some(answer.observed);
                }
            }
        }
        let observed: Option<Vec<SocketAddr>> = self.observed.into_iter().collect();
        Ok(self.local.zip(observed.and_then(Observed::in_order)))
    }
}

/// A socket at this port, 0 standing for any.
fn tcp_socket(port: u16) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::time::Duration;

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
        let patience = Patience::new(Duration::ZERO);
        let udp = over_udp(destinations, None, patience).await;
        let tcp = OverTcp::default().attempt(destinations, patience).await;
        for mapped in [udp, tcp] {
            let (local, observed) = mapped.unwrap().unwrap();
            assert_eq!(local.ip(), Ipv4Addr::LOCALHOST);
            assert_ne!(local.port(), 0);
            assert_eq!(classify(local, observed), None);
        }
        let mut silent = destinations;
        silent[2] = at(addresses[1], 20_009);
        let unanswered = over_udp(silent, None, patience).await;
        assert!(unanswered.unwrap().is_none());
        let refused = OverTcp::default().attempt(silent, patience).await;
        assert!(refused.is_err());
    }
}
