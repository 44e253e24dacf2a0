//! STUN servers, configured or implied by a TURN URL, which are asked from the local socket itself:
//! only so is the address that they see that socket's server-reflexive address.

use super::attempt::{FarEnd, Phase};
use super::observer::{Observer, SocketId, Use};
use super::resolve::Resolver;
use super::server::Server;
use super::transactions::transaction_id;
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio_util::sync::CancellationToken;
use webrtc::runtime::AsyncUdpSocket;

/// Datagrams that wait for a host name to be resolved; a Binding request is repeated anyway.
const QUEUED_DATAGRAMS: usize = 4;

/// The STUN servers of one local socket.
#[derive(Debug)]
pub(super) struct StunServers {
    socket: Arc<dyn AsyncUdpSocket>,
    local: SocketAddr,
    id: SocketId,
    observer: Arc<Observer>,
    resolver: Arc<Resolver>,
    closing: CancellationToken,
    ways: Mutex<BTreeMap<usize, Way>>,
}

#[derive(Debug)]
enum Way {
    Resolving(Vec<Vec<u8>>),
    /// To this address, until the server is given up.
    Open(SocketAddr, CancellationToken),
    Failed,
}

impl StunServers {
    pub fn new(
        socket: Arc<dyn AsyncUdpSocket>,
        local: SocketAddr,
        id: SocketId,
        observer: Arc<Observer>,
        resolver: Arc<Resolver>,
        closing: CancellationToken,
    ) -> Self {
        Self {
            socket,
            local,
            id,
            observer,
            resolver,
            closing,
            ways: Mutex::default(),
        }
    }

    /// The server's real address, to which the datagram may be sent now; `None` if the datagram
    /// waits for the name to be resolved. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the server cannot be reached; the peer connection then gives it up.
    pub fn route(
        self: &Arc<Self>,
        server: &Server,
        index: usize,
        datagram: &[u8],
    ) -> io::Result<Option<SocketAddr>> {
        let mut ways = self.lock();
        match ways.get_mut(&index) {
            Some(Way::Open(address, given_up)) if !given_up.is_cancelled() => Ok(Some(*address)),
            Some(Way::Open(..) | Way::Failed) => Err(io::ErrorKind::NotConnected.into()),
            Some(Way::Resolving(waiting)) => {
                if waiting.len() < QUEUED_DATAGRAMS {
                    waiting.push(datagram.to_vec());
                } else {
                    self.observer.dropped(self.of(index));
                }
                Ok(None)
            }
            None => {
                ways.insert(index, Way::Resolving(vec![datagram.to_vec()]));
                let opening = Arc::clone(self).open(server.clone(), index);
                tokio::spawn(opening);
                Ok(None)
            }
        }
    }

    /// Takes note of a datagram that was sent to a server.
    pub fn sent(&self, index: usize, datagram: &[u8]) {
        self.observer.sent(self.of(index), datagram);
    }

    /// The index of the server from which a datagram came, if it came from one.
    ///
    /// Several URLs may name one address: then a response belongs to one that asked and still waits.
    /// All of them may have asked with the same transaction id, since webrtc 0.21.1 uses zero.
    pub fn received(&self, from: SocketAddr, datagram: &[u8]) -> Option<usize> {
        let index = self.sender(from, datagram)?;
        self.observer
            .received(self.of(index), datagram, Instant::now());
        Some(index)
    }

    fn sender(&self, from: SocketAddr, datagram: &[u8]) -> Option<usize> {
        let ways = self.lock();
        let named = ways.iter().filter_map(|(index, way)| match way {
            Way::Open(address, _) if *address == from => Some(*index),
            _ => None,
        });
        let id = transaction_id(datagram);
        named.max_by_key(|index| {
            let of = self.of(*index);
            let has_asked = id.is_some_and(|id| self.observer.has_asked(of, id));
            (has_asked, self.observer.is_undecided(of))
        })
    }

    async fn open(self: Arc<Self>, server: Server, index: usize) {
        let of = self.of(index);
        let given_up = self.observer.attempt_began(of);
        let (host, port) = (&server.url.host, server.url.port);
        let resolved = tokio::select! {
            resolved = self.resolver.resolve(host, port, self.local.is_ipv4()) => resolved,
            () = self.closing.cancelled() => return,
            () = given_up.cancelled() => {
                self.lock().insert(index, Way::Failed);
                return;
            }
        };
        match resolved {
            Err(conclusion) => {
                self.lock().insert(index, Way::Failed);
                self.observer.ended(of, conclusion, Instant::now());
            }
            Ok(address) => {
                self.observer.reached(
                    of,
                    Phase::Open {
                        local: self.local,
                        far: FarEnd::Server(address),
                        is_stream: false,
                    },
                );
                let way = self.lock().insert(index, Way::Open(address, given_up));
                if let Some(Way::Resolving(waiting)) = way {
                    for datagram in waiting {
                        self.sent(index, &datagram);
                        if self.socket.send_to(&datagram, address).await.is_err() {
                            self.observer.dropped(of);
                        }
                    }
                }
            }
        }
    }

    fn of(&self, server: usize) -> Use {
        Use {
            server,
            socket: self.id,
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<usize, Way>> {
        self.ways.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
