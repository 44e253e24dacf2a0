//! A resolver whose answers are late: what stands before it at the port of DNS and holds each answer back.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

/// How long the resolver behind may take; it is on the same node.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// The largest message over UDP (RFC 6891 section 6.2.5 leaves it to the two sides).
const LARGEST: usize = 4096;

/// Answers questions at an address as the resolver behind it does, and so late. It ends when this is dropped.
pub(crate) async fn delay(
    at: SocketAddr,
    behind: SocketAddr,
    by: Duration,
) -> io::Result<AbortOnDropHandle<()>> {
    let socket = Arc::new(UdpSocket::bind(at).await?);
    Ok(AbortOnDropHandle::new(tokio::spawn(async move {
        let mut question = [0; LARGEST];
        // Who asks and is gone by then is told by an ICMP error, which is the next one's result here.
        loop {
            if let Ok((length, from)) = socket.recv_from(&mut question).await {
                let question = question[..length].to_vec();
                let socket = Arc::clone(&socket);
                tokio::spawn(async move {
                    sleep(by).await;
                    if let Ok(Ok(answer)) = timeout(ANSWER_WITHIN, ask(behind, &question)).await {
                        let _ = socket.send_to(&answer, from).await;
                    }
                });
            }
        }
    })))
}

async fn ask(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let socket = UdpSocket::bind((crate::dns::unspecified(server.ip()), 0)).await?;
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut answer = vec![0; LARGEST];
    let length = socket.recv(&mut answer).await?;
    answer.truncate(length);
    Ok(answer)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use std::time::Instant;

    #[tokio::test]
    async fn answers_are_those_of_the_resolver_behind_and_late() {
        let behind = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let behind_at = behind.local_addr().unwrap();
        tokio::spawn(async move {
            let mut question = [0; 16];
            let (length, from) = behind.recv_from(&mut question).await.unwrap();
            question[..length].reverse();
            behind.send_to(&question[..length], from).await.unwrap();
        });
        let free = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = free.local_addr().unwrap();
        drop(free);
        let by = Duration::from_millis(60);
        let _delaying = delay(at, behind_at, by).await.unwrap();
        let asked_at = Instant::now();
        assert_eq!(ask(at, b"abc").await.unwrap(), b"cba");
        assert!(asked_at.elapsed() >= by);
    }
}
