//! TLS connections to a host by the way that the peer has, for what an application connects to beside ICE servers.

use super::attempt::FarEnd;
use super::connect::{self, Stream};
use super::outcome::Conclusion;
use super::resolve::Resolver;
use super::server::TransportError;
use super::tunnel::tunnel;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio_rustls::TlsConnector;

/// A TLS connection to a server.
pub(crate) type TlsStream = tokio_rustls::client::TlsStream<Box<dyn Stream>>;

/// The way to servers.
#[derive(Clone)]
pub(crate) struct TlsWay {
    tls: TlsConnector,
    has_ipv4: bool,
    proxy: Option<SocketAddr>,
}

impl TlsWay {
    /// The way of a peer with these addresses, that trusts the certificates of a PEM bundle, through an HTTP proxy
    /// where there is one.
    pub fn new(
        local_ips: &[IpAddr],
        ca_certificates_pem: &str,
        proxy: Option<SocketAddr>,
    ) -> Result<Self, TransportError> {
        Ok(Self {
            tls: connect::tls_connector(ca_certificates_pem.as_bytes())?,
            has_ipv4: local_ips.iter().any(IpAddr::is_ipv4),
            proxy,
        })
    }

    /// Connects; the error tells why it failed. Who sets a deadline drops it.
    pub async fn open(&self, host: &str, port: u16) -> Result<TlsStream, String> {
        let opened = self.connect(host, port).await;
        opened.map_err(|conclusion| conclusion.reason)
    }

    async fn connect(&self, host: &str, port: u16) -> Result<TlsStream, Conclusion> {
        // The proxy resolves the name, as it does for browsers. What the name resolves to may have changed.
        let far = match self.proxy {
            Some(proxy) => FarEnd::Proxy(proxy),
            None => {
                let resolver = Resolver::default();
                FarEnd::Server(resolver.resolve(host, port, self.has_ipv4).await?)
            }
        };
        let any = match far.address() {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let (stream, _) = connect::tcp(any, far).await?;
        let stream: Box<dyn Stream> = match far {
            FarEnd::Proxy(proxy) => {
                Box::new(tunnel(stream, proxy, &format!("{host}:{port}")).await?)
            }
            FarEnd::Server(_) => Box::new(stream),
        };
        connect::tls(&self.tls, stream, host).await
    }
}
