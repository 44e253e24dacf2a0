//! What breaks in the middle of a call.

use super::{Attachment, Readdressing};
use farcall_scenario::{CertificateFlaw, FaultKind, Link, Moment};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// A fault as the verdict looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedFault {
    /// What it is, in words.
    pub what: String,
    /// Whether it drops packets, of which there must have been some.
    pub drops: bool,
    /// What breaks.
    pub kind: FaultKind,
    /// The site or TURN server that it befalls.
    pub target: String,
    /// The least that a packet takes to cross the link whose conditions it changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_delay: Option<LeastDelay>,
}

/// The least that a packet takes to cross a link, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeastDelay {
    /// Towards the internet.
    pub up_us: u64,
    /// Towards the site.
    pub down_us: u64,
}

/// A fault with everything that it needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedFault {
    /// What it is, in words: `link-down at office`.
    pub what: String,
    /// The node that it befalls; `None`: the TURN server through which media go at that moment.
    pub node: Option<String>,
    /// What is done there.
    pub action: FaultAction,
    /// What is done instead at gateways, for each TURN server that it may befall, by the server's node; empty: it is
    /// done at the node itself.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub around: BTreeMap<String, Vec<GatewayAction>>,
    /// When it begins.
    pub from: Moment,
    /// When it is mended; `None`: when the call ends.
    pub until: Option<Moment>,
}

/// What a gateway does for a fault that befalls a server.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GatewayAction {
    /// The gateway.
    pub gateway: String,
    /// What it does.
    pub action: FaultAction,
}

/// What a node does for a fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FaultAction {
    /// Adds this table to its rules, and takes it away when the fault is mended.
    Drop {
        /// The table's name.
        table: String,
        /// The table in nft's own language. What it drops is counted by the counter [`DROPPED`](Self::DROPPED).
        rules: String,
    },
    /// Forgets all connections and mappings.
    ForgetMappings,
    /// Restarts a gateway: adds this table to its rules; when the fault is mended, takes it away and forgets all
    /// connections and mappings.
    Restart {
        /// The table's name.
        table: String,
        /// The table, as of [`Drop`](Self::Drop).
        rules: String,
    },
    /// Changes the link's conditions, and changes them back when the fault is mended.
    ChangeLink {
        /// The conditions.
        link: Link,
        /// From which everything random in it follows.
        seed: u64,
    },
    /// Gives a gateway another public address, and the old one again when the fault is mended.
    Readdress(Readdressing),
    /// Moves a peer to another network, and back when the fault is mended.
    Move {
        /// Where it was.
        from: Attachment,
        /// Where it goes.
        to: Attachment,
    },
    /// Lets a peer's process stand still with everything that it does, and go on when the fault is mended.
    Freeze,
    /// Stops the signalling server, and starts it again when the fault is mended.
    StopSignalling,
    /// Kills coturn, and starts it anew when the fault is mended.
    KillServer,
    /// Lets coturn stand still, and go on when the fault is mended.
    FreezeServer,
    /// Kills coturn and starts it anew.
    RestartServer,
    /// Gives every account of the server another password, and its own back when the fault is mended.
    ChangeCredentials,
    /// Takes allocations with every account until the server refuses more, and releases them when the fault is mended.
    ExhaustQuota,
    /// Gives coturn a certificate with this flaw, and its own back when the fault is mended.
    ReplaceCertificate {
        /// What is wrong with it.
        flaw: CertificateFlaw,
    },
    /// Gives the site's resolver this configuration, and its own back when the fault is mended.
    ReplaceNames {
        /// dnsmasq's configuration.
        configuration: String,
        /// By how much its answers are late then, in milliseconds, as of
        /// [`Gateway::dns_delay_ms`](super::Gateway::dns_delay_ms).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delay_ms: Option<u32>,
        /// A name that it is asked for to see that it is so.
        name: String,
        /// The address that it gives for that; `None`: the name does not exist.
        address: Option<Ipv4Addr>,
    },
}

impl FaultAction {
    /// The counter of a fault's table.
    pub const DROPPED: &str = "fault/dropped";
}
