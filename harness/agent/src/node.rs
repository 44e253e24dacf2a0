//! A node that is set up.

use farcall_plan::Node;

use crate::capture::Captures;
use crate::datapath::Datapath;
use crate::gateway::Gateway;
use crate::peer::Peer;
use crate::probe::{Responder, Turn};
use crate::signalling::SignallingServer;
use crate::turn::TurnServer;

/// A node with everything that runs in it.
pub(crate) struct RunningNode {
    /// As planned.
    pub(crate) node: Node,
    /// The lab's certificate authority, as PEM.
    pub(crate) ca_pem: String,
    /// What runs in it.
    pub(crate) role: RunningRole,
    /// The way of packets through this process, if they take it.
    pub(crate) datapath: Option<Datapath>,
    /// Who sends when, of what is measured here.
    pub(crate) turn: Turn,
    /// What records its packets.
    pub(crate) captures: Captures,
}

/// What runs in a node.
pub(crate) enum RunningRole {
    /// A gateway.
    Gateway(Gateway),
    /// A peer.
    Peer(Peer),
    /// A TURN server.
    TurnServer(Box<TurnServer>),
    /// The signalling server.
    Signalling(SignallingServer),
    /// The probe; its sockets close when it goes.
    Probe(#[expect(dead_code, reason = "held, not used")] Responder),
}
