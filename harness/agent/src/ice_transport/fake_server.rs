//! TURN servers that behave as a test needs it, in this process on loopback.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::frame::TurnCodec;
use super::testing::{allocate_success, binding_success, challenge, error_response};
use super::transactions::is_request;
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use rtc::stun::attributes::ATTR_MESSAGE_INTEGRITY;
use rtc::stun::message::{METHOD_ALLOCATE, METHOD_BINDING, Message};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;
use tokio_util::codec::Framed;
use tokio_util::task::AbortOnDropHandle;

/// What a server does with an Allocate request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Behaviour {
    /// Challenges and then allocates an address with this port.
    Allocate(u16),
    /// As `Allocate`, but is no STUN server: Binding requests stay without an answer.
    OnlyAllocate(u16),
    /// Challenges, and answers the request with credentials with this error code.
    Refuse(u16),
    /// Reads and says nothing.
    Silent,
    /// Answers in another protocol.
    Http,
    /// Accepts connections and closes them at the first request.
    Close,
}

/// A running server; it ends when this is dropped.
pub(super) struct FakeServer {
    pub port: u16,
    _task: AbortOnDropHandle<()>,
}

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

impl FakeServer {
    pub async fn udp(behaviour: Behaviour) -> Self {
        Self::udp_at(LOOPBACK, behaviour).await
    }

    /// At the loopback of IPv6.
    pub async fn udp_over_ipv6(behaviour: Behaviour) -> Self {
        Self::udp_at(SocketAddr::from((Ipv6Addr::LOCALHOST, 0)), behaviour).await
    }

    async fn udp_at(local: SocketAddr, behaviour: Behaviour) -> Self {
        let socket = UdpSocket::bind(local).await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            let mut buffer = vec![0; 2_000];
            while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
                if let Some(answer) = answer(behaviour, &buffer[..length], client) {
                    socket.send_to(&answer, client).await.unwrap();
                }
            }
        });
        Self::new(port, task)
    }

    pub async fn tcp(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((stream, client)) = listener.accept().await {
                tokio::spawn(serve(behaviour, stream, client));
            }
        });
        Self::new(port, task)
    }

    pub async fn tls(behaviour: Behaviour, acceptor: TlsAcceptor) -> Self {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((stream, client)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        serve(behaviour, stream, client).await;
                    }
                });
            }
        });
        Self::new(port, task)
    }

    /// A TCP server that resets every connection as soon as it has read something.
    pub async fn resetting() -> Self {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                reset(stream).await;
            }
        });
        Self::new(port, task)
    }

    /// A port on which nobody listens.
    pub fn closed_port() -> u16 {
        let listener = std::net::TcpListener::bind(LOOPBACK).unwrap();
        listener.local_addr().unwrap().port()
    }

    fn new(port: u16, task: tokio::task::JoinHandle<()>) -> Self {
        Self {
            port,
            _task: AbortOnDropHandle::new(task),
        }
    }
}

/// Closing a socket with unread data makes the kernel send a reset.
async fn reset(mut stream: TcpStream) {
    let _ = stream.read_u8().await;
}

async fn serve(
    behaviour: Behaviour,
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    client: SocketAddr,
) {
    if matches!(behaviour, Behaviour::Http) {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        let _ = stream.flush().await;
    }
    if matches!(behaviour, Behaviour::Silent) {
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        return;
    }
    let mut messages = Framed::new(stream, TurnCodec::default());
    while let Some(Ok(message)) = messages.next().await {
        if matches!(behaviour, Behaviour::Close) {
            return;
        }
        if let Some(answer) = answer(behaviour, &message, client) {
            messages.send(answer).await.unwrap();
        }
    }
}

fn answer(behaviour: Behaviour, request: &[u8], client: SocketAddr) -> Option<Bytes> {
    if !is_request(request) {
        return None;
    }
    let mut message = Message::new();
    message.unmarshal_binary(request).unwrap();
    if matches!(behaviour, Behaviour::Silent) {
        return None;
    }
    if matches!(behaviour, Behaviour::Http) {
        return Some(Bytes::from_static(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    }
    if message.typ.method == METHOD_BINDING && !matches!(behaviour, Behaviour::OnlyAllocate(_)) {
        return Some(binding_success(request, client));
    }
    if message.typ.method != METHOD_ALLOCATE {
        return None;
    }
    if !message.contains(ATTR_MESSAGE_INTEGRITY) {
        return Some(challenge(request));
    }
    match behaviour {
        Behaviour::Allocate(port) | Behaviour::OnlyAllocate(port) => {
            let relay = SocketAddr::from(([203, 0, 113, 9], port));
            Some(allocate_success(request, relay, client))
        }
        Behaviour::Refuse(code) => Some(error_response(request, code)),
        Behaviour::Silent | Behaviour::Http | Behaviour::Close => None,
    }
}

/// A certificate authority for tests.
pub(super) struct Authority {
    pub pem: String,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    pub fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let name = &mut params.distinguished_name;
        name.push(rcgen::DnType::CommonName, "An authority");
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            pem,
            issuer: rcgen::Issuer::new(params, key),
        }
    }

    /// A server with a certificate for a name, valid in these years.
    pub fn acceptor(&self, name: &str, years: std::ops::Range<i32>) -> TlsAcceptor {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(years.start, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.end, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}
