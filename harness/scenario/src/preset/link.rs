//! Links: what lies between a site and the internet.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A link as it is in each direction, seen from the site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// From the site to the internet.
    pub up: LinkDirection,
    /// From the internet to the site.
    pub down: LinkDirection,
}

/// One direction of a link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkDirection {
    /// One way, in milliseconds, 0 to 5000. A packet has it from the moment in which its last bit has
    /// left the queue.
    pub delay_ms: f64,
    /// How much the delay varies, in milliseconds, at most `delay_ms`: see [`JitterDistribution`].
    pub jitter_ms: f64,
    /// How it varies. Jitter alone reorders no packets.
    pub jitter_distribution: JitterDistribution,
    /// What is lost.
    pub loss: Loss,
    /// Packets that arrive twice, in percent, 0 to 100.
    pub duplicate_percent: f64,
    /// Packets that overtake those before them, in percent, 0 to 100: they skip the delay.
    pub reorder_percent: f64,
    /// How fast packets leave the queue.
    pub rate: Rate,
    /// How long a packet may wait in the queue, in milliseconds at the link's rate, 1 to 10000; what would
    /// wait longer is dropped (tail drop). Of no effect without a rate.
    pub queue_ms: u32,
    /// The largest IP packet in bytes, 1280 to 1500 (1280: RFC 8200 section 5).
    pub mtu: u16,
    /// Whether the sender of a packet that is too large and must not be fragmented is told (RFC 1191);
    /// else the packet vanishes, as behind a firewall that drops ICMP.
    pub fragmentation_needed: bool,
}

/// How a delay varies about its mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JitterDistribution {
    /// Evenly between `delay_ms - jitter_ms` and `delay_ms + jitter_ms`.
    #[default]
    Uniform,
    /// Normally, with `jitter_ms` as standard deviation; never below zero.
    Normal,
}

/// How packets are lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Loss {
    /// Not at all, but for what the queue drops.
    #[default]
    None,
    /// Each packet by itself.
    Random {
        /// In percent, 0 to 100.
        percent: f64,
    },
    /// In bursts: the Gilbert-Elliott model, a chain of a good and a bad state that takes one step with each
    /// packet (Gilbert, Bell System Technical Journal 39, 1960; Elliott, 42, 1963).
    Bursts {
        /// From good to bad, in percent for each packet, above 0 to 100.
        good_to_bad_percent: f64,
        /// From bad to good, in percent for each packet, above 0 to 100.
        bad_to_good_percent: f64,
        /// Loss in the good state, in percent.
        good_loss_percent: f64,
        /// Loss in the bad state, in percent.
        bad_loss_percent: f64,
    },
}

/// How fast packets leave a link's queue.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rate {
    /// At once.
    #[default]
    Unlimited,
    /// Steadily.
    Constant {
        /// In kbit/s (1000 bit/s) of IP packets, 8 to 1000000.
        kbit: u32,
    },
    /// As a recorded trace has it, over and over (mahimahi's format: at each moment one packet of up to 1500
    /// bytes can leave).
    Trace {
        /// The moments, in milliseconds since the trace began, ascending; the last one is its length.
        delivery_ms: Vec<u32>,
    },
}

impl Default for LinkDirection {
    /// A wire: no delay, no loss, no limit, and the MTU of Ethernet.
    fn default() -> Self {
        Self {
            delay_ms: 0.0,
            jitter_ms: 0.0,
            jitter_distribution: JitterDistribution::Uniform,
            loss: Loss::None,
            duplicate_percent: 0.0,
            reorder_percent: 0.0,
            rate: Rate::Unlimited,
            queue_ms: 200,
            mtu: 1500,
            fragmentation_needed: true,
        }
    }
}
