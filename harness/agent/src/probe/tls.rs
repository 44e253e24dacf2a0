//! How TLS begins.

use std::io;
use std::sync::Arc;

use rustls::ClientConnection;
use rustls::pki_types::ServerName;

use crate::ice_transport::tls_connector;

/// The first bytes of a TLS connection, as a client sends them (RFC 8446 section 4.1.2).
pub(super) fn client_hello() -> io::Result<Vec<u8>> {
    let connector = tls_connector(b"").map_err(io::Error::other)?;
    let name = ServerName::try_from("probe.invalid").map_err(io::Error::other)?;
    let mut client =
        ClientConnection::new(Arc::clone(connector.config()), name).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    #[test]
    fn it_begins_as_a_firewall_recognises_it() {
        let hello = super::client_hello().unwrap();
        // A handshake record of TLS with a ClientHello in it.
        assert_eq!(hello[..2], [0x16, 0x03]);
        assert_eq!(hello[5], 1);
    }
}
