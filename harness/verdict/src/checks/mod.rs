//! The checks, one subject a file.

mod allocations;
mod blocking;
mod claims;
mod conditions;
mod connection;
mod datapath;
mod flow;
mod gateways;
mod harness;
mod ice_server;
mod lab;
mod media;
mod pair;
mod peers;
mod recovery;
mod released;
mod servers;
mod signalling;

pub(crate) use allocations::allocations;
pub(crate) use blocking::blocking_rules;
pub use claims::CLAIM_PERCENT;
pub(crate) use conditions::conditions;
pub(crate) use connection::{all_connected_at, connection, connection_lasts, offered_at};
pub(crate) use datapath::datapaths;
pub(crate) use flow::flows;
pub(crate) use gateways::gateways_agree;
pub(crate) use harness::{harness_complete, harness_sound, not_interrupted, unsupported};
pub(crate) use ice_server::ice_servers;
pub(crate) use lab::lab;
pub(crate) use media::media;
pub use media::{MIN_ARRIVED_DEGRADED_PERCENT, MIN_ARRIVED_PERCENT};
pub(crate) use pair::selected_pairs;
pub use pair::{fits_pair, pair_seen, pair_wanted};
pub(crate) use peers::peers_agree;
pub(crate) use recovery::{
    attempts, attempts_made, connected_again, faults, final_state, first_fault, media_again,
    outcome, policy,
};
pub(crate) use released::released;
pub(crate) use servers::servers_agree;
pub(crate) use signalling::signalling;
