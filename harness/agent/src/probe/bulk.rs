//! As much as a TCP connection brings through.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use farcall_protocol::Carried;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// What a connection begins with on which the responder is to pour.
const POUR: &[u8] = b"farcall pour\n";

/// How much is written or read at once, in bytes.
const CHUNK_BYTES: usize = 64 << 10;

/// Whether the first bytes of a connection ask the responder to pour.
pub(super) fn is_wanted(first: &[u8]) -> bool {
    first == POUR
}

/// Writes until the other side has had enough.
///
/// # Errors
/// When it closes the connection, which is how it says so.
pub(super) async fn pour(stream: &mut TcpStream) -> io::Result<()> {
    let chunk = vec![0; CHUNK_BYTES];
    loop {
        stream.write_all(&chunk).await?;
    }
}

/// Writes for so long; the responder swallows. What is counted has been read at the other end.
///
/// # Errors
/// Those of the connection.
pub(super) async fn up(to: SocketAddr, duration: Duration) -> io::Result<Carried> {
    let mut stream = TcpStream::connect(to).await?;
    let chunk = vec![0; CHUNK_BYTES];
    let mut bytes = 0;
    let start = Instant::now();
    while start.elapsed() < duration {
        stream.write_all(&chunk).await?;
        bytes += CHUNK_BYTES as u64;
    }
    stream.shutdown().await?;
    // The responder closes when it has read everything; before that it answers the first bytes.
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(carried(bytes, start.elapsed()))
}

/// Reads for so long what the responder pours.
///
/// # Errors
/// Those of the connection.
pub(super) async fn down(to: SocketAddr, duration: Duration) -> io::Result<Carried> {
    let mut stream = TcpStream::connect(to).await?;
    stream.write_all(POUR).await?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut bytes = 0;
    stream.read_exact(&mut chunk[..1]).await?;
    let start = Instant::now();
    while let Ok(read) = timeout_at(start + duration, stream.read(&mut chunk)).await {
        match read? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => bytes += read as u64,
        }
    }
    Ok(carried(bytes, start.elapsed()))
}

fn carried(bytes: u64, span: Duration) -> Carried {
    Carried {
        packets: 0,
        bytes,
        span_us: u64::try_from(span.as_micros()).unwrap_or(u64::MAX),
        delays: None,
    }
}
