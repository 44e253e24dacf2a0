//! Everything a lab would be.

use farcall_scenario::{
    Behaviour, Direction, ExpectedPair, IceTransportPolicy, IceUrl, Link, MediaQuality, Nat, Secret,
};
use farcall_timeline::{IceServerOutcome, IceTransport};
use ipnet::{Ipv4Net, Ipv6Net};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4};

/// What follows from a scenario and an ICE configuration. Computed without Docker.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The scenario's name.
    pub scenario: String,
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
    /// What is attested before the call, in order.
    pub attestation: Vec<Declaration>,
    /// What takes too long to be attested before each call: `farcall attest --deep` and tests measure it.
    pub deep_attestation: Vec<Declaration>,
    /// What must come of the call.
    pub expect: Expectations,
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

/// What runs in a gateway beside its rules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// dnsmasq's configuration, if this gateway resolves names for its LAN.
    pub dnsmasq: Option<String>,
    /// The configuration of a second dnsmasq, which gives a captive portal's address for every name. The rules
    /// send it the questions of who has not logged in. It listens at the same address on [`PORTAL_DNS_PORT`].
    pub portal_dnsmasq: Option<String>,
    /// The translator between the site's IPv6 and the IPv4 of everybody else, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nat64: Option<Nat64>,
    /// The way of packets through user space, if they take it.
    pub datapath: Option<Datapath>,
    /// What its firewall does in user space.
    pub services: Vec<GatewayService>,
}

/// The way of packets between inside and outside through the gateway's own process, over two TUN devices:
/// what the kernel's translation does not express, and the link.
///
/// Outward: inside interface, rules, device `up`, translation, link, device `up`, outside interface. Inward:
/// outside interface, device `down`, link, translation, device `down`, rules, inside interface. So the rules
/// see inside addresses only, and connection tracking sees each packet once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Datapath {
    /// The interface towards the peers.
    pub inside: String,
    /// The gateway's own address there, with the network.
    pub inside_address: Ipv4Net,
    /// The interface towards the internet.
    pub outside: String,
    /// The gateway's own address there, which a translation gives to what it translates.
    pub outside_address: Ipv4Addr,
    /// How it translates; `None` where it does not, or the kernel does.
    pub nat: Option<Nat>,
    /// The link; `None` for a wire.
    pub link: Option<Link>,
    /// From which everything random follows: lost packets, jitter, ports.
    pub seed: u64,
}

/// A translator of IPv6 packets to IPv4 packets and back, without state (RFC 7915): each peer has an IPv4 address,
/// out of the site's `lan`, that only the gateway knows. It moves packets through the TUN device [`NAT64_DEVICE`],
/// behind which everything else in the gateway sees those IPv4 addresses. What the gateway does to them, its NAT
/// above all, makes it one with state (RFC 6146).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nat64 {
    /// tayga's configuration.
    pub configuration: String,
    /// The gateway's own address on the device, with the network of the peers' IPv4 addresses.
    pub device_address: Ipv4Net,
    /// What goes to the device over IPv6: the prefix under which IPv4 addresses are (RFC 6052), and the
    /// translator's own address.
    pub routed: Vec<Ipv6Net>,
}

/// The name of the TUN device of a [`Nat64`].
pub const NAT64_DEVICE: &str = "nat64";

/// The names of the TUN devices of a [`Datapath`]: outward and inward.
pub const DATAPATH_DEVICES: [&str; 2] = ["up", "down"];

/// The mark of packets from outside on their way to `down`, ahead of the gateway's own addresses. Routing by their
/// interface would also catch the questions of ARP: the kernel answers those for an address that its
/// routing says is its own.
pub const DATAPATH_MARK: u32 = 0x66;

/// What a firewall does in user space. Connections onward come from the gateway's inside address, so that they
/// are translated and cross the link as those of any other host of the site. Counters have the names that
/// nftables counters have, and are reported with them; each counts connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum GatewayService {
    /// An HTTP proxy: CONNECT (RFC 9110 section 9.3.6).
    HttpProxy {
        /// Where it listens.
        listen: SocketAddrV4,
        /// The ports to which it connects; 403 for others.
        ports: Vec<u16>,
        /// The counter of connections that it made.
        allow: String,
        /// The counter of requests that it refused.
        deny: String,
    },
    /// Looks at the ClientHello of connections that the rules redirect here, and passes those for some server
    /// names on to where they were meant to go; resets others.
    TlsFilter {
        /// Where it listens.
        listen: SocketAddrV4,
        /// The server names (RFC 6066 section 3).
        server_names: Vec<String>,
        /// The counter of connections that passed.
        pass: String,
        /// The counter of connections that were reset.
        reset: String,
    },
    /// Re-terminates TLS of connections that the rules redirect here, with certificates of an authority of its
    /// own; resets what is no TLS.
    TlsInterceptor {
        /// Where it listens.
        listen: SocketAddrV4,
        /// The common name of its authority.
        issuer: String,
        /// The counter of connections that were re-terminated.
        intercept: String,
        /// The counter of connections that were reset.
        reset: String,
    },
    /// A captive portal: redirects every HTTP request that reaches it to its login page (RFC 8952 section 1),
    /// and puts the address of who answers that into the rules' set of those logged in.
    CaptivePortal {
        /// Where it speaks HTTP.
        http: SocketAddrV4,
        /// Where it speaks TLS, with a certificate of its own for whatever name is asked.
        tls: SocketAddrV4,
        /// The counter of redirected requests.
        redirect: String,
        /// The counter of logins.
        login: String,
    },
}

