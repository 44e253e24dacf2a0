//! Re-terminates TLS with certificates of a company's own authority, and resets what is no TLS.

use std::io;
use std::net::{IpAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::server::StartHandshake;

use super::authority::Authority;
use super::destination::Destination;
use super::hello::{self, Beginning, Hello};
use super::onward::Onward;
use super::splice::{reset, splice};
use crate::counters::Tally;

/// How long either TLS handshake may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// A TLS interceptor.
pub(super) struct Interceptor<D> {
    pub authority: Authority,
    pub onward: Onward,
    /// The client towards servers, which trusts the lab's authority.
    pub tls: TlsConnector,
    pub destination: D,
    pub intercept: Arc<Tally>,
    pub reset: Arc<Tally>,
}

impl<D: Destination> Interceptor<D> {
    /// Handles a connection to its end.
    pub async fn handle(self: Arc<Self>, mut client: TcpStream) {
        match hello::read(&mut client).await {
            Beginning::Tls(hello) => {
                self.intercept.count();
                // A client that does not accept the certificate ends the handshake.
                if let Err(error) = self.between(client, hello).await {
                    tracing::debug!("an intercepted connection ended: {error}");
                }
            }
            Beginning::Other => {
                self.reset.count();
                reset(client);
            }
            Beginning::Nothing => {}
        }
    }

    async fn between(&self, client: TcpStream, hello: Hello) -> io::Result<()> {
        let destination = self.destination.of(&client)?;
        let name = hello
            .server_name()
            .unwrap_or_else(|| destination.ip().to_string());
        let server = self.authority.server(&name).map_err(io::Error::other)?;
        let accepting = StartHandshake::from_parts(hello.accepted, client).into_stream(server);
        let client = timeout(HANDSHAKE_WITHIN, accepting).await??;
        match self.connect(destination, &name).await {
            Ok(server) => splice(client, server, &self.intercept).await,
            Err(error) => {
                reset(client.into_inner().0);
                Err(error)
            }
        }
    }

    async fn connect(&self, to: SocketAddrV4, name: &str) -> io::Result<TlsStream<TcpStream>> {
        let name = match name.parse::<IpAddr>() {
            Ok(address) => ServerName::IpAddress(address.into()),
            Err(_) => ServerName::try_from(name.to_owned()).map_err(io::Error::other)?,
        };
        let stream = self.onward.connect(to).await?;
        timeout(HANDSHAKE_WITHIN, self.tls.connect(name, stream)).await?
    }
}
