//! The responder on the internet: it tells whoever asks from which address the question came.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use farcall_plan::{PROBE_ADDRESSES, PROBE_PORTS, Passage};
use rustix::net::sockopt::{Ipv4PathMtuDiscovery, ip_mtu, set_ip_mtu_discover};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::arrivals::{Arrivals, Summary, Window};
use super::bulk;
use super::stamped::{note_arrivals, receive};
use super::train::{self, Packet};
use super::wire::{Answer, AnswerFrom, Ask, Question, Told, padded};

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
    /// Begins to answer at the probe's addresses, and at these two over IPv6 if it has any.
    pub(crate) async fn start(ipv6: Option<[Ipv6Addr; 2]>) -> Result<Self, ProbeError> {
        let mut responder = Self::start_at(PROBE_ADDRESSES, PROBE_PORTS).await?;
        if let Some(addresses) = ipv6 {
            let also = Self::start_at(addresses, PROBE_PORTS).await?;
            responder._tasks.extend(also._tasks);
        }
        Ok(responder)
    }

    /// Begins to answer at these addresses and ports.
    pub(super) async fn start_at(
        addresses: [impl Into<IpAddr> + Copy; 2],
        ports: [u16; 2],
    ) -> Result<Self, ProbeError> {
        let mut posts: Vec<Post> = Vec::new();
        let mut tasks = Vec::new();
        for address in addresses {
            let at = ports.map(|port| SocketAddr::new(address.into(), port));
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
    let bound = async {
        let socket = UdpSocket::bind(address).await?;
        note_arrivals(&socket)?;
        // Nothing is fragmented here, whatever the kernel learns of the way.
        if address.is_ipv4() {
            set_ip_mtu_discover(&socket, Ipv4PathMtuDiscovery::PROBE)?;
        }
        Ok(socket)
    };
    bound.await.map_err(|source| ProbeError {
        protocol: "UDP",
        address,
        source,
    })
}

async fn answer_datagrams(posts: Arc<Vec<Post>>, address: usize, port: usize) {
    let here = &posts[address][port];
    let mut trains = Trains::default();
    let mut sending = JoinSet::new();
    let mut buffer = [0; 1500];
    loop {
        // Errors are those of packets sent before, and who asked will ask again.
        let Ok(received) = receive(here, &mut buffer).await else {
            continue;
        };
        let packet = &buffer[..received.length];
        if let Some(packet) = train::read(packet) {
            trains.arrived(packet, received.at);
            continue;
        }
        let Ok(question) = serde_json::from_slice::<Question>(packet) else {
            continue;
        };
        let (asker, token) = (received.from, question.token);
        let socket = match &question.ask {
            Ask::Address { answer_from } => match answer_from {
                AnswerFrom::Same => here,
                AnswerFrom::OtherPort => &posts[address][1 - port],
                AnswerFrom::OtherAddress => &posts[1 - address][1 - port],
            },
            _ => here,
        };
        let mut ip_bytes = 0;
        let told = match question.ask {
            Ask::Address { .. } => None,
            Ask::Call { to, token } => {
                tell(here, to, token, asker, None, 0).await;
                None
            }
            Ask::Datagram { ip_bytes: bytes } => {
                ip_bytes = bytes;
                None
            }
            Ask::PathMtu => path_mtu(asker).await.map(|bytes| Told::PathMtu { bytes }),
            Ask::Train(wanted) => {
                if trains.begins(token) {
                    let posts = posts.clone();
                    sending.spawn(async move {
                        wanted.send(&posts[address][port], asker, token).await;
                    });
                }
                while sending.try_join_next().is_some() {}
                continue;
            }
            Ask::Connect { .. } => continue,
            Ask::Arrivals { train, window } => Some(Told::Arrivals(trains.summary(train, window))),
        };
        tell(socket, asker, token, asker, told, ip_bytes).await;
    }
}

/// Sends an answer. Who asked and gets none will ask again.
async fn tell(
    socket: &UdpSocket,
    to: SocketAddr,
    token: u64,
    observed: SocketAddr,
    told: Option<Told>,
    ip_bytes: u16,
) {
    let answer = Answer {
        token,
        observed,
        told,
    };
    if let Ok(answer) = padded(&answer, ip_bytes) {
        let _ = socket.send_to(&answer, to).await;
    }
}

/// What the kernel has learned from ICMP errors (RFC 1191), or the interface's own MTU.
async fn path_mtu(to: SocketAddr) -> Option<u32> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await.ok()?;
    socket.connect(to).await.ok()?;
    ip_mtu(&socket).ok()
}

/// What a post knows of trains.
#[derive(Default)]
struct Trains {
    arrived: VecDeque<(u64, Arrivals)>,
    begun: VecDeque<u64>,
}

impl Trains {
    /// How many are remembered, of either kind.
    const REMEMBERED: usize = 32;

    fn arrived(&mut self, packet: Packet, at: Duration) {
        let token = packet.token;
        if self.arrived.back().is_none_or(|(last, _)| *last != token)
            && !self.arrived.iter().any(|(other, _)| *other == token)
        {
            if self.arrived.len() >= Self::REMEMBERED {
                self.arrived.pop_front();
            }
            self.arrived.push_back((token, Arrivals::default()));
        }
        let mut newest = self.arrived.iter_mut().rev();
        if let Some((_, arrivals)) = newest.find(|(other, _)| *other == token) {
            arrivals.push(packet.index, packet.sent, at);
        }
    }

    fn summary(&self, train: u64, window: Window) -> Summary {
        let mut newest = self.arrived.iter().rev();
        let found = newest.find(|(token, _)| *token == train);
        found.map_or_else(Summary::default, |(_, arrivals)| arrivals.summary(window))
    }

    /// Whether it is asked for the first time.
    fn begins(&mut self, token: u64) -> bool {
        if self.begun.contains(&token) {
            return false;
        }
        if self.begun.len() >= Self::REMEMBERED {
            self.begun.pop_front();
        }
        self.begun.push_back(token);
        true
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

/// What becomes of a connection from this address. Whoever answers has taken it.
async fn open(here: IpAddr, there: SocketAddr, within: Duration) -> std::io::Result<Passage> {
    let socket = match here {
        IpAddr::V4(_) => TcpSocket::new_v4()?,
        IpAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.bind(SocketAddr::new(here, 0))?;
    match timeout(within, socket.connect(there)).await {
        Err(_) => Ok(Passage::Dropped),
        Ok(Ok(_)) => Ok(Passage::Passes),
        Ok(Err(error)) if error.kind() == ErrorKind::ConnectionRefused => Ok(Passage::Refused),
        Ok(Err(error)) => Err(error),
    }
}

async fn answer_stream(mut stream: TcpStream, from: SocketAddr) -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    let length = stream.read(&mut buffer).await?;
    let asked = &buffer[..length];
    if asked.is_empty() {
        return Ok(());
    }
    if bulk::is_wanted(asked) {
        return bulk::pour(&mut stream).await;
    }
    let told = match serde_json::from_slice::<Question>(asked).map(|question| question.ask) {
        Ok(Ask::Connect { port, within_ms }) => {
            let here = stream.local_addr()?.ip();
            let there = SocketAddr::new(from.ip(), port);
            let within = Duration::from_millis(within_ms.into());
            let passage = open(here, there, within).await?;
            Some(Told::Connection { passage })
        }
        _ => None,
    };
    let mut line = serde_json::to_vec(&Answer {
        token: 0,
        observed: from,
        told,
    })?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    // To close with something unread would reset the connection, perhaps before the answer is read.
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}
