//! Whether the signalling server opens a WebSocket.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::client_async;

use super::patience::{Patience, Reading};
use crate::ice_transport::tls_connector;

/// The time for one attempt; a TLS handshake takes some milliseconds of both processors.
const ATTEMPT: Duration = Duration::from_secs(1);

/// Asks the server.
pub(super) async fn measure(
    host: &str,
    address: IpAddr,
    port: u16,
    ca_pem: &str,
    declared: &str,
) -> String {
    // Server and probe are both on the internet: no link lies between them.
    let settled = Patience::new(Duration::ZERO).settle(declared, async |_| {
        let opened = timeout(ATTEMPT, open(host, SocketAddr::new(address, port), ca_pem)).await;
        match opened.unwrap_or_else(|_| Err("no answer".to_owned())) {
            Ok(()) => Reading::Found("answers".to_owned()),
            Err(reason) => Reading::Silence(reason),
        }
    });
    settled.await
}

async fn open(host: &str, at: SocketAddr, ca_pem: &str) -> Result<(), String> {
    let in_words = |error: &dyn std::error::Error| error.to_string();
    let connector = tls_connector(ca_pem.as_bytes()).map_err(|error| in_words(&error))?;
    let name = ServerName::try_from(host.to_owned()).map_err(|error| in_words(&error))?;
    let stream = TcpStream::connect(at).await;
    let stream = stream.map_err(|error| in_words(&error))?;
    let stream = connector.connect(name, stream).await;
    let stream = stream.map_err(|error| in_words(&error))?;
    let url = format!("wss://{host}:{}/", at.port());
    let opened = client_async(url, stream).await;
    opened.map(drop).map_err(|error| in_words(&error))
}
