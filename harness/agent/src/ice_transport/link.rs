//! The way from one local socket to one TURN server: UDP, TCP or TLS, with a task of its own.

use super::attempt::{FarEnd, Phase};
use super::checks::Checks;
use super::connect::{self, Stream};
use super::frame::{FrameError, TurnCodec, turn_message};
use super::hold::is_relayed;
use super::observer::{Observer, Use};
use super::outcome::Conclusion;
use super::resolve::Resolver;
use super::server::Server;
use super::transactions::{is_request, transaction_id};
use super::tunnel::tunnel;
use bytes::Bytes;
use farcall_scenario::IceUrl;
use farcall_timeline::{IceServerOutcome, IceTransport};
use futures::{SinkExt, StreamExt};
use rtc::stun::message::TransactionId;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio_rustls::TlsConnector;
use tokio_util::codec::Framed;
use tokio_util::sync::CancellationToken;

/// Datagrams that wait for a connection that is not open yet or cannot keep up; about three seconds
/// of video at 1.5 Mbit/s. More are dropped, as a full UDP socket would: waiting here would hold up
/// everything else that the peer connection sends.
const QUEUED_DATAGRAMS: usize = 512;

/// How long a link may take to send the rest, such as the release of an allocation, once its local
/// socket is closed.
const LINGER: Duration = Duration::from_secs(1);

/// The largest UDP payload.
const MAX_DATAGRAM_SIZE: usize = 65_535;

/// Request ids that are remembered to send no request twice over a stream.
const REMEMBERED_REQUESTS: usize = 64;

/// A datagram from a server, with the address that stands for it.
pub(super) type Inbound = (SocketAddr, Bytes);

/// What a link needs to know.
#[derive(Debug)]
pub(super) struct LinkConfig {
    pub of: Use,
    pub server: Server,
    /// The local socket's address; the link binds to its IP address.
    pub local_ip: IpAddr,
    pub observer: Arc<Observer>,
    pub checks: Arc<Checks>,
    pub resolver: Arc<Resolver>,
    pub tls: TlsConnectorHandle,
    /// The HTTP proxy on the way to servers over TCP and TLS.
    pub proxy: Option<SocketAddr>,
    pub inbound: mpsc::Sender<Inbound>,
    /// Cancelled when the local socket is dropped.
    pub closing: CancellationToken,
}

/// A TLS client without anything to show.
#[derive(Clone)]
pub(super) struct TlsConnectorHandle(pub TlsConnector);

impl std::fmt::Debug for TlsConnectorHandle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TlsConnector")
            .finish_non_exhaustive()
    }
}

/// A handle to a running link.
#[derive(Debug)]
pub(super) struct Link {
    of: Use,
    observer: Arc<Observer>,
    checks: Arc<Checks>,
    queue: mpsc::Sender<Bytes>,
}

impl Link {
    /// Starts a link. Must be called within a tokio runtime.
    pub fn start(config: LinkConfig) -> Self {
        let (queue, queued) = mpsc::channel(QUEUED_DATAGRAMS);
        let link = Self {
            of: config.of,
            observer: Arc::clone(&config.observer),
            checks: Arc::clone(&config.checks),
            queue,
        };
        tokio::spawn(config.run(queued));
        link
    }

    /// Queues a datagram, or drops it if the queue is full.
    ///
    /// # Errors
    /// When the link has ended; the peer connection then gives the server up.
    pub fn send(&self, datagram: &[u8]) -> io::Result<()> {
        if is_relayed(datagram) && !self.observer.may_relay(self.of) {
            return Ok(());
        }
        match self.queue.try_send(Bytes::copy_from_slice(datagram)) {
            Ok(()) => {
                self.checks.sent_to_turn(self.of, datagram, Instant::now());
                Ok(())
            }
            Err(mpsc::error::TrySendError::Full(_)) => {
                self.observer.dropped(self.of);
                Ok(())
            }
            Err(mpsc::error::TrySendError::Closed(_)) => {
                self.observer.dropped(self.of);
                Err(io::ErrorKind::NotConnected.into())
            }
        }
    }
}

