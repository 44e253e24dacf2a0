//! How a connection speaks to the other peer's.

use crate::Outlet;
use crate::signalling::SignallingClient;
use farcall_protocol::{Signal, SignalBody};
use std::sync::Arc;

/// The way to the other peer.
#[derive(Clone)]
pub(super) enum Way {
    /// Through the harness.
    Harness(Outlet),
    /// Over the network.
    Network(Arc<SignallingClient>),
}

/// One connection's voice.
#[derive(Clone)]
pub(super) struct Speaker {
    pub way: Way,
    /// The number of the connection, by which the two peers tell it from others.
    pub connection: u32,
    /// Which of this peer's it is.
    pub incarnation: u32,
}

impl Speaker {
    /// Says something to the other peer.
    pub fn say(&self, body: SignalBody) {
        let signal = Signal {
            connection: self.connection,
            incarnation: self.incarnation,
            body,
        };
        match &self.way {
            Way::Harness(outlet) => outlet.signal(signal),
            Way::Network(client) => client.say(signal),
        }
    }

    /// The peer is on another network.
    pub fn moved(&self) {
        if let Way::Network(client) = &self.way {
            client.moved();
        }
    }
}
