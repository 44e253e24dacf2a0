//! TURN over UDP, TCP and TLS for webrtc-rs, with the outcome of every URL.
//!
//! webrtc 0.21.1 speaks TURN over UDP only and does not say what became of a server. This module
//! stands between it and the network, as its [`Runtime`](webrtc::runtime::Runtime): it tells webrtc-rs
//! of every URL as a UDP URL with a made-up host name and address (`server`), carries what is sent
//! there over the URL's own transport (`link`, `frame`, `connect`, `tunnel`) or, for STUN servers, over the
//! local socket (`reflexive`), and reads the STUN messages that pass: those of servers (`transactions`, `observer`) and
//! those between the peers (`checks`). Where webrtc-rs leaves off what browsers do, it makes up for it (`hold`, `nudge`,
//! `flight`). What an application connects to beside ICE servers goes the same way (`way`).

mod attempt;
mod checks;
#[cfg(test)]
mod checks_tests;
mod connect;
#[cfg(test)]
mod fake_server;
mod flight;
mod frame;
mod gather;
#[cfg(test)]
mod gather_tests;
mod hold;
#[cfg(test)]
mod ipv6_tests;
mod link;
mod nudge;
mod observer;
#[cfg(test)]
mod observer_tests;
mod outcome;
mod reflexive;
#[cfg(test)]
mod reflexive_tests;
mod resolve;
mod resolver_tasks;
mod runtime;
mod server;
mod socket;
mod status;
#[cfg(test)]
mod testing;
mod transactions;
mod transport;
mod tunnel;
mod verifier;
mod way;

pub(crate) use checks::CheckedPair;
pub(crate) use connect::{tls_connector, tls_refusal};
pub use gather::{GatherError, gather};
pub use server::TransportError;
pub use status::{Observation, ServerStatus};
pub use transport::ServerTransport;
pub(crate) use way::{TlsStream, TlsWay};
