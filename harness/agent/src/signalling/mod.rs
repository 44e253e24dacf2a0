//! Signalling as applications have it: a WebSocket (RFC 6455) over TLS to a server on the internet, through which the
//! two peers of a call say to each other what sets up their connection.
//!
//! The `server` relays what clients say in a room and keeps nothing; the `client` opens its connection again when it
//! breaks; `exchange` sees to it that every signal arrives once and in order nevertheless; `frame` is what is said.

mod client;
mod exchange;
mod frame;
mod server;
#[cfg(test)]
mod tests;

pub(crate) use client::SignallingClient;
pub(crate) use server::SignallingServer;

use std::net::SocketAddr;

/// The signalling server could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignallingError {
    /// Its address is not to be had.
    #[error(
        "failed to listen at {at} for signalling: {source}; it must be an address of the node, at which nothing \
         else listens"
    )]
    Listen {
        /// Where.
        at: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// It was stopped, and is not.
    #[error("failed to stop the signalling server: something still listens at {at}")]
    Listens {
        /// Where.
        at: SocketAddr,
    },
    /// Its certificate is none.
    #[error("failed to use the signalling server's certificate: {reason}")]
    Certificate {
        /// Why.
        reason: String,
    },
}
