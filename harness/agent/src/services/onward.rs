//! Connections onward, as another host of the site would make them.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::dns;

/// How long a connection may take to open: a SYN and its first three retransmissions, after 1, 3 and 7 s
/// (RFC 6298 section 5).
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// How long one answer of the gateway's own resolver may take. It asks nobody else.
const RESOLVE_WITHIN: Duration = Duration::from_secs(2);

/// The way onward.
#[derive(Debug, Clone)]
pub(super) struct Onward {
    /// The gateway's inside address.
    pub from: Ipv4Addr,
    /// The site's resolver.
    pub name_server: SocketAddrV4,
}

impl Onward {
    /// Opens a connection; [`ErrorKind::TimedOut`] where nothing comes back.
    pub async fn connect(&self, to: SocketAddrV4) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.set_nodelay(true)?;
        socket.bind(SocketAddr::from((self.from, 0)))?;
        let connecting = socket.connect(SocketAddr::V4(to));
        timeout(CONNECT_WITHIN, connecting).await?
    }

    /// The first address of a host, or the host itself if it is one; [`ErrorKind::NotFound`] where there is
    /// none, [`ErrorKind::TimedOut`] where the resolver does not answer.
    pub async fn resolve(&self, host: &str) -> io::Result<Ipv4Addr> {
        if let Ok(address) = host.parse() {
            return Ok(address);
        }
        let not_found = |reason: String| io::Error::new(ErrorKind::NotFound, reason);
        let mut name = Name::from_utf8(host).map_err(|error| not_found(error.to_string()))?;
        name.set_fqdn(true);
        let question = dns::question(name, RecordType::A);
        let asked = dns::ask_at(self.name_server.into(), &question);
        let answer = timeout(RESOLVE_WITHIN, asked).await??;
        let addresses = dns::addresses(&answer).map_err(not_found)?;
        let mut ipv4 = addresses.iter().filter_map(|address| match address {
            IpAddr::V4(address) => Some(*address),
            IpAddr::V6(_) => None,
        });
        ipv4.next()
            .ok_or_else(|| not_found("no address".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::super::testing::{closed_port, echo, onward};
    use super::*;
    use hickory_resolver::proto::op::{Message, ResponseCode};
    use hickory_resolver::proto::rr::rdata::A;
    use hickory_resolver::proto::rr::{RData, Record};
    use tokio::net::UdpSocket;

    /// A name server that knows `turn.example.net.` and nothing else.
    async fn name_server() -> (SocketAddrV4, tokio_util::task::AbortOnDropHandle<()>) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let mut buffer = [0; 1500];
            while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
                let question = Message::from_vec(&buffer[..length]).unwrap();
                let mut answer = question.clone();
                let name = question.queries[0].name().clone();
                if name.to_string() == "turn.example.net." {
                    let address = RData::A(A::new(203, 0, 113, 20));
                    answer.add_answer(Record::from_rdata(name, 60, address));
                } else {
                    answer.metadata.response_code = ResponseCode::NXDomain;
                }
                socket
                    .send_to(&answer.to_vec().unwrap(), client)
                    .await
                    .unwrap();
            }
        });
        let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        (address, tokio_util::task::AbortOnDropHandle::new(task))
    }

    #[tokio::test]
    async fn hosts_are_addresses_or_names_that_the_sites_resolver_knows() {
        let (name_server, _running) = name_server().await;
        let onward = Onward {
            from: Ipv4Addr::LOCALHOST,
            name_server,
        };
        let address = Ipv4Addr::new(203, 0, 113, 20);
        assert_eq!(onward.resolve("203.0.113.20").await.unwrap(), address);
        assert_eq!(onward.resolve("turn.example.net").await.unwrap(), address);
        for unknown in ["turn.example.org", "[2001:db8::1]"] {
            let error = onward.resolve(unknown).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{unknown}: {error}");
        }
    }

    #[tokio::test]
    async fn connections_come_from_the_inside_address() {
        let (server, _running) = echo().await;
        let mut onward = onward();
        onward.from = Ipv4Addr::new(127, 0, 0, 9);
        let stream = onward.connect(server).await.unwrap();
        assert_eq!(stream.local_addr().unwrap().ip(), onward.from);
        let error = onward.connect(closed_port()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
}
