//! Receiving with the moment of arrival as the kernel saw it, so that a process that is late to read changes
//! nothing about what it measures.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// How much a socket may hold unread, in bytes. Kernels give less where `net.core.rmem_max` is less.
const BUFFER_BYTES: usize = 4 << 20;

/// A datagram that arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    /// Its bytes in the buffer.
    pub(super) length: usize,
    /// Who sent it.
    pub(super) from: SocketAddr,
    /// When it arrived, on the kernel's clock.
    pub(super) at: Duration,
}

/// Has the kernel note when datagrams arrive, and keep many of them.
///
/// # Errors
/// When the kernel refuses.
pub(super) fn note_arrivals(socket: &UdpSocket) -> io::Result<()> {
    setsockopt(socket, sockopt::ReceiveTimestampns, &true)?;
    setsockopt(socket, sockopt::RcvBuf, &BUFFER_BYTES)?;
    Ok(())
}

/// Receives a datagram on a socket that [notes arrivals](note_arrivals).
///
/// # Errors
/// As of recvmsg(2): on a connected socket ICMP errors among them.
pub(super) async fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Received> {
    socket
        .async_io(Interest::READABLE, || receive_now(socket, buffer))
        .await
}

fn receive_now(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Received> {
    let mut control = nix::cmsg_space!(TimeSpec);
    let mut parts = [IoSliceMut::new(buffer)];
    let message = recvmsg::<SockaddrStorage>(
        socket.as_raw_fd(),
        &mut parts,
        Some(&mut control),
        MsgFlags::MSG_DONTWAIT,
    )?;
    let stamp = message.cmsgs()?.find_map(|part| match part {
        ControlMessageOwned::ScmTimestampns(stamp) => Some(Duration::from(stamp)),
        _ => None,
    });
    let from = message.address.as_ref().and_then(address);
    Ok(Received {
        length: message.bytes,
        from: from.ok_or(io::ErrorKind::InvalidData)?,
        at: stamp.ok_or(io::ErrorKind::Unsupported)?,
    })
}

fn address(of: &SockaddrStorage) -> Option<SocketAddr> {
    let ipv4 = of.as_sockaddr_in().map(|of| SocketAddrV4::from(*of).into());
    ipv4.or_else(|| {
        of.as_sockaddr_in6()
            .map(|of| SocketAddrV6::from(*of).into())
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[tokio::test]
    async fn the_sender_is_known_in_either_family() {
        for any in ["127.0.0.1:0", "[::1]:0"] {
            let [from, to] = [
                UdpSocket::bind(any).await.unwrap(),
                UdpSocket::bind(any).await.unwrap(),
            ];
            note_arrivals(&to).unwrap();
            let sender = from.local_addr().unwrap();
            from.send_to(b"one", to.local_addr().unwrap())
                .await
                .unwrap();
            let received = receive(&to, &mut [0; 16]).await.unwrap();
            assert_eq!(received.from, sender);
        }
    }

    #[tokio::test]
    async fn the_moment_of_arrival_is_the_kernels_not_the_readers() {
        let [from, to] = [
            UdpSocket::bind("127.0.0.1:0").await.unwrap(),
            UdpSocket::bind("127.0.0.1:0").await.unwrap(),
        ];
        note_arrivals(&to).unwrap();
        let destination = to.local_addr().unwrap();
        from.send_to(b"one", destination).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        from.send_to(b"two", destination).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut buffer = [0; 16];
        let one = receive(&to, &mut buffer).await.unwrap();
        let two = receive(&to, &mut buffer).await.unwrap();
        assert_eq!(&buffer[..two.length], b"two");
        assert_eq!(one.from, from.local_addr().unwrap());
        // They were read at the same moment.
        assert!(two.at - one.at >= Duration::from_millis(40));
    }
}