/// The name of the nftables set of IPv4 addresses that have logged in at a captive portal.
pub const LOGGED_IN_SET: &str = "logged-in";

/// Where the resolver of a captive portal listens, for who has not logged in.
pub const PORTAL_DNS_PORT: u16 = 5353;

/// The common name of the authority with which a company's firewall re-terminates TLS.
pub const COMPANY_AUTHORITY: &str = "Company TLS inspection CA";

/// The server name that probes ask for where none is given: nobody has it (RFC 6761 section 6.4).
pub const PROBE_SERVER_NAME: &str = "probe.invalid";

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
    /// The address at which servers on the internet see a peer, by peer: that of the outermost NAT on
    /// its way, without one its own.
    pub public_addresses: BTreeMap<String, Ipv4Addr>,
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

/// Something about the lab that is measured before the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// The node that measures.
    pub node: String,
    /// What is measured and what must come out.
    pub fact: Fact,
    /// The longest that an answer from the internet takes on the declared link, in milliseconds: what takes
    /// longer is lost or late.
    pub round_trip_ms: u32,
}

/// A fact about the lab.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Fact {
    /// The node has exactly these interfaces and addresses beside the loopback, and where none of them has an IPv6
    /// address, no IPv6.
    Interfaces {
        /// The interfaces, and without an address the devices of a datapath.
        interfaces: Vec<Interface>,
    },
    /// The kernel has no route from the node to these addresses (nothing is sent to them).
    NoRoute {
        /// Addresses outside the lab.
        to: Vec<Ipv4Addr>,
    },
    /// Docker's embedded resolver at 127.0.0.11 does not answer.
    NoEmbeddedResolver,
    /// The name resolves to this address.
    Resolves {
        /// The name.
        name: String,
        /// The address.
        address: Ipv4Addr,
    },
    /// Nothing leaves the node for the neighbours of any interface: link-local addresses and multicast groups of
    /// IPv6, behind which the host would be.
    LinkLocalClosed,
    /// The name resolves to this IPv6 address too.
    ResolvesToIpv6 {
        /// The name.
        name: String,
        /// The address.
        address: Ipv6Addr,
    },
    /// What happens to a connection over IPv6 to this address on the internet.
    Ipv6Passage {
        /// The protocol.
        protocol: ProbeProtocol,
        /// The address.
        address: Ipv6Addr,
        /// The port.
        port: u16,
        /// What becomes of it.
        passage: Passage,
    },
    /// The NAT between the node and the internet maps like this. Over UDP where UDP passes, else
    /// over TCP ports that pass. `None`: no translation.
    ///
    /// Over TCP the probes begin with a TLS handshake, which inspection lets through too.
    NatMapping {
        /// The declared mapping.
        mapping: Option<Behaviour>,
        /// The protocol that passes.
        protocol: ProbeProtocol,
        /// Two ports that pass, one even and one odd: see [`PROBE_PORTS`].
        ports: [u16; 2],
        /// The source port, the same for every peer of the site: a collision must change nothing (RFC 4787
        /// section 8). `None`: any that is free.
        source_port: Option<u16>,
        /// Whether the probe's second address is asked first, and the second port. Two neighbours of which one
        /// does so each ask first where the other does not, and collide afterwards: so a NAT cannot give the
        /// second of them one other port for everything.
        mirrored: bool,
    },
    /// The NAT between the node and the internet filters like this (UDP only). `None`: no filter.
    NatFiltering {
        /// The declared filtering.
        filtering: Option<Behaviour>,
        /// A UDP port that passes.
        port: u16,
        /// As of [`NatMapping`](Fact::NatMapping).
        source_port: Option<u16>,
    },
    /// What happens to a connection to this port on the internet.
    Passage {
        /// The protocol.
        protocol: ProbeProtocol,
        /// The port.
        port: u16,
        /// What is sent first.
        payload: Payload,
        /// The server name in the TLS handshake (RFC 6066 section 3); `None`: [`PROBE_SERVER_NAME`].
        server_name: Option<String>,
        /// The HTTP proxy through which it goes (CONNECT); `None`: it goes straight.
        proxy: Option<SocketAddrV4>,
        /// What becomes of it.
        passage: Passage,
    },
    /// Whether the NAT keeps source ports (RFC 4787 section 4.2.1), over UDP.
    NatPortPreservation {
        /// Whether it does.
        preserved: bool,
        /// A UDP port that passes.
        port: u16,
    },
    /// Whether two sockets of the node reach each other by their mapped addresses (RFC 4787 section 6), over
    /// UDP.
    NatHairpinning {
        /// Whether they do.
        hairpins: bool,
        /// A UDP port that passes.
        port: u16,
    },
    /// How long an idle UDP mapping lives (RFC 4787 section 4.3): it is there shortly before, and gone shortly
    /// after.
    NatUdpTimeout {
        /// In seconds.
        timeout_s: u32,
        /// A UDP port that passes.
        port: u16,
    },
    /// The delay there and back between the node and the internet. Without a link it is that of a wire, 0 ms.
    RoundTrip {
        /// The mean round trip that the link declares, in milliseconds.
        rtt_ms: f64,
        /// By how much a single one may be off, in milliseconds, both directions together.
        jitter_ms: f64,
        /// How long the link's rate takes for a probe's own packets there and back, at most, in milliseconds.
        sending_ms: f64,
        /// Whether packets may overtake others, and so come without the delay.
        overtaking: bool,
        /// The protocol that passes.
        protocol: ProbeProtocol,
        /// A port that passes.
        port: u16,
    },
    /// How fast packets cross the link.
    Rate {
        /// Which way.
        direction: Direction,
        /// In kbit/s of IP packets; `None`: no limit, of which a lower bound is measured.
        kbit: Option<u32>,
        /// How long the link's queue is, in milliseconds.
        queue_ms: u32,
        /// By how much a single packet's delay may be off, in milliseconds.
        jitter_ms: f64,
        /// A UDP port that passes.
        port: u16,
    },
    /// How much UDP a policing firewall lets pass; what is faster is dropped.
    PolicedRate {
        /// Which way.
        direction: Direction,
        /// In kbit/s of IP packets.
        kbit: u32,
        /// A UDP port that is policed.
        port: u16,
    },
    /// The largest packet that crosses the link, and whether the sender of a larger one is told.
    Mtu {
        /// Which way.
        direction: Direction,
        /// In bytes.
        mtu: u16,
        /// Whether "fragmentation needed" comes back (RFC 1191). `None` where the node's own interface takes
        /// no larger packet, so that the link never sees one.
        fragmentation_needed: Option<bool>,
        /// A UDP port that passes.
        port: u16,
    },
    /// How much the link loses in the long run.
    LossRatio {
        /// Which way.
        direction: Direction,
        /// In percent.
        percent: f64,
        /// How far off so many packets may be, in percent: half the 99.9 % confidence interval.
        tolerance_percent: f64,
        /// Packets to send.
        packets: u32,
        /// How many of them in a second.
        per_second: u32,
        /// A UDP port that passes.
        port: u16,
    },
    /// A TURN server's listener answers when asked from the internet.
    ListenerAnswers {
        /// The host name (for TLS, the name that its certificate must have).
        host: String,
        /// Its address.
        address: Ipv4Addr,
        /// The listener.
        listener: Listener,
    },
    /// A TURN server refuses what no URL names when asked from the internet: with an ICMP port
    /// unreachable error over UDP, with a TCP reset of the connection or of its first bytes else.
    ListenerRefuses {
        /// The host name.
        host: String,
        /// Its address.
        address: Ipv4Addr,
        /// The listener that it must not have.
        listener: Listener,
    },
}

