//! In what state the two peers of a call are, as their events tell.

use farcall_plan::CallPlan;
use farcall_timeline::{Entry, Event, RecoveryEvent};

/// What an event says of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A new connection is being made.
    Begun,
    Connected,
    Failed,
    GaveUp,
    /// Its connection is in some other state.
    Other,
}

/// The last that was seen of each peer.
pub(crate) struct States<'a> {
    peers: [&'a str; 2],
    last: [Option<Seen>; 2],
}

impl<'a> States<'a> {
    pub(crate) fn new(call: &'a CallPlan) -> Self {
        Self {
            peers: [&call.offerer, &call.answerer],
            last: [None; 2],
        }
    }

    /// Takes an event, and tells what it says if it says something of a peer.
    pub(crate) fn take(&mut self, entry: &Entry) -> Option<Seen> {
        let peer = self.peers.iter().position(|peer| *peer == entry.node)?;
        let seen = match &entry.event {
            Event::CallStarted { .. } => Seen::Begun,
            Event::Recovery(RecoveryEvent::GaveUp { .. }) => Seen::GaveUp,
            Event::State(state) if state.machine == "connection" => match state.state.as_str() {
                "connected" => Seen::Connected,
                "failed" => Seen::Failed,
                _ => Seen::Other,
            },
            _ => return None,
        };
        // A connection that is closed after giving up says so.
        if self.last[peer] != Some(Seen::GaveUp) {
            self.last[peer] = Some(seen);
        }
        Some(seen)
    }

    pub(crate) fn both_connected(&self) -> bool {
        self.last == [Some(Seen::Connected); 2]
    }

    pub(crate) fn both_gave_up(&self) -> bool {
        self.last == [Some(Seen::GaveUp); 2]
    }
}
