//! The signalling server: clients meet in rooms, and what one says goes to the others that are there. It keeps
//! nothing, so one that starts anew has lost nothing but connections.

use super::SignallingError;
use super::frame::{Frame, MESSAGE_BYTES};
use crate::Outlet;
use farcall_protocol::CertificatePem;
use farcall_timeline::Event;
use futures::{SinkExt, StreamExt};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{
    UnboundedReceiver, UnboundedSender, WeakUnboundedSender, unbounded_channel,
};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_util::task::AbortOnDropHandle;

/// How long a client may take for the handshakes and its first message: far longer than any link needs.
const JOINS_WITHIN: Duration = Duration::from_secs(30);

/// After which silence a client is gone. A living one asks every second.
const SILENCE: Duration = Duration::from_secs(30);

/// A signalling server, running or stopped.
pub(crate) struct SignallingServer {
    at: SocketAddr,
    tls: TlsAcceptor,
    outlet: Outlet,
    running: Mutex<Option<AbortOnDropHandle<()>>>,
}

impl SignallingServer {
    /// Listens; clients can connect when this returns.
    pub async fn start(
        at: SocketAddr,
        certificate: &CertificatePem,
        outlet: &Outlet,
    ) -> Result<Self, SignallingError> {
        let server = Self {
            at,
            tls: acceptor(certificate)?,
            outlet: outlet.clone(),
            running: Mutex::default(),
        };
        server.start_again().await?;
        Ok(server)
    }

    /// Listens after it was stopped.
    pub async fn start_again(&self) -> Result<(), SignallingError> {
        let socket = TcpListener::bind(self.at).await;
        let socket = socket.map_err(|source| SignallingError::Listen {
            at: self.at,
            source,
        })?;
        let serving = serve(socket, self.tls.clone(), self.outlet.clone());
        let serving = AbortOnDropHandle::new(tokio::spawn(serving));
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(serving);
        Ok(())
    }

    /// Closes every connection and listens no more; the kernel refuses who comes. When this returns it is so.
    pub async fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let stopped = { running }.take();
        if let Some(serving) = stopped {
            serving.abort();
            let _ = serving.await;
        }
    }

    /// Sees that nobody listens any more.
    pub async fn refuses(&self) -> Result<(), SignallingError> {
        match TcpStream::connect(self.at).await {
            Err(_refused) => Ok(()),
            Ok(_) => Err(SignallingError::Listens { at: self.at }),
        }
    }
}

fn acceptor(certificate: &CertificatePem) -> Result<TlsAcceptor, SignallingError> {
    let failed = |reason: String| SignallingError::Certificate { reason };
    let chain = CertificateDer::pem_slice_iter(certificate.chain.as_bytes());
    let chain = chain.collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| failed(error.to_string()))?;
    let key = PrivateKeyDer::from_pem_slice(certificate.key.as_bytes());
    let key = key.map_err(|error| failed(error.to_string()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key));
    let config = config.map_err(|error| failed(error.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn serve(socket: TcpListener, tls: TlsAcceptor, outlet: Outlet) {
    let rooms = Rooms::default();
    let mut clients = JoinSet::new();
    loop {
        tokio::select! {
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) => {
                    clients.spawn(attend(stream, tls.clone(), rooms.clone()));
                }
                Err(error) => {
                    let message = format!("failed to take connections for signalling: {error}; it has stopped");
                    return outlet.event(Event::HarnessFault { message });
                }
            },
            Some(_) = clients.join_next() => {}
        }
    }
}

async fn attend(stream: TcpStream, tls: TlsAcceptor, rooms: Rooms) {
    // What is said is small and must not wait for more.
    let _ = stream.set_nodelay(true);
    let joining = timeout(JOINS_WITHIN, join(stream, tls, &rooms));
    // Who does not speak the protocol is not listened to.
    if let Ok(Some((mut socket, seat))) = joining.await {
        converse(&mut socket, seat).await;
        let _ = timeout(SILENCE, socket.close(None)).await;
    }
}

async fn join(
    stream: TcpStream,
    tls: TlsAcceptor,
    rooms: &Rooms,
) -> Option<(
    WebSocketStream<impl AsyncRead + AsyncWrite + Unpin + use<>>,
    Seat,
)> {
    let stream = tls.accept(stream).await.ok()?;
    let limits = WebSocketConfig::default().max_message_size(Some(MESSAGE_BYTES));
    let accepted = tokio_tungstenite::accept_async_with_config(stream, Some(limits)).await;
    let mut socket = accepted.ok()?;
    let first = socket.next().await?.ok()?;
    let first = serde_json::from_str(first.to_text().ok()?);
    let Ok(Frame::Join { room, peer }) = first else {
        return None;
    };
    let seat = rooms.join(room, peer);
    Some((socket, seat))
}

/// Carries until the connection breaks, falls silent, or the same client comes by another one.
async fn converse<S>(socket: &mut WebSocketStream<S>, mut seat: Seat)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        tokio::select! {
            said = timeout(SILENCE, socket.next()) => match said {
                Ok(Some(Ok(Message::Text(text)))) => seat.say(&text),
                Ok(Some(Ok(Message::Close(_)) | Err(_)) | None) | Err(_) => return,
                Ok(Some(Ok(_))) => {}
            },
            for_client = seat.heard.recv() => {
                let Some(text) = for_client else { return };
                let sent = timeout(SILENCE, socket.send(Message::Text(text)));
                if !matches!(sent.await, Ok(Ok(()))) {
                    return;
                }
            }
        }
    }
}

/// Who is where.
#[derive(Clone, Default)]
struct Rooms(Arc<Mutex<HashMap<String, Room>>>);

/// The clients of a room by name.
type Room = HashMap<String, UnboundedSender<Utf8Bytes>>;

/// A client's place in its room.
struct Seat {
    rooms: Rooms,
    room: String,
    peer: String,
    /// By which the others reach it, as long as no other connection of the same client has taken the place.
    own: WeakUnboundedSender<Utf8Bytes>,
    heard: UnboundedReceiver<Utf8Bytes>,
}

impl Rooms {
    /// Takes a place, also that of an earlier connection of the same client, and tells those who are there.
    fn join(&self, room: String, peer: String) -> Seat {
        let (own, heard) = unbounded_channel();
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let members = rooms.entry(room.clone()).or_default();
        let reach = own.downgrade();
        members.insert(peer.clone(), own);
        let present = Frame::Present.text().map(Utf8Bytes::from);
        if let Ok(present) = present {
            for other in members.values().filter(|_| members.len() > 1) {
                let _ = other.send(present.clone());
            }
        }
        drop(rooms);
        Seat {
            rooms: self.clone(),
            room,
            peer,
            own: reach,
            heard,
        }
    }
}

impl Seat {
    /// Says something to the others of the room.
    fn say(&self, text: &Utf8Bytes) {
        let rooms = self.rooms.0.lock().unwrap_or_else(PoisonError::into_inner);
        let members = rooms.get(&self.room).into_iter().flatten();
        for (_, other) in members.filter(|(name, _)| **name != self.peer) {
            let _ = other.send(text.clone());
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut rooms = self.rooms.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(members) = rooms.get_mut(&self.room) else {
            return;
        };
        if self.own.upgrade().is_some() {
            members.remove(&self.peer);
        }
        if members.is_empty() {
            rooms.remove(&self.room);
        }
    }
}
