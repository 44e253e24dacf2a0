//! What goes over a signalling connection: one JSON object in each WebSocket text message.

use farcall_protocol::Signal;
use serde::{Deserialize, Serialize};

/// The longest message, in bytes. An offer with all its candidates has a few thousand.
pub(super) const MESSAGE_BYTES: usize = 256 * 1024;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Frame {
    /// The first of a client: the room in which it meets the other peer, and its own name there.
    Join {
        /// The room.
        room: String,
        /// Its name.
        peer: String,
    },
    /// Of the server: the other peer is in the room, anew or since before.
    Present,
    /// To the other peer.
    Signal {
        /// Its number among all that this peer says in the call, from 1.
        number: u64,
        /// What it says.
        signal: Signal,
    },
    /// To the other peer: everything up to this number has arrived.
    Received {
        /// The number.
        number: u64,
    },
}

impl Frame {
    /// The frame as text.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}
