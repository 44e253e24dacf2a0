//! Everything a lab would be.

mod fact;
mod gateway;
mod topology;

pub use fact::{
    Declaration, Fact, PROBE_ADDRESSES, PROBE_PACKET_BYTES, PROBE_PORTS, PROBE_SERVER_NAME,
    Passage, Payload, ProbeProtocol,
};
pub use gateway::{
    COMPANY_AUTHORITY, DATAPATH_DEVICES, DATAPATH_MARK, Datapath, Gateway, GatewayService,
    LOGGED_IN_SET, NAT64_DEVICE, Nat64, PORTAL_DNS_PORT,
};

pub use topology::{Topology, TopologyPeer, TopologyRouter, TopologyServer, TopologySite};

use farcall_scenario::{
    ExpectedPair, ExpectedRecovery, IceTransportPolicy, IceUrl, MediaQuality, Moment, Recovery,
    Secret, Written,
};
use farcall_timeline::{IceServerOutcome, IceTransport};
use ipnet::{Ipv4Net, Ipv6Net};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4};

/// What follows from a scenario and an ICE configuration. Computed without Docker.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The scenario's name.
    pub scenario: String,
    /// Where the scenario says what it expects, if it is written in a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<Written>,
    /// The ICE configuration's name.
    pub ice_configuration: String,
    /// From which everything random in the lab follows: see [`Datapath::seed`]. Sessions and Docker subnets
    /// are deliberately not seeded.
    pub seed: u64,
    /// Every network, in the order in which a packet from the first peer could meet them.
    pub networks: Vec<Network>,
    /// Every node: gateways, peers, TURN servers, the probe.
    pub nodes: Vec<Node>,
    /// Every host name that resolves inside the lab.
    pub names: BTreeMap<String, Ipv4Addr>,
    /// The call to place.
    pub call: CallPlan,
    /// What breaks in the middle of the call, in the order of the scenario.
    pub faults: Vec<PlannedFault>,
    /// What is attested before the call, in order.
    pub attestation: Vec<Declaration>,
    /// What takes too long to be attested before each call: `farcall attest --deep` and tests measure it.
    pub deep_attestation: Vec<Declaration>,
    /// What must come of the call.
    pub expect: Expectations,
    /// The lab as a picture has it.
    pub topology: Topology,
}

/// A Docker network of the lab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Network {
    /// Its name within the lab: `internet`, `office-lan`, `mobile-carrier`.
    pub name: String,
    /// Its addresses, as set inside the containers.
    pub subnet: Ipv4Net,
}

/// A container of the lab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Its name within the lab, unique.
    pub name: String,
    /// Its interfaces; no others exist but the loopback.
    pub interfaces: Vec<Interface>,
    /// Its routes beyond those of its interfaces.
    pub routes: Vec<Route>,
    /// Whether it forwards packets (`net.ipv4.ip_forward`), and other settings by sysctl name.
    pub sysctls: BTreeMap<String, String>,
    /// The complete nftables ruleset, in nft's own language.
    pub nftables: String,
    /// The resolver it uses, if any.
    pub resolver: Option<Ipv4Addr>,
    /// Its IPv6; `None`: IPv6 is off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6: Option<NodeIpv6>,
    /// What runs in it.
    pub role: Role,
}

/// The IPv6 of a node that has it, beside the addresses of its interfaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeIpv6 {
    /// Its routes beyond those of its interfaces.
    pub routes: Vec<Ipv6Route>,
    /// The resolver that it asks over IPv6, if any.
    pub resolver: Option<Ipv6Addr>,
    /// The prefix under which it reaches IPv4 addresses (RFC 6052), where it has none itself.
    pub nat64_prefix: Option<Ipv6Net>,
}

/// An IPv6 route of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ipv6Route {
    /// The destination; `::/0` for the default route.
    pub to: Ipv6Net,
    /// The next hop.
    pub via: Ipv6Addr,
}

/// An interface of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// The interface's name inside the container: `lan`, `wan`, `eth`.
    pub name: String,
    /// The network it is in.
    pub network: String,
    /// Its addresses with prefix length, the first being the primary one.
    #[schemars(with = "Vec<String>")]
    pub addresses: Vec<Ipv4Net>,
    /// Its IPv6 addresses with prefix length, likewise.
    #[schemars(with = "Vec<String>")]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses_v6: Vec<Ipv6Net>,
}

/// A route of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The destination; `0.0.0.0/0` for the default route.
    pub to: Ipv4Net,
    /// The next hop.
    pub via: Ipv4Addr,
}

/// What runs in a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
#[expect(
    clippy::large_enum_variant,
    reason = "a plan has a dozen nodes, and no others are held"
)]
pub enum Role {
    /// A gateway: NAT, firewall and, towards its LAN, the site's resolver.
    Gateway(Gateway),
    /// A WebRTC peer.
    Peer {
        /// Sends silence and blackness instead of the clip.
        muted: bool,
    },
    /// A STUN and TURN server.
    TurnServer(TurnServer),
    /// The responder on the internet that attestation probes talk to.
    Probe,
}

