//! Passes TLS connections for some server names on, and resets all else.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::destination::Destination;
use super::hello::{self, Beginning};
use super::onward::Onward;
use super::splice::{reset, splice_tcp};
use crate::counters::Tally;

/// A TLS filter.
pub(super) struct Filter<D> {
    /// As in a certificate: `*.` stands for one label (RFC 6125 section 6.4.3).
    pub server_names: Vec<String>,
    pub onward: Onward,
    pub destination: D,
    pub pass: Arc<Tally>,
    pub reset: Arc<Tally>,
}

impl<D: Destination> Filter<D> {
    /// Handles a connection to its end.
    pub async fn handle(self: Arc<Self>, mut client: TcpStream) {
        let hello = match hello::read(&mut client).await {
            Beginning::Tls(hello) => hello,
            Beginning::Other => return self.refuse(client),
            Beginning::Nothing => return,
        };
        let name = hello.server_name();
        if !name.is_some_and(|name| is_allowed(&self.server_names, &name)) {
            return self.refuse(client);
        }
        let Ok(destination) = self.destination.of(&client) else {
            return self.refuse(client);
        };
        self.pass.count();
        self.pass.add_bytes(hello.bytes.len());
        let connected = async {
            let mut server = self.onward.connect(destination).await?;
            server.write_all(&hello.bytes).await?;
            std::io::Result::Ok(server)
        };
        match connected.await {
            Ok(server) => splice_tcp(client, server, &self.pass).await,
            // There is nobody to whom it could be passed on.
            Err(_) => reset(client),
        }
    }

    fn refuse(&self, client: TcpStream) {
        self.reset.count();
        reset(client);
    }
}

/// Whether a server name, in lower case, is one of those allowed.
fn is_allowed(allowed: &[String], name: &str) -> bool {
    allowed.iter().any(|allowed| {
        let allowed = allowed.to_ascii_lowercase();
        match allowed.strip_prefix("*.") {
            Some(parent) => name
                .split_once('.')
                .is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
            None => name == allowed,
        }
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::super::authority::Authority;
    use super::super::testing::{
        Running, client_hello, closed_port, connect, count, echo, echoed, onward, serve, soon,
        tally, tls_connect, tls_echo,
    };
    use super::*;
    use std::io::ErrorKind;
    use std::net::SocketAddrV4;
    use tokio::io::AsyncReadExt;

    struct Filtering {
        at: SocketAddrV4,
        pass: Arc<Tally>,
        reset: Arc<Tally>,
        _running: Running,
    }

    /// A filter whose connections were all meant for `destination`.
    async fn filter(server_names: &[&str], destination: SocketAddrV4) -> Filtering {
        let (pass, reset) = (tally(), tally());
        let filter = Arc::new(Filter {
            server_names: server_names.iter().map(|name| (*name).to_owned()).collect(),
            onward: onward(),
            destination: move |_: &TcpStream| Ok(destination),
            pass: pass.clone(),
            reset: reset.clone(),
        });
        let (at, running) = serve(move |stream, _| filter.clone().handle(stream)).await;
        Filtering {
            at,
            pass,
            reset,
            _running: running,
        }
    }

    /// How a connection ends that begins with these bytes.
    async fn end_after(filter: &Filtering, bytes: &[u8]) -> ErrorKind {
        let mut client = connect(filter.at).await;
        client.write_all(bytes).await.unwrap();
        soon(client.read_u8()).await.unwrap_err().kind()
    }

    #[test]
    fn names_are_compared_without_case_and_a_star_stands_for_one_label() {
        let allowed = ["Turn.Example.NET", "*.example.org"].map(str::to_owned);
        for (name, expected) in [
            ("turn.example.net", true),
            ("a.turn.example.net", false),
            ("example.net", false),
            ("turn.example.org", true),
            ("a.turn.example.org", false),
            ("example.org", false),
            (".example.org", false),
            ("*.example.org", true),
            ("turn.example.org.evil.example", false),
        ] {
            assert_eq!(is_allowed(&allowed, name), expected, "{name}");
        }
    }

    #[tokio::test]
    async fn tls_for_an_allowed_name_passes_to_the_server_itself() {
        let authority = Arc::new(Authority::new("Lab").unwrap());
        let (server, _running) = tls_echo(&authority).await;
        for allowed in ["turn.example.net", "*.EXAMPLE.net"] {
            let filter = filter(&[allowed], server).await;
            // The certificate is the server's: nobody in between could have it.
            let mut client = tls_connect(filter.at, "turn.example.net", &authority)
                .await
                .unwrap();
            assert_eq!(echoed(&mut client, "a datagram").await, "a datagram");
            assert_eq!((count(&filter.pass), count(&filter.reset)), (1, 0));
            let bytes = filter.pass.read().bytes;
            assert!(bytes > 20, "{bytes}");
        }
    }

    #[tokio::test]
    async fn other_names_no_name_and_no_tls_are_reset() {
        let (server, _running) = echo().await;
        let filter = filter(&["turn.example.net"], server).await;
        for bytes in [
            client_hello(Some("other.example.net")),
            client_hello(None),
            b"farcall probe\r\n".to_vec(),
            // An Allocate request.
            vec![0, 3, 0, 0, 0x21, 0x12, 0xa4, 0x42],
        ] {
            let end = end_after(&filter, &bytes).await;
            assert_eq!(end, ErrorKind::ConnectionReset, "{bytes:?}");
        }
        assert_eq!((count(&filter.pass), count(&filter.reset)), (0, 4));
    }

    #[tokio::test]
    async fn a_client_hello_in_pieces_arrives_whole() {
        let (server, _running) = echo().await;
        let filter = filter(&["turn.example.net"], server).await;
        let hello = client_hello(Some("turn.example.net"));
        let mut client = connect(filter.at).await;
        client.set_nodelay(true).unwrap();
        for piece in hello.chunks(40) {
            client.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut arrived = vec![0; hello.len()];
        soon(client.read_exact(&mut arrived)).await.unwrap();
        assert_eq!(arrived, hello);
    }

    #[tokio::test]
    async fn where_no_server_is_the_connection_is_reset_after_it_was_let_through() {
        let filter = filter(&["turn.example.net"], closed_port()).await;
        let hello = client_hello(Some("turn.example.net"));
        let end = end_after(&filter, &hello).await;
        assert_eq!(end, ErrorKind::ConnectionReset);
        assert_eq!((count(&filter.pass), count(&filter.reset)), (1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_word_is_closed_in_the_end() {
        let (server, _running) = echo().await;
        let filter = filter(&["turn.example.net"], server).await;
        assert_eq!(end_after(&filter, b"").await, ErrorKind::UnexpectedEof);
        assert_eq!((count(&filter.pass), count(&filter.reset)), (0, 0));
    }

    #[tokio::test]
    async fn a_reset_by_the_server_reaches_the_client() {
        let (server, _running) = serve(|mut stream, _| async move {
            let _ = stream.read_u8().await;
            reset(stream);
        })
        .await;
        let filter = filter(&["turn.example.net"], server).await;
        let hello = client_hello(Some("turn.example.net"));
        let end = end_after(&filter, &hello).await;
        assert_eq!(end, ErrorKind::ConnectionReset);
    }
}
