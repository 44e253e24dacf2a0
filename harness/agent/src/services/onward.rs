//! Connections onward, as another host of the site would make them.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use hickory_resolver::proto::rr::Name;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::dns;

/// How long a connection may take to open: three times the handshake's first retransmissions (RFC 6298
/// section 5.7), and less than callers wait.
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
        let question = dns::question(name);
        let asked = dns::ask_at(self.name_server, &question);
        let answer = timeout(RESOLVE_WITHIN, asked).await??;
        let addresses = dns::addresses(&answer).map_err(not_found)?;
        let first = addresses.first().copied();
        first.ok_or_else(|| not_found("no address".to_owned()))
    }
}
