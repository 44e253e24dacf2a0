//! Packet filters and translation, in nft's own language. Every rule counts under a name.

mod datapath;
mod firewall;
mod gateway;
mod inspect;
mod ipv6;
mod node;
mod ruleset;
mod server;

pub(crate) use gateway::gateway;
pub(crate) use node::{peer, probe};
pub(crate) use server::server;

/// The counter of what a NAT drops because nobody inside asked for it.
pub(crate) const UNSOLICITED: &str = "nat/drop-unsolicited";
