//! Where a resolver's background tasks run: they end with it.
//!
//! hickory 0.26 keeps them in a set that they hold themselves, so that they outlive every resolver (seen: one task more
//! after each connection whose servers have names).

use hickory_resolver::net::runtime::{RuntimeProvider, Spawn, TokioRuntimeProvider};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::task::JoinSet;

type Inner = TokioRuntimeProvider;
type Opening<T> = Pin<Box<dyn Send + Future<Output = io::Result<T>>>>;

/// The tasks of a resolver; they end when this is dropped.
#[derive(Default)]
pub(super) struct ResolverTasks(Arc<Mutex<JoinSet<()>>>);

impl ResolverTasks {
    /// Ends them.
    pub fn end(&self) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.abort_all();
        tasks.detach_all();
    }

    /// A runtime whose tasks are among these.
    pub fn runtime(&self) -> ResolverRuntime {
        ResolverRuntime {
            tasks: Arc::downgrade(&self.0),
            sockets: Inner::new(),
        }
    }
}

/// Tokio, but for whom tasks belong to.
#[derive(Clone)]
pub(super) struct ResolverRuntime {
    tasks: Weak<Mutex<JoinSet<()>>>,
    sockets: Inner,
}

impl Spawn for ResolverRuntime {
    fn spawn_bg(&mut self, future: impl Future<Output = ()> + Send + 'static) {
        // Without its resolver nobody asks for what it would do.
        if let Some(tasks) = self.tasks.upgrade() {
            let mut tasks = tasks.lock().unwrap_or_else(PoisonError::into_inner);
            while tasks.try_join_next().is_some() {}
            tasks.spawn(future);
        }
    }
}

impl RuntimeProvider for ResolverRuntime {
    type Handle = Self;
    type Timer = <Inner as RuntimeProvider>::Timer;
    type Udp = <Inner as RuntimeProvider>::Udp;
    type Tcp = <Inner as RuntimeProvider>::Tcp;

    fn create_handle(&self) -> Self::Handle {
        self.clone()
    }

    fn connect_tcp(
        &self,
        server: SocketAddr,
        bind: Option<SocketAddr>,
        within: Option<Duration>,
    ) -> Opening<Self::Tcp> {
        self.sockets.connect_tcp(server, bind, within)
    }

    fn bind_udp(&self, local: SocketAddr, server: SocketAddr) -> Opening<Self::Udp> {
        self.sockets.bind_udp(local, server)
    }
}