/// A transport protocol that probes speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProbeProtocol {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
}

/// What a probe sends first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// Bytes that are no TLS handshake: over TCP, an HTTP request.
    Plain,
    /// A TLS ClientHello.
    Tls,
}

/// What becomes of what a probe sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Passage {
    /// An answer came.
    Passes,
    /// Nothing came back.
    Dropped,
    /// It was refused at once: a TCP reset in answer to SYN, an ICMP error, or a proxy's HTTP status.
    Refused,
    /// The TCP connection opened and was reset when the payload was sent.
    Reset,
    /// A TLS handshake was answered in the server's name by [`COMPANY_AUTHORITY`].
    Intercepted,
    /// An HTTP redirect to a captive portal came back.
    Redirected,
}

impl Passage {
    /// The words for a TLS handshake that this authority answers in the server's name.
    #[must_use]
    pub fn intercepted_by(authority: &str) -> String {
        format!("intercepted by {authority}")
    }
}

/// The address that all probes on the internet talk to, and the second one that filtering needs.
pub const PROBE_ADDRESSES: [Ipv4Addr; 2] =
    [Ipv4Addr::new(203, 0, 113, 2), Ipv4Addr::new(203, 0, 113, 3)];

/// The largest IP packet with which a probe measures a round trip, in bytes.
pub const PROBE_PACKET_BYTES: u16 = 128;

/// The even and the odd port at which the probe answers, on UDP and TCP, at each of
/// [`PROBE_ADDRESSES`]. What is sent to any other port is brought to the one of its own parity at the
/// same address, so that two questions from one source port to an even and an odd port of one address
/// stay two flows, whose source port the probe's own translation has no reason to change.
pub const PROBE_PORTS: [u16; 2] = [8, 7];
