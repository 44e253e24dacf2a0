//! How the NAT between the node and the internet maps (RFC 4787 section 4.1).

use std::io;
use std::net::SocketAddr;

use farcall_plan::ProbeProtocol;
use farcall_scenario::Behaviour;
use futures::future::try_join_all;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::dns::unspecified;

use super::ask::{ask, local_address, udp_socket_at};
use super::patience::{Patience, Reading};
use super::tls::client_hello;
use super::wire::{Answer, AnswerFrom, Question};

/// The longest line that the responder writes over TCP.
const LONGEST_LINE: u64 = 256;

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
    destinations: [SocketAddr; 3],
    source_port: Option<u16>,
    patience: Patience,
    declared: &str,
) -> String {
    let mut tcp = OverTcp::default();
    let settled = patience.settle(declared, async |patience| {
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
    let socket = udp_socket_at(destinations[0], source_port).await?;
    let local = local_address(&socket, destinations[0]).await?;
    let questions = destinations.map(|to| (to, Question::new(AnswerFrom::Same)));
    // Where a neighbour does not ask first, then where it may collide.
    let (first, others) = questions.split_at(usize::from(source_port.is_some()));
    let mut observed = ask(&socket, first, patience).await?;
    observed.extend(ask(&socket, others, patience).await?);
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
    /// The connections that were answered, which stay open so that the mapping stays, and where each was seen.
    answered: [Option<(TcpStream, SocketAddr)>; 3],
}

impl OverTcp {
    /// Connects to those destinations that have not answered, from one local port, at the same time.
    async fn attempt(&mut self, destinations: [SocketAddr; 3], patience: Patience) -> Mapped {
        // A TLS handshake passes also where only TLS may.
        let payload = &client_hello()?;
        let holder = match self.holder.take() {
            Some(holder) => holder,
            None => tcp_socket(destinations[0], 0)?,
        };
        let port = holder.local_addr()?.port();
        self.holder = Some(holder);
        // The handshake is a round trip, and question and answer are another.
        let within = patience.attempt(2);
        let places = self.answered.iter_mut().zip(destinations);
        let asked = places.filter(|(answered, _)| answered.is_none());
        let asked = asked.map(async |(answered, to)| {
            let asking = ask_over_tcp(tcp_socket(to, port)?, to, payload);
            if let Ok(answer) = timeout(within, asking).await {
                *answered = Some(answer?);
            }
            io::Result::Ok(())
        });
        try_join_all(asked).await?;
        let Some((first, _)) = &self.answered[0] else {
            return Ok(None);
        };
        let local = first.local_addr()?;
        let seen = self.answered.iter();
        let seen = seen.map(|answered| answered.as_ref().map(|(_, observed)| *observed));
        let observed = seen.collect::<Option<Vec<_>>>();
        Ok(observed
            .and_then(Observed::in_order)
            .map(|observed| (local, observed)))
    }
}

/// Opens a connection and gives it with the address that the responder saw.
async fn ask_over_tcp(
    socket: TcpSocket,
    to: SocketAddr,
    payload: &[u8],
) -> io::Result<(TcpStream, SocketAddr)> {
    let mut stream = socket.connect(to).await?;
    stream.write_all(payload).await?;
    let mut line = Vec::new();
    let mut reader = BufReader::new(&mut stream).take(LONGEST_LINE);
    if reader.read_until(b'\n', &mut line).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let answer: Answer = serde_json::from_slice(&line)?;
    Ok((stream, answer.observed))
}

/// A socket of the family of this address at this port, 0 standing for any.
fn tcp_socket(to: SocketAddr, port: u16) -> io::Result<TcpSocket> {
    let socket = match to {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    // A connection that is given up leaves nothing behind, so that the next attempt can be the same one.
    socket.set_zero_linger()?;
    socket.bind(SocketAddr::new(unspecified(to.ip()), port))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::net::Ipv4Addr;
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
