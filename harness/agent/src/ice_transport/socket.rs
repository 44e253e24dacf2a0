//! A peer connection's local UDP socket that also carries what is meant for its servers.

use super::checks::Base;
use super::flight::LastFlight;
use super::link::{Inbound, Link, LinkConfig};
use super::observer::{SocketId, Use};
use super::reflexive::StunServers;
use super::runtime::Shared;
use super::server::{Server, index_of_stand_in};
use futures::future::poll_fn;
use std::collections::BTreeMap;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Instant;
use tokio::sync::mpsc;
use tokio_util::sync::{CancellationToken, DropGuard};
use webrtc::runtime::{AsyncUdpSocket, RecvMeta, Transmit};

/// Datagrams from TURN servers that wait to be read; a full queue holds their connections up.
const QUEUED_INBOUND: usize = 1_024;

/// Ordinary traffic passes through the inner socket. What goes to an address that stands for a
/// server goes to that server: to STUN servers from this very socket, to TURN servers over a link.
#[derive(Debug)]
pub(super) struct IceSocket {
    inner: Arc<dyn AsyncUdpSocket>,
    local: SocketAddr,
    id: SocketId,
    shared: Arc<Shared>,
    stun: Arc<StunServers>,
    links: Mutex<BTreeMap<usize, Link>>,
    inbound: Mutex<mpsc::Receiver<Inbound>>,
    inbound_sender: mpsc::Sender<Inbound>,
    /// Whether the links are served first at the next read, so that neither side starves the other.
    links_first: AtomicBool,
    last_flight: Arc<LastFlight>,
    closing: CancellationToken,
    _close_on_drop: DropGuard,
}

impl IceSocket {
    /// Must be called within a tokio runtime.
    pub fn new(inner: Arc<dyn AsyncUdpSocket>, shared: Arc<Shared>) -> io::Result<Arc<Self>> {
        let local = inner.local_addr()?;
        let id = shared.observer.socket_opened();
        let closing = CancellationToken::new();
        let (inbound_sender, inbound) = mpsc::channel(QUEUED_INBOUND);
        let last_flight: Arc<LastFlight> = Arc::default();
        let socket = Arc::new(Self {
            stun: Arc::new(StunServers::new(
                Arc::clone(&inner),
                local,
                id,
                Arc::clone(&shared.observer),
                Arc::clone(&shared.resolver),
                closing.clone(),
            )),
            inner,
            local,
            id,
            shared,
            links: Mutex::default(),
            inbound: Mutex::new(inbound),
            inbound_sender,
            links_first: AtomicBool::new(true),
            last_flight: Arc::clone(&last_flight),
            _close_on_drop: closing.clone().drop_guard(),
            closing: closing.clone(),
        });
        let repeated = repeat(last_flight, Arc::downgrade(&socket));
        tokio::spawn(closing.run_until_cancelled_owned(repeated));
        Ok(socket)
    }

    fn send_to_turn(
        &self,
        server: &Server,
        index: usize,
        transmit: &Transmit<'_>,
    ) -> io::Result<usize> {
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        let link = links.entry(index).or_insert_with(|| {
            Link::start(LinkConfig {
                of: Use {
                    server: index,
                    socket: self.id,
                },
                server: server.clone(),
                local_ip: self.local.ip(),
                observer: Arc::clone(&self.shared.observer),
                checks: Arc::clone(&self.shared.checks),
                resolver: Arc::clone(&self.shared.resolver),
                tls: self.shared.tls.clone(),
                proxy: self.shared.proxy,
                inbound: self.inbound_sender.clone(),
                closing: self.closing.clone(),
            })
        });
        for datagram in datagrams(transmit.contents, transmit.segment_size) {
            link.send(datagram)?;
            self.shared.nudge.relayed();
        }
        Ok(transmit.contents.len())
    }

    fn poll_send_anywhere(
        &self,
        cx: &mut Context<'_>,
        transmit: &Transmit<'_>,
    ) -> Poll<io::Result<usize>> {
        let index = index_of_stand_in(transmit.destination);
        let server = index.and_then(|index| Some((index, self.shared.servers.get(index)?)));
        match server {
            None if self.cannot_reach(transmit.destination) => {
                Poll::Ready(Ok(transmit.contents.len()))
            }
            None => self.poll_send_to_peer(cx, transmit),
            Some((index, server)) if server.is_stun() => {
                self.poll_send_to_stun(cx, server, index, transmit)
            }
            Some((index, server)) => Poll::Ready(self.send_to_turn(server, index, transmit)),
        }
    }

    fn poll_send_to_peer(
        &self,
        cx: &mut Context<'_>,
        transmit: &Transmit<'_>,
    ) -> Poll<io::Result<usize>> {
        let sent = self.inner.poll_send(cx, transmit);
        if matches!(sent, Poll::Ready(Ok(_))) {
            let (base, now) = (Base::Host(self.local), Instant::now());
            for datagram in datagrams(transmit.contents, transmit.segment_size) {
                let checks = &self.shared.checks;
                checks.sent(base, transmit.destination, datagram, now);
            }
        }
        sent
    }

    fn poll_send_to_stun(
        &self,
        cx: &mut Context<'_>,
        server: &Server,
        index: usize,
        transmit: &Transmit<'_>,
    ) -> Poll<io::Result<usize>> {
        let Some(destination) = self.stun.route(server, index, transmit.contents)? else {
            return Poll::Ready(Ok(transmit.contents.len()));
        };
        let transmit = Transmit {
            destination,
            ecn: transmit.ecn,
            contents: transmit.contents,
            segment_size: transmit.segment_size,
            src_ip: transmit.src_ip,
        };
        let sent = self.inner.poll_send(cx, &transmit);
        if matches!(sent, Poll::Ready(Ok(_))) {
            for datagram in datagrams(transmit.contents, transmit.segment_size) {
                self.stun.sent(index, datagram);
            }
        }
        sent
    }

