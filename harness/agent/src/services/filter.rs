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
        self.pass.count();
        self.pass.add_bytes(hello.bytes.len());
        let connected = async {
            let destination = self.destination.of(&client)?;
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
