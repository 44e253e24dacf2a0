//! Where a connection that the rules redirected was meant to go.

use std::io;
use std::net::{SocketAddr, SocketAddrV4};

use nix::sys::socket::sockopt::OriginalDst;
use nix::sys::socket::{SockaddrIn, getsockopt};
use tokio::net::TcpStream;

/// Finds it out.
pub(super) trait Destination: Send + Sync + 'static {
    /// The destination.
    fn of(&self, stream: &TcpStream) -> io::Result<SocketAddrV4>;
}

impl<F: Fn(&TcpStream) -> io::Result<SocketAddrV4> + Send + Sync + 'static> Destination for F {
    fn of(&self, stream: &TcpStream) -> io::Result<SocketAddrV4> {
        self(stream)
    }
}

/// What connection tracking remembers (`SO_ORIGINAL_DST`). A connection that came here by itself has no other
/// destination, and is an error: it would be carried in a circle.
pub(super) fn original_destination(stream: &TcpStream) -> io::Result<SocketAddrV4> {
    let original = getsockopt(stream, OriginalDst)?;
    let original = SocketAddrV4::from(SockaddrIn::from(original));
    if stream.local_addr()? == SocketAddr::V4(original) {
        return Err(io::Error::other("the connection was not redirected"));
    }
    Ok(original)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use std::net::Ipv4Addr;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn a_connection_that_was_not_redirected_has_no_destination() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let connect = TcpStream::connect(listener.local_addr().unwrap());
        let (accepted, _client) = tokio::join!(listener.accept(), connect);
        assert!(original_destination(&accepted.unwrap().0).is_err());
    }
}
