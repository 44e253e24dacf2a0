//! The runtime that a peer connection is given: tokio, with sockets that reach every server.

use super::checks::Checks;
use super::link::TlsConnectorHandle;
use super::nudge::Nudge;
use super::observer::Observer;
use super::resolve::Resolver;
use super::server::{Server, index_of_host};
use super::socket::IceSocket;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};
use webrtc::runtime::{
    AsyncInterval, AsyncTcpListener, AsyncTcpStream, AsyncUdpSocket, JoinHandle, Runtime,
    TokioRuntime,
};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What the sockets of one peer connection share.
#[derive(Debug)]
pub(super) struct Shared {
    pub servers: Vec<Server>,
    pub observer: Arc<Observer>,
    pub checks: Arc<Checks>,
    pub resolver: Arc<Resolver>,
    pub tls: TlsConnectorHandle,
    pub proxy: Option<SocketAddr>,
    pub nudge: Nudge,
}

/// Tokio for all but local UDP sockets and the names of ICE servers.
#[derive(Debug)]
pub(super) struct IceRuntime {
    pub shared: Arc<Shared>,
}

impl Runtime for IceRuntime {
    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn(future)
    }

    fn spawn_reactor(
        &self,
        reactor_pool_size: usize,
        future: Pin<Box<dyn Future<Output = ()> + Send>>,
    ) -> Box<dyn JoinHandle> {
        TokioRuntime.spawn_reactor(reactor_pool_size, future)
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        let inner = TokioRuntime.wrap_udp_socket(socket)?;
        Ok(IceSocket::new(inner, Arc::clone(&self.shared))?)
    }

    fn wrap_tcp_listener(&self, listener: TcpListener) -> io::Result<Arc<dyn AsyncTcpListener>> {
        TokioRuntime.wrap_tcp_listener(listener)
    }

    fn connect_tcp<'a>(
        &'a self,
        remote_addr: SocketAddr,
    ) -> Boxed<'a, io::Result<Arc<dyn AsyncTcpStream>>> {
        TokioRuntime.connect_tcp(remote_addr)
    }

    /// A made-up host name resolves at once to the address that stands for its server. The real
    /// name is resolved when the first datagram goes there, since webrtc-rs does nothing else while
    /// it waits here: one slow name would hold up all servers.
    fn resolve_host<'a>(&'a self, host: &'a str) -> Boxed<'a, io::Result<Vec<SocketAddr>>> {
        let server = index_of_host(host).and_then(|index| self.shared.servers.get(index));
        let Some(server) = server else {
            return Box::pin(async move { TokioRuntime.resolve_host(host).await });
        };
        self.shared.observer.begin(Instant::now());
        let stand_ins = vec![server.stand_in(true), server.stand_in(false)];
        Box::pin(std::future::ready(Ok(stand_ins)))
    }

    /// The driver asks for a sleep at the end of each turn.
    fn sleep(&self, duration: Duration) -> Boxed<'static, ()> {
        self.shared.nudge.driver_sleeps();
        TokioRuntime.sleep(duration)
    }

    fn interval(&self, period: Duration) -> Box<dyn AsyncInterval> {
        TokioRuntime.interval(period)
    }

    fn block_on(&self, future: Pin<Box<dyn Future<Output = ()> + '_>>) {
        TokioRuntime.block_on(future);
    }

    fn yield_now(&self) -> Boxed<'static, ()> {
        TokioRuntime.yield_now()
    }

    fn name(&self) -> &'static str {
        "farcall-ice"
    }
}
