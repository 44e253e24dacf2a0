//! What was broken on purpose.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A fault's beginning or end, as it really was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultEvent {
    /// Its place among the scenario's faults, 1 being the first.
    pub number: u32,
    /// What it is, in words: `link-down at office`.
    pub what: String,
    /// Whether it began or was mended.
    pub edge: FaultEdge,
    /// How much later than declared that was in effect, in milliseconds; below zero where it was early, by less than what
    /// is known of the node's clock. `None` where no moment was declared: what stood before the call, and what is mended
    /// because the call is over.
    pub late_ms: Option<f64>,
    /// What it dropped, in packets, as far as it drops any; told when it is mended.
    pub dropped_packets: Option<u64>,
    /// What crossed the link whose conditions it changed; told when it is mended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crossed: Option<Crossed>,
}

/// What crossed a link while its conditions were changed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Crossed {
    /// Towards the internet.
    pub up: Crossing,
    /// Towards the site.
    pub down: Crossing,
}

/// What came to a link in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Crossing {
    /// Packets, lost ones among them.
    pub packets: u64,
    /// The shortest time that one of them took to cross it, waiting and transmission included, in milliseconds; those that
    /// overtook others do not count. `None`: there is none.
    pub shortest_ms: Option<f64>,
}

/// Which end of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FaultEdge {
    /// It took effect.
    Begun,
    /// It was mended.
    Mended,
}
