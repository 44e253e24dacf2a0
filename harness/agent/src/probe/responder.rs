//! The responder on the internet: it tells whoever asks from which address the question came.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use farcall_plan::{PROBE_ADDRESSES, PROBE_PORTS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_util::task::AbortOnDropHandle;

use super::wire::{Answer, AnswerFrom, Question};

/// How long a TCP connection may stay.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(5);

/// The responder could not begin.
#[derive(Debug, thiserror::Error)]
#[error("failed to listen on {protocol} {address}: {source}")]
pub(crate) struct ProbeError {
    protocol: &'static str,
    address: SocketAddr,
    source: std::io::Error,
}

/// Answers until it is dropped.
pub(crate) struct Responder {
    _tasks: Vec<AbortOnDropHandle<()>>,
}

/// The UDP sockets of one address, in the order of its ports.
type Post = [UdpSocket; 2];

impl Responder {
    /// Begins to answer at the probe's addresses.
    pub(crate) async fn start() -> Result<Self, ProbeError> {
        Self::start_at(PROBE_ADDRESSES, PROBE_PORTS).await
    }

    /// Begins to answer at these addresses and ports.
    pub(super) async fn start_at(
        addresses: [Ipv4Addr; 2],
        ports: [u16; 2],
    ) -> Result<Self, ProbeError> {
        let mut posts: Vec<Post> = Vec::new();
        let mut tasks = Vec::new();
        for address in addresses {
            let at = ports.map(|port| SocketAddr::from((address, port)));
            posts.push([udp(at[0]).await?, udp(at[1]).await?]);
            for address in at {
                let listener = TcpListener::bind(address).await;
                let listener = listener.map_err(|source| ProbeError {
                    protocol: "TCP",
                    address,
                    source,
                })?;
                tasks.push(AbortOnDropHandle::new(tokio::spawn(accept(listener))));
            }
        }
        let posts = Arc::new(posts);
        for address in 0..addresses.len() {
            for port in 0..ports.len() {
                let answering = answer_datagrams(posts.clone(), address, port);
                tasks.push(AbortOnDropHandle::new(tokio::spawn(answering)));
            }
        }
        Ok(Self { _tasks: tasks })
    }
}

async fn udp(address: SocketAddr) -> Result<UdpSocket, ProbeError> {
    let bound = UdpSocket::bind(address).await;
    bound.map_err(|source| ProbeError {
        protocol: "UDP",
        address,
        source,
    })
}

async fn answer_datagrams(posts: Arc<Vec<Post>>, address: usize, port: usize) {
    let here = &posts[address][port];
    let mut buffer = [0; 1500];
    loop {
        // Errors are those of packets sent before, and who asked will ask again.
        let Ok((length, from)) = here.recv_from(&mut buffer).await else {
            continue;
        };
        let Ok(question) = serde_json::from_slice::<Question>(&buffer[..length]) else {
            continue;
        };
        let socket = match question.answer_from {
            AnswerFrom::Same => here,
            AnswerFrom::OtherPort => &posts[address][1 - port],
            AnswerFrom::OtherAddress => &posts[1 - address][1 - port],
        };
        let answer = Answer {
            token: question.token,
            observed: from,
        };
        if let Ok(answer) = serde_json::to_vec(&answer) {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

async fn accept(listener: TcpListener) {
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let answering = answer_stream(stream, from);
                tokio::spawn(tokio::time::timeout(CONNECTION_LIFETIME, answering));
            }
            // The connection is gone again, or there are too many files; the next may come.
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

async fn answer_stream(mut stream: TcpStream, from: SocketAddr) -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    if stream.read(&mut buffer).await? == 0 {
        return Ok(());
    }
    let mut line = serde_json::to_vec(&Answer {
        token: 0,
        observed: from,
    })?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    // To close with something unread would reset the connection, perhaps before the answer is read.
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}
