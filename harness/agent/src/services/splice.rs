//! Two connections as one.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::TcpStream;
use tokio_util::io::InspectReader;

use crate::counters::Tally;

/// Carries bytes both ways and counts them, until both sides have ended or one breaks. The end of one
/// direction is handed on, and the other goes on.
pub(super) async fn splice(
    client: impl AsyncRead + AsyncWrite + Unpin,
    server: impl AsyncRead + AsyncWrite + Unpin,
    tally: &Tally,
) -> io::Result<()> {
    let mut client = InspectReader::new(client, |read: &[u8]| tally.add_bytes(read.len()));
    let mut server = InspectReader::new(server, |read: &[u8]| tally.add_bytes(read.len()));
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

/// As [`splice`]; where one connection breaks both are reset.
pub(super) async fn splice_tcp(mut client: TcpStream, mut server: TcpStream, tally: &Tally) {
    if splice(&mut client, &mut server, tally).await.is_err() {
        reset(client);
        reset(server);
    }
}

/// Ends a connection with a TCP reset.
pub(super) fn reset(stream: TcpStream) {
    // It can only fail on what is no TCP socket.
    let _ = stream.set_zero_linger();
}