impl LinkConfig {
    async fn run(self, queue: mpsc::Receiver<Bytes>) {
        let given_up = self.observer.attempt_began(self.of);
        let end = tokio::select! {
            end = self.carry(queue) => end,
            () = given_up.cancelled() => Ok(()),
        };
        if let Err(conclusion) = end {
            self.observer.ended(self.of, conclusion, Instant::now());
        }
    }

    async fn carry(&self, queue: mpsc::Receiver<Bytes>) -> Result<(), Conclusion> {
        let opened = tokio::select! {
            opened = self.open() => opened?,
            () = self.closing.cancelled() => return Ok(()),
        };
        match opened {
            Opened::Udp(socket) => self.carry_datagrams(socket, queue).await,
            Opened::Stream(stream) => self.carry_stream(stream, queue).await,
        }
    }

    async fn open(&self) -> Result<Opened, Conclusion> {
        let transport = self.server.url.transport;
        match (transport, self.proxy) {
            (IceTransport::Udp, _) => self.open_datagrams().await,
            (_, None) => {
                let server = self.resolve().await?;
                let far = FarEnd::Server(server);
                let (stream, local) = self.connect(far).await?;
                self.secure(stream, local, far).await
            }
            (_, Some(proxy)) => {
                let far = FarEnd::Proxy(proxy);
                let (stream, local) = self.connect(far).await?;
                self.reached(Phase::Tunnelling { local, far });
                // The proxy resolves the name, as it does for browsers.
                let IceUrl { host, port, .. } = &self.server.url;
                let stream = tunnel(stream, proxy, &format!("{host}:{port}")).await?;
                self.secure(stream, local, far).await
            }
        }
    }

    async fn resolve(&self) -> Result<SocketAddr, Conclusion> {
        let IceUrl { host, port, .. } = &self.server.url;
        let ipv4 = self.local_ip.is_ipv4();
        self.resolver.resolve(host, *port, ipv4).await
    }

    async fn open_datagrams(&self) -> Result<Opened, Conclusion> {
        let server = self.resolve().await?;
        let far = FarEnd::Server(server);
        self.reached(Phase::Connecting { far });
        let socket = connect::udp(self.local_ip, server).await?;
        if let Ok(local) = socket.local_addr() {
            self.opened(local, far, false);
        }
        Ok(Opened::Udp(socket))
    }

    async fn connect(&self, far: FarEnd) -> Result<(TcpStream, SocketAddr), Conclusion> {
        self.reached(Phase::Connecting { far });
        connect::tcp(self.local_ip, far).await
    }

    /// Makes a connection what the URL says: TLS, or nothing more.
    async fn secure(
        &self,
        stream: impl Stream + 'static,
        local: SocketAddr,
        far: FarEnd,
    ) -> Result<Opened, Conclusion> {
        if self.server.url.transport != IceTransport::Tls {
            self.opened(local, far, true);
            return Ok(Opened::Stream(Box::new(stream)));
        }
        self.reached(Phase::Handshaking { local, far });
        let stream = connect::tls(&self.tls.0, stream, &self.server.url.host).await?;
        self.opened(local, far, true);
        Ok(Opened::Stream(Box::new(stream)))
    }

    fn reached(&self, phase: Phase) {
        self.observer.reached(self.of, phase);
    }

    fn opened(&self, local: SocketAddr, far: FarEnd, is_stream: bool) {
        self.reached(Phase::Open {
            local,
            far,
            is_stream,
        });
    }

    async fn carry_stream(
        &self,
        stream: Box<dyn Stream>,
        mut queue: mpsc::Receiver<Bytes>,
    ) -> Result<(), Conclusion> {
        let (mut sink, mut source) = Framed::new(stream, TurnCodec::default()).split();
        let write = async {
            let mut requests = Requests::default();
            while let Some(datagram) = queue.recv().await {
                match turn_message(datagram) {
                    None => self.observer.dropped(self.of),
                    Some(repeated) if requests.is_repeated(&repeated) => {}
                    Some(message) => {
                        self.observer.sent(self.of, &message);
                        sink.feed(message).await?;
                    }
                }
                if queue.is_empty() {
                    sink.flush().await?;
                }
            }
            sink.close().await
        };
        let read = async {
            while let Some(datagram) = source.next().await {
                self.deliver(datagram?).await;
            }
            Err(FrameError::Io(io::ErrorKind::UnexpectedEof.into()))
        };
        let end = tokio::select! {
            end = write => end,
            end = read => end,
            () = self.lingered() => Ok(()),
        };
        end.map_err(|error| match error {
            FrameError::Io(error) => connect::at_exchange(&error),
            not_turn @ FrameError::NotTurn(_) => {
                Conclusion::failure(IceServerOutcome::Malformed, not_turn.to_string())
            }
        })
    }

