//! Traffic that a node exchanges with the probe, and what the network made of it.

use farcall_scenario::Direction;
use serde::{Deserialize, Serialize};

/// Traffic between a node and the probe on the internet. Directions are those of the node's site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Traffic {
    /// UDP packets of one size at a steady pace.
    Packets {
        /// Where they go.
        direction: Direction,
        /// How many, at most 100,000.
        packets: u32,
        /// How large each is, IP header included, in bytes, 56 to 1500.
        ip_bytes: u16,
        /// How many in a second, at least 1.
        per_second: u32,
    },
    /// One TCP connection that brings through as much as it can.
    Bulk {
        /// Where it goes.
        direction: Direction,
        /// For how long, in milliseconds, up to 4000.
        ms: u32,
    },
}

/// What arrived of a [`Traffic`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Carried {
    /// How many packets arrived, of several copies one; 0 over TCP.
    pub packets: u32,
    /// How many bytes arrived after the first packet: with IP headers over UDP, of payload over TCP.
    pub bytes: u64,
    /// How long they took, in microseconds: over UDP from the first packet to the last.
    pub span_us: u64,
    /// How long packets were on their way; `None` over TCP and where none arrived.
    pub delays: Option<Delays>,
}

/// One-way delays, in microseconds: from the moment before the sender handed a packet to its kernel to the moment
/// in which the receiver's kernel had it. All nodes of a lab share one clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delays {
    /// The shortest.
    pub least_us: u64,
    /// That of the packet in the middle.
    pub median_us: u64,
    /// The 99th percentile.
    pub p99_us: u64,
    /// The 99.9th percentile.
    pub p999_us: u64,
    /// The longest.
    pub most_us: u64,
}
