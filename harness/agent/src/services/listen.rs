//! Where a service takes connections, and how many at once.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, SocketAddrV4};
use std::time::Duration;

use farcall_timeline::Event;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::ServicesError;
use crate::Outlet;

/// Connections at a time; more wait in the kernel until one ends. Far above what the peers of a lab open.
const CONNECTIONS: usize = 256;

/// How long a connection may last: Squid's default (`client_lifetime`).
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// A socket at which a service listens.
pub(super) struct Listener {
    what: &'static str,
    socket: TcpListener,
    outlet: Outlet,
}

impl Listener {
    /// Listens for a service of this name.
    pub async fn open(
        what: &'static str,
        address: SocketAddrV4,
        outlet: &Outlet,
    ) -> Result<Self, ServicesError> {
        let socket = TcpListener::bind(address).await;
        let socket = socket.map_err(|source| ServicesError::Listen {
            address,
            what,
            source,
        })?;
        Ok(Self {
            what,
            socket,
            outlet: outlet.clone(),
        })
    }

    /// Where it listens.
    #[cfg(test)]
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Hands each connection with its client's address to `handle`, until this is dropped; what is
    /// handled then ends too.
    pub async fn serve<H, F>(self, handle: H)
    where
        H: Fn(TcpStream, SocketAddrV4) -> F,
        F: Future<Output = ()> + Send + 'static,
    {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.socket.accept(), if connections.len() < CONNECTIONS => match accepted {
                    Ok((stream, SocketAddr::V4(client))) => {
                        // What is carried are datagrams, which must not wait for a segment to fill.
                        let _ = stream.set_nodelay(true);
                        connections.spawn(timeout(LIFETIME, handle(stream, client)));
                    }
                    // An IPv4 socket has no other clients.
                    Ok((_, SocketAddr::V6(_))) => {}
                    Err(error) if is_of_one_connection(&error) => {}
                    Err(error) => return self.fault(&error),
                },
                Some(_) = connections.join_next() => {}
            }
        }
    }

    fn fault(&self, error: &io::Error) {
        self.outlet.event(Event::HarnessFault {
            message: format!(
                "failed to take connections for the {}: {error}; it has stopped",
                self.what
            ),
        });
    }
}

/// accept(2) also tells of errors of the connection that it would have returned.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkDown
            | ErrorKind::NetworkUnreachable
    )
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use std::net::Ipv4Addr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn an_address_in_use_is_named() {
        let (outlet, _said) = Outlet::new();
        let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        let first = Listener::open("HTTP proxy", any, &outlet).await.unwrap();
        let SocketAddr::V4(taken) = first.address().unwrap() else {
            panic!("no IPv4 address");
        };
        let second = Listener::open("HTTP proxy", taken, &outlet).await;
        let error = second.err().unwrap().to_string();
        assert!(error.contains(&taken.to_string()), "{error}");
    }

    #[tokio::test]
    async fn more_connections_than_the_limit_wait_until_one_ends() {
        let (outlet, _said) = Outlet::new();
        let any = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0);
        let listener = Listener::open("test", any, &outlet).await.unwrap();
        let address = listener.address().unwrap();
        let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (inside, seen) = (open.clone(), most.clone());
        let serving = listener.serve(move |mut stream, _| {
            let (inside, seen) = (inside.clone(), seen.clone());
            async move {
                let now = inside.fetch_add(1, Ordering::Relaxed) + 1;
                seen.fetch_max(now, Ordering::Relaxed);
                let _ = stream.read_u8().await;
                inside.fetch_sub(1, Ordering::Relaxed);
            }
        });
        let clients = async {
            let mut clients = Vec::new();
            for _ in 0..CONNECTIONS + 2 {
                clients.push(TcpStream::connect(address).await.unwrap());
            }
            while most.load(Ordering::Relaxed) < CONNECTIONS {
                tokio::task::yield_now().await;
            }
            // Those who waited are served once the others have gone.
            let last = clients.split_off(CONNECTIONS);
            drop(clients);
            while open.load(Ordering::Relaxed) != last.len() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = serving => panic!("it stopped"),
            () = clients => {}
        }
        assert_eq!(most.load(Ordering::Relaxed), CONNECTIONS);
    }
}