    /// Behind NAT64 a socket that is bound to IPv6 has an IPv4 server-reflexive candidate, which webrtc-rs pairs
    /// with remote IPv4 candidates. What it sends for such a pair is lost, as on the way.
    fn cannot_reach(&self, destination: SocketAddr) -> bool {
        destination.is_ipv4() != self.local.is_ipv4()
    }

    fn poll_links(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<usize> {
        let mut inbound = self.inbound.lock().unwrap_or_else(PoisonError::into_inner);
        let mut filled = 0;
        for (buffer, meta) in bufs.iter_mut().zip(meta) {
            // This socket holds a sender, so the channel never ends.
            let Poll::Ready(Some((from, datagram))) = inbound.poll_recv(cx) else {
                break;
            };
            self.last_flight.received(&datagram);
            // A datagram beyond the buffer loses its end, as with any UDP socket.
            let length = datagram.len().min(buffer.len());
            buffer[..length].copy_from_slice(&datagram[..length]);
            *meta = RecvMeta::default();
            meta.addr = from;
            meta.len = length;
            meta.stride = length.max(1);
            filled += 1;
        }
        if filled == 0 {
            Poll::Pending
        } else {
            Poll::Ready(filled)
        }
    }

    fn poll_inner(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let polled = self.inner.poll_recv(cx, bufs, meta);
        if let Poll::Ready(Ok(filled)) = polled {
            for (buffer, meta) in bufs.iter().zip(meta).take(filled) {
                let received = &buffer[..meta.len];
                self.name_sender(received, meta);
                for datagram in received.chunks(meta.stride.max(1)) {
                    self.last_flight.received(datagram);
                }
            }
        }
        polled
    }

    /// Lets what came from a STUN server come from the address that stands for it; all else is the other
    /// peer's. Responses that the kernel has coalesced go to the URL that the first of them answers.
    fn name_sender(&self, received: &[u8], meta: &mut RecvMeta) {
        let from = meta.addr;
        for datagram in received.chunks(meta.stride.max(1)) {
            let index = self.stun.received(from, datagram);
            if index.is_none() {
                let base = Base::Host(self.local);
                let checks = &self.shared.checks;
                checks.received(base, from, datagram, Instant::now());
            }
            let server = index.and_then(|index| self.shared.servers.get(index));
            if let Some(server) = server
                && meta.addr == from
            {
                meta.addr = server.stand_in(from.is_ipv4());
            }
        }
    }
}

impl AsyncUdpSocket for IceSocket {
    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn poll_send(&self, cx: &mut Context<'_>, transmit: &Transmit<'_>) -> Poll<io::Result<usize>> {
        let sent = self.poll_send_anywhere(cx, transmit);
        if matches!(sent, Poll::Ready(Ok(_))) {
            for datagram in datagrams(transmit.contents, transmit.segment_size) {
                let now = Instant::now();
                self.last_flight.sent(transmit.destination, datagram, now);
            }
        }
        sent
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        if self.shared.nudge.is_due(cx) {
            return Poll::Ready(Err(io::ErrorKind::Interrupted.into()));
        }
        let links_first = self.links_first.fetch_not(Ordering::Relaxed);
        if links_first && let Poll::Ready(filled) = self.poll_links(cx, bufs, meta) {
            return Poll::Ready(Ok(filled));
        }
        let polled = self.poll_inner(cx, bufs, meta);
        if polled.is_pending() && !links_first {
            return self.poll_links(cx, bufs, meta).map(Ok);
        }
        polled
    }

    fn max_gso_segments(&self) -> usize {
        self.inner.max_gso_segments()
    }

    fn max_gro_segments(&self) -> usize {
        self.inner.max_gro_segments()
    }
}

impl Drop for IceSocket {
    fn drop(&mut self) {
        self.shared.observer.socket_closed(self.id);
    }
}

/// Sends the last flight of the handshake again whenever it is due, as long as the socket is there.
async fn repeat(last_flight: Arc<LastFlight>, socket: Weak<IceSocket>) {
    loop {
        let flight = last_flight.due().await;
        let Some(socket) = socket.upgrade() else {
            return;
        };
        if flight.is_empty() {
            return;
        }
        for (destination, contents) in flight {
            let transmit = Transmit {
                destination,
                ecn: None,
                contents: &contents,
                segment_size: None,
                src_ip: None,
            };
            let sent = poll_fn(|cx| socket.poll_send_anywhere(cx, &transmit)).await;
            if let Err(error) = sent {
                tracing::debug!(%error, %destination, "a DTLS flight could not be repeated");
            }
        }
    }
}

/// The single datagrams of a batch (UDP GSO).
fn datagrams(contents: &[u8], segment_size: Option<usize>) -> impl Iterator<Item = &[u8]> {
    contents.chunks(segment_size.unwrap_or(contents.len()).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_split_into_its_datagrams() {
        let all: Vec<&[u8]> = datagrams(b"aabbc", Some(2)).collect();
        assert_eq!(all, [&b"aa"[..], b"bb", b"c"]);
        let all: Vec<&[u8]> = datagrams(b"aabbc", None).collect();
        assert_eq!(all, [b"aabbc"]);
        assert_eq!(datagrams(b"", None).count(), 0);
    }
}