    async fn carry_datagrams(
        &self,
        socket: UdpSocket,
        mut queue: mpsc::Receiver<Bytes>,
    ) -> Result<(), Conclusion> {
        let write = async {
            while let Some(datagram) = queue.recv().await {
                self.observer.sent(self.of, &datagram);
                if let Err(error) = socket.send(&datagram).await {
                    self.tolerate(&error)?;
                }
            }
            Ok(())
        };
        let read = async {
            let mut buffer = vec![0; MAX_DATAGRAM_SIZE];
            loop {
                match socket.recv(&mut buffer).await {
                    Ok(length) => {
                        self.deliver(Bytes::copy_from_slice(&buffer[..length]))
                            .await
                    }
                    Err(error) => self.tolerate(&error)?,
                }
            }
        };
        tokio::select! {
            end = write => end,
            end = read => end,
            () = self.lingered() => Ok(()),
        }
    }

    /// An ICMP error decides about a server that has not answered yet; later it is one lost packet.
    fn tolerate(&self, error: &io::Error) -> Result<(), Conclusion> {
        if self.observer.is_undecided(self.of) {
            let url = &self.server.url;
            let what = format!("UDP to {}:{}", url.host, url.port);
            return Err(connect::at_connect(&what, error));
        }
        self.observer.dropped(self.of);
        Ok(())
    }

    async fn deliver(&self, datagram: Bytes) {
        let now = Instant::now();
        self.observer.received(self.of, &datagram, now);
        self.checks.received_from_turn(self.of, &datagram, now);
        let from = self.server.stand_in(self.local_ip.is_ipv4());
        // Waiting for room holds the server up, as TCP is meant to. A closed channel means that the
        // local socket is gone, and this link with it.
        let _ = self.inbound.send((from, datagram)).await;
    }

    async fn lingered(&self) {
        self.closing.cancelled().await;
        tokio::time::sleep(LINGER).await;
    }
}

enum Opened {
    Udp(UdpSocket),
    Stream(Box<dyn Stream>),
}

/// webrtc-rs repeats requests since it believes to speak over UDP. Over a stream that is forbidden
/// (RFC 8489 section 6.2.2), and coturn would answer each.
#[derive(Debug, Default)]
struct Requests {
    seen: VecDeque<TransactionId>,
}

impl Requests {
    fn is_repeated(&mut self, datagram: &[u8]) -> bool {
        let Some(id) = transaction_id(datagram).filter(|_| is_request(datagram)) else {
            return false;
        };
        if self.seen.contains(&id) {
            return true;
        }
        if self.seen.len() == REMEMBERED_REQUESTS {
            self.seen.pop_front();
        }
        self.seen.push_back(id);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{allocate_request, allocate_success, channel_data};
    use super::*;

    #[test]
    fn requests_are_not_repeated_on_a_stream_and_all_else_is_sent() {
        let mut requests = Requests::default();
        let request = allocate_request(true);
        assert!(!requests.is_repeated(&request));
        assert!(requests.is_repeated(&request));
        assert!(!requests.is_repeated(&allocate_request(true)));
        let relay = SocketAddr::from(([203, 0, 113, 9], 50_000));
        let data = channel_data(0x4000, 40);
        for other in [allocate_success(&request, relay, relay), data] {
            assert!(!requests.is_repeated(&other));
            assert!(!requests.is_repeated(&other));
        }
    }

    #[test]
    fn a_request_may_come_again_after_many_others() {
        let mut requests = Requests::default();
        let first = allocate_request(true);
        requests.is_repeated(&first);
        for _ in 0..REMEMBERED_REQUESTS {
            assert!(!requests.is_repeated(&allocate_request(true)));
        }
        assert!(!requests.is_repeated(&first));
        assert!(requests.seen.len() <= REMEMBERED_REQUESTS);
    }
}
