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
    pub authority: Arc<Authority>,
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
                if let Err(error) = self.between(client, *hello).await {
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::super::testing::{
        Running, closed_port, connect, count, echo, echoed, onward, serve, soon, tally,
        tls_connect, tls_echo,
    };
    use super::*;
    use crate::ice_transport::tls_connector;
    use std::io::ErrorKind;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const COMPANY: &str = "Example Corp TLS Inspection";

    struct Intercepting {
        at: SocketAddrV4,
        company: Arc<Authority>,
        intercept: Arc<Tally>,
        reset: Arc<Tally>,
        _running: Running,
    }

    /// An interceptor that trusts `lab` and whose connections were all meant for `destination`.
    async fn interceptor(lab: &Authority, destination: SocketAddrV4) -> Intercepting {
        let (intercept, reset) = (tally(), tally());
        let company = Arc::new(Authority::new(COMPANY).unwrap());
        let interceptor = Arc::new(Interceptor {
            authority: company.clone(),
            onward: onward(),
            tls: tls_connector(lab.certificate.pem().as_bytes()).unwrap(),
            destination: move |_: &TcpStream| Ok(destination),
            intercept: intercept.clone(),
            reset: reset.clone(),
        });
        let (at, running) = serve(move |stream, _| interceptor.clone().handle(stream)).await;
        Intercepting {
            at,
            company,
            intercept,
            reset,
            _running: running,
        }
    }

    #[tokio::test]
    async fn a_client_that_trusts_the_company_gets_through_to_the_server() {
        let lab = Arc::new(Authority::new("Lab").unwrap());
        let (server, _running) = tls_echo(&lab).await;
        let interceptor = interceptor(&lab, server).await;
        let mut client = tls_connect(interceptor.at, "turn.example.net", &interceptor.company)
            .await
            .unwrap();
        assert_eq!(echoed(&mut client, "a datagram").await, "a datagram");
        let certificates = client.get_ref().1.peer_certificates().unwrap();
        let shown = String::from_utf8_lossy(&certificates[0]).into_owned();
        assert!(shown.contains(COMPANY), "{shown}");
        assert_eq!(
            (count(&interceptor.intercept), count(&interceptor.reset)),
            (1, 0)
        );
        // The text there and back.
        assert_eq!(interceptor.intercept.read().bytes, 20);
    }

    #[tokio::test]
    async fn a_client_that_trusts_the_lab_alone_does_not_know_the_issuer() {
        let lab = Arc::new(Authority::new("Lab").unwrap());
        let (server, _running) = tls_echo(&lab).await;
        let interceptor = interceptor(&lab, server).await;
        let error = tls_connect(interceptor.at, "turn.example.net", &lab)
            .await
            .unwrap_err();
        let words = error.to_string();
        assert!(words.contains(COMPANY), "{words}");
        assert_eq!(count(&interceptor.intercept), 1);
    }

    #[tokio::test]
    async fn a_server_that_the_lab_does_not_vouch_for_is_not_passed_on() {
        let (lab, other) = (
            Authority::new("Lab").unwrap(),
            Authority::new("Other").unwrap(),
        );
        let (server, _running) = tls_echo(&Arc::new(other)).await;
        let interceptor = interceptor(&lab, server).await;
        let mut client = tls_connect(interceptor.at, "turn.example.net", &interceptor.company)
            .await
            .unwrap();
        client.write_all(b"a datagram").await.unwrap();
        assert!(soon(client.read_u8()).await.is_err());
    }

    #[tokio::test]
    async fn without_a_server_name_the_certificate_is_for_the_address() {
        let lab = Authority::new("Lab").unwrap();
        let destination = closed_port();
        let interceptor = interceptor(&lab, destination).await;
        let address = destination.ip().to_string();
        // A client that asks for an address sends no server name (RFC 6066 section 3).
        let client = tls_connect(interceptor.at, &address, &interceptor.company).await;
        assert!(client.is_ok(), "{client:?}");
    }

    #[tokio::test]
    async fn what_is_no_tls_is_reset() {
        let lab = Authority::new("Lab").unwrap();
        let (server, _running) = echo().await;
        let interceptor = interceptor(&lab, server).await;
        let mut client = connect(interceptor.at).await;
        client.write_all(b"farcall probe\r\n").await.unwrap();
        let end = soon(client.read_u8()).await.unwrap_err().kind();
        assert_eq!(end, ErrorKind::ConnectionReset);
        assert_eq!(
            (count(&interceptor.intercept), count(&interceptor.reset)),
            (0, 1)
        );
    }
}
