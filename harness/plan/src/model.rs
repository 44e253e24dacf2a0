//! Everything a lab would be.

mod fact;
mod fault;
mod gateway;
mod topology;

pub use fact::{
    Declaration, Fact, Fate, PROBE_ADDRESSES, PROBE_PACKET_BYTES, PROBE_PORTS, PROBE_SERVER_NAME,
    Passage, Payload, ProbeProtocol,
};
pub use fault::{ExpectedFault, FaultAction, GatewayAction, LeastDelay, PlannedFault};
pub use gateway::{
    COMPANY_AUTHORITY, DATAPATH_DEVICES, DATAPATH_MARK, DELAYED_DNS_PORT, Datapath, Gateway,
    GatewayService, LOGGED_IN_SET, NAT64_DEVICE, Nat64, PORTAL_DNS_PORT,
};

pub use topology::{Topology, TopologyPeer, TopologyRouter, TopologyServer, TopologySite};

use farcall_scenario::{
    CertificateFlaw, ExpectedFlows, ExpectedPair, ExpectedRecovery, IceTransportPolicy, IceUrl,
    MediaQuality, Recovery, Secret, ServerCondition, TimeStampUnit, Written,
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
    /// What is attested where peers go that move in the middle of the call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attestation_elsewhere: Vec<Elsewhere>,
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
    /// The server through which the peers' signalling goes.
    Signalling(SignallingServer),
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
    /// The secret by which it knows time-limited credentials, if it takes those. As little shown as the accounts.
    #[serde(skip)]
    pub secret: Option<Secret>,
    /// The name for which it needs a certificate, if it listens for TLS.
    pub certificate: Option<String>,
    /// What is wrong with certificates that it gets in the middle of the call.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replacement_flaws: Vec<CertificateFlaw>,
    /// What is wrong with the certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_flaw: Option<CertificateFlaw>,
    /// Whether others take all the allocations of each account that it has to give, from before the call on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_occupied: bool,
}

impl Interface {
    /// Whether it waits, without addresses, for the peer to move to its network.
    #[must_use]
    pub fn is_standby(&self) -> bool {
        self.addresses.is_empty() && self.addresses_v6.is_empty()
    }
}

/// What a peer that moves finds where it goes: measured there, before it comes back and the call begins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Elsewhere {
    /// The peer.
    pub peer: String,
    /// Where it is attached at first.
    pub from: Attachment,
    /// Where it goes.
    pub to: Attachment,
    /// What is measured there.
    pub attestation: Vec<Declaration>,
}

/// Where a peer is attached: its interface and what it learns there (RFC 2131).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// The interface with its addresses.
    pub interface: Interface,
    /// The next hop of the default route.
    pub gateway: Ipv4Addr,
    /// The resolver.
    pub resolver: Ipv4Addr,
}

/// Another public address of a gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Readdressing {
    /// The outer interface.
    pub interface: String,
    /// The address that it had.
    pub from: Ipv4Net,
    /// The one that it gets.
    pub to: Ipv4Net,
}

/// A signalling server: a WebSocket over TLS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignallingServer {
    /// Its host name, for which it needs a certificate.
    pub host: String,
    /// The TCP port at which it listens.
    pub port: u16,
}

impl Node {
    /// The interface that waits for the node to move to its network, if one does.
    #[must_use]
    pub fn standby(&self) -> Option<&Interface> {
        self.interfaces.iter().find(|at| at.is_standby())
    }

    /// The host name for which it needs a certificate, if it listens for TLS.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        match &self.role {
            Role::TurnServer(server) => server.certificate.as_deref(),
            Role::Signalling(server) => Some(&server.host),
            Role::Gateway(_) | Role::Peer { .. } | Role::Probe => None,
        }
    }
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
    /// The server through which their signalling goes; `None`: it goes through the harness.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signalling: Option<SignallingServer>,
    /// What the peers do when a connection breaks or does not form; `None`: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    /// The time-limited credentials that the peers are given; `None`: those of the ICE configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest: Option<RestAuthority>,
    /// From which everything random that a peer does follows, by peer.
    pub seeds: BTreeMap<String, u64>,
    /// The captive portal whose login page a peer answers before the call, by peer.
    pub logins: BTreeMap<String, SocketAddrV4>,
}

/// Who gives out time-limited credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestAuthority {
    /// The secret that it shares with the TURN servers.
    pub secret: Secret,
    /// How long they are valid, in seconds; 0: they are past when they are given out.
    pub valid_s: u32,
    /// What their time stamp counts.
    pub unit: TimeStampUnit,
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
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
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
    /// What must become of the media that each peer sends, if that is said; then every peer is named.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub flows: BTreeMap<String, ExpectedFlows>,
    /// What each peer's selected pair may be.
    pub selected_pair: BTreeMap<String, ExpectedPair>,
    /// What becomes of each URL, by peer, as it follows from rules and listeners, with servers that
    /// accept the configuration's account.
    pub ice_servers: BTreeMap<String, Vec<ExpectedOutcome>>,
    /// Whether each peer's signalling opens, as it follows from rules, by peer; empty where it goes through the harness.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub signalling: BTreeMap<String, ExpectedSignalling>,
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
    /// What is wrong with the TURN servers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub server_conditions: Vec<ServerCondition>,
    /// Whether TURN servers must refuse the credentials that the peers are given for the call.
    #[serde(
        default,
        alias = "has_expired_credentials",
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub refuses_credentials: bool,
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
    /// The rule that keeps the peer from the server, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked_by: Option<BlockingRule>,
}

/// Whether a peer's signalling opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedSignalling {
    /// Whether it does.
    pub opens: bool,
    /// Why, in words: the rule or listener that it follows from.
    pub because: String,
}

/// The common name of the authority between the lab's own and certificates that are sent without it.
pub const INTERMEDIATE_AUTHORITY: &str = "farcall lab intermediate CA";

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