/// A coturn and what it listens on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnServer {
    /// The host name by which the ICE configuration knows it.
    pub host: String,
    /// coturn's configuration file.
    pub configuration: String,
    /// Exactly the listeners that the configuration's URLs name.
    pub listeners: Vec<Listener>,
    /// The accounts it accepts. Not shown by `farcall plan`, and travels to the agent apart.
    #[serde(skip)]
    pub accounts: Vec<TurnAccount>,
    /// The name for which it needs a certificate, if it listens for TLS.
    pub certificate: Option<String>,
}

/// A listener of a TURN server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Its port.
    pub port: u16,
    /// Its transport.
    pub transport: IceTransport,
}

/// An account of a TURN server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnAccount {
    /// The user name.
    pub username: String,
    /// The password.
    pub credential: Secret,
}

/// The call to place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallPlan {
    /// The peer that makes the offer.
    pub offerer: String,
    /// The peer that answers.
    pub answerer: String,
    /// The transport policy in force.
    pub policy: IceTransportPolicy,
    /// How long media flows once both peers are connected, in milliseconds.
    pub media_ms: u32,
    /// The gathering deadline, in milliseconds.
    pub gathering_timeout_ms: u32,
    /// The ICE configuration, URL by URL, in order: TURN entries first, STUN after.
    pub ice_servers: Vec<CallServer>,
    /// The HTTP proxy through which a peer reaches TURN servers over TCP and TLS, by peer.
    pub proxies: BTreeMap<String, SocketAddrV4>,
    /// What the peers do when a connection breaks or does not form; `None`: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    /// From which everything random that a peer does follows, by peer.
    pub seeds: BTreeMap<String, u64>,
    /// The captive portal whose login page a peer answers before the call, by peer.
    pub logins: BTreeMap<String, SocketAddrV4>,
}

/// One URL of the ICE configuration with its credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallServer {
    /// The URL.
    pub url: IceUrl,
    /// The user name, for TURN.
    pub username: Option<String>,
    /// The password, for TURN.
    pub credential: Option<Secret>,
}

/// What must come of the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectations {
    /// Whether a call can connect in this network.
    pub connects: bool,
    /// From the offer to both peers connected, at most, in milliseconds.
    pub within_ms: u32,
    /// Whether the local candidate of either peer's selected pair must be a relay candidate; `None`:
    /// both will do.
    pub relayed: Option<bool>,
    /// How well media arrive.
    pub media: MediaQuality,
    /// What must come of the faults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<ExpectedRecovery>,
    /// The faults in words, in order, each with whether it must have dropped packets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<ExpectedFault>,
    /// What each peer's selected pair may be.
    pub selected_pair: BTreeMap<String, ExpectedPair>,
    /// What becomes of each URL, by peer, as it follows from rules and listeners, with servers that
    /// accept the configuration's account.
    pub ice_servers: BTreeMap<String, Vec<ExpectedOutcome>>,
    /// Peers that send silence.
    pub muted: Vec<String>,
    /// For each peer, the blocking rules on its way that must count packets, because a URL of the
    /// configuration runs into them.
    pub blocking_rules: Vec<BlockingRule>,
    /// The gateways that the peer's packets pass, nearest first, by peer.
    pub gateways: BTreeMap<String, Vec<String>>,
    /// The addresses at which servers on the internet see a peer, by peer: that of the outermost NAT on
    /// its way, without one its own; then that of its IPv6, which nothing translates.
    pub public_addresses: BTreeMap<String, Vec<IpAddr>>,
    /// The TURN server node for each host name of the configuration.
    pub turn_nodes: BTreeMap<String, String>,
}

/// What a URL must come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedOutcome {
    /// The URL as the configuration has it.
    pub url: String,
    /// Its outcome.
    pub outcome: IceServerOutcome,
    /// Why, in words: the rule or listener that it follows from.
    pub because: String,
}

/// A fault as the verdict looks at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedFault {
    /// What it is, in words.
    pub what: String,
    /// Whether it drops packets, of which there must have been some.
    pub drops: bool,
}

/// A fault with everything that it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlannedFault {
    /// What it is, in words: `link-down at office`.
    pub what: String,
    /// The node that it befalls; `None`: the TURN server through which media go at that moment.
    pub node: Option<String>,
    /// What is done there.
    pub action: FaultAction,
    /// When it begins.
    pub from: Moment,
    /// When it is mended; `None`: when the call ends.
    pub until: Option<Moment>,
}

/// What a node does for a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Kills coturn, and starts it anew when the fault is mended.
    KillServer,
    /// Lets coturn stand still, and go on when the fault is mended.
    FreezeServer,
}

impl FaultAction {
    /// The counter of a fault's table.
    pub const DROPPED: &str = "fault/dropped";
}

/// A rule that must have counted packets during the call. Its counter is the gateway's: it counts
/// what anybody behind the gateway sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockingRule {
    /// The gateway that has it.
    pub gateway: String,
    /// The rule's counter.
    pub rule: String,
    /// A peer that uses a URL which runs into it.
    pub peer: String,
}
