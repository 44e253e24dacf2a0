//! How a TLS connection begins, seen from the middle.

use std::io;
use std::time::Duration;

use rustls::server::{Accepted, Acceptor};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a client may take to send its ClientHello.
const WITHIN: Duration = Duration::from_secs(10);

/// The longest beginning that is looked at: the longest handshake message that rustls reads.
const MOST_BYTES: usize = 64 * 1024;

/// What rustls takes at once.
const CHUNK_BYTES: usize = 4096;

/// How a connection begins.
pub(super) enum Beginning {
    /// As TLS.
    Tls(Box<Hello>),
    /// As something else.
    Other,
    /// Not at all, or not as a whole: it was closed, it broke, or time was up.
    Nothing,
}

/// A ClientHello (RFC 8446 section 4.1.2).
pub(super) struct Hello {
    /// To go on as the server.
    pub accepted: Accepted,
    /// All that was read, to be sent onward.
    pub bytes: Vec<u8>,
}

impl Hello {
    /// The server name that it asks for (RFC 6066 section 3), in lower case.
    pub fn server_name(&self) -> Option<String> {
        let hello = self.accepted.client_hello();
        hello.server_name().map(str::to_ascii_lowercase)
    }
}

/// Reads the beginning of a connection.
pub(super) async fn read(stream: &mut TcpStream) -> Beginning {
    match timeout(WITHIN, read_whole(stream)).await {
        Ok(Ok(beginning)) => beginning,
        Ok(Err(_)) | Err(_) => Beginning::Nothing,
    }
}

async fn read_whole(stream: &mut TcpStream) -> io::Result<Beginning> {
    let mut acceptor = Acceptor::default();
    let mut bytes = Vec::new();
    let mut chunk = [0; CHUNK_BYTES];
    while bytes.len() < MOST_BYTES {
        let length = stream.read(&mut chunk).await?;
        if length == 0 {
            return Ok(Beginning::Nothing);
        }
        bytes.extend_from_slice(&chunk[..length]);
        let mut unread = &chunk[..length];
        while !unread.is_empty() {
            if acceptor.read_tls(&mut unread).is_err() {
                return Ok(Beginning::Other);
            }
        }
        match acceptor.accept() {
            Ok(Some(accepted)) => return Ok(Beginning::Tls(Box::new(Hello { accepted, bytes }))),
            Ok(None) => {}
            // The alert that rustls would send says nothing to what is no TLS.
            Err(_) => return Ok(Beginning::Other),
        }
    }
    Ok(Beginning::Other)
}
