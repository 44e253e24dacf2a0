//! Clients, servers and counters for the tests of this module, on loopback.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_util::task::AbortOnDropHandle;

use super::authority::Authority;
use super::listen::Listener;
use super::onward::Onward;
use crate::Outlet;
use crate::counters::Tally;
use crate::ice_transport::tls_connector;

/// A task that ends with the test.
pub(super) type Running = AbortOnDropHandle<()>;

/// Loopback as the gateway's inside, where no name server answers.
pub(super) fn onward() -> Onward {
    Onward {
        from: Ipv4Addr::LOCALHOST,
        name_server: closed_port(),
    }
}

pub(super) fn tally() -> Arc<Tally> {
    Arc::new(Tally::new("a/counter"))
}

/// How many connections a counter has counted.
pub(super) fn count(tally: &Tally) -> u64 {
    tally.read().packets
}

/// Runs a service at a port of its own.
pub(super) async fn serve<H, F>(handle: H) -> (SocketAddrV4, Running)
where
    H: Fn(TcpStream, SocketAddrV4) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let (outlet, _said) = Outlet::new();
    let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
    let listener = Listener::open("test", any, &outlet).await.unwrap();
    let address = v4(listener.address().unwrap());
    (
        address,
        AbortOnDropHandle::new(tokio::spawn(listener.serve(handle))),
    )
}

/// A server that sends back what it gets, and ends when its client does.
pub(super) async fn echo() -> (SocketAddrV4, Running) {
    serve(|mut stream, _| async move {
        let (mut read, mut write) = stream.split();
        // A client that breaks off is part of some tests.
        let _ = tokio::io::copy(&mut read, &mut write).await;
    })
    .await
}

/// As [`echo`], inside TLS with a certificate of this authority.
pub(super) async fn tls_echo(authority: &Arc<Authority>) -> (SocketAddrV4, Running) {
    let authority = authority.clone();
    serve(move |stream, _| {
        let server = authority.server("turn.example.net").unwrap();
        async move {
            if let Ok(stream) = tokio_rustls::TlsAcceptor::from(server).accept(stream).await {
                let (mut read, mut write) = tokio::io::split(stream);
                let _ = tokio::io::copy(&mut read, &mut write).await;
            }
        }
    })
    .await
}

/// An address at which nobody listens.
pub(super) fn closed_port() -> SocketAddrV4 {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    v4(listener.local_addr().unwrap())
}

pub(super) fn v4(address: SocketAddr) -> SocketAddrV4 {
    match address {
        SocketAddr::V4(address) => address,
        SocketAddr::V6(address) => panic!("{address} is IPv6"),
    }
}

pub(super) async fn connect(to: SocketAddrV4) -> TcpStream {
    TcpStream::connect(to).await.unwrap()
}

/// A TLS client that trusts this authority alone.
pub(super) async fn tls_connect(
    to: SocketAddrV4,
    name: &str,
    trusted: &Authority,
) -> std::io::Result<TlsStream<TcpStream>> {
    let connector = tls_connector(trusted.certificate.pem().as_bytes()).unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    connector.connect(name, connect(to).await).await
}

/// What a test waits for: it fails rather than hang where that never comes.
pub(super) async fn soon<T>(awaited: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), awaited).await.unwrap()
}

/// What comes back from an echo.
pub(super) async fn echoed<S>(stream: &mut S, text: &str) -> String
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    stream.write_all(text.as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
    let mut answer = vec![0; text.len()];
    soon(stream.read_exact(&mut answer)).await.unwrap();
    String::from_utf8(answer).unwrap()
}

/// A TLS ClientHello for this name, or for none.
pub(super) fn client_hello(name: Option<&str>) -> Vec<u8> {
    let connector = tls_connector(b"").unwrap();
    let mut config = (**connector.config()).clone();
    config.enable_sni = name.is_some();
    let name = ServerName::try_from(name.unwrap_or("unnamed.example").to_owned()).unwrap();
    let mut client = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}
