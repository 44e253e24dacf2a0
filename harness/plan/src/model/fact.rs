//! What is measured of a lab before a call.

use super::{Interface, Listener};
use farcall_scenario::{Behaviour, CertificateFlaw, Direction};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV4};

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
    /// The gateway whose emulated link lies between the node and the internet, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_at: Option<String>,
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
        to: Vec<IpAddr>,
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
    /// What comes in over IPv6 to a port from which the node has asked (RFC 6092 section 3.2). `None`: everything.
    Ipv6Filtering {
        /// The declared filtering.
        filtering: Option<Behaviour>,
        /// An address on the internet.
        address: Ipv6Addr,
        /// A UDP port that passes.
        port: u16,
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
    /// What happens to a TCP connection from the probe to this port of the node, which nobody inside has called for.
    IncomingTcp {
        /// The node's port.
        port: u16,
        /// A TCP port on the internet that passes, to ask the probe over.
        over: u16,
        /// What becomes of it.
        passage: Passage,
    },
    /// What happens to a STUN request to a TURN server's listener, where a rule of the node's firewall names the
    /// server's address.
    ServerPassage {
        /// The host name (for TLS, the name that its certificate must have).
        host: String,
        /// Its address.
        address: IpAddr,
        /// The listener.
        listener: Listener,
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
    /// How fast packets cross a link whose rate is recorded: as fast as it lets them in any window of that length,
    /// wherever in the recording it begins.
    TracedRate {
        /// Which way.
        direction: Direction,
        /// How long the window is, in milliseconds.
        window_ms: u32,
        /// In the slowest such window, in kbit/s of IP packets.
        least_kbit: u32,
        /// In the fastest such window, in kbit/s of IP packets.
        most_kbit: u32,
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
    /// How many of the packets that are sent over the link have this fate in the long run.
    FateRatio {
        /// Which.
        fate: Fate,
        /// Which way they go.
        direction: Direction,
        /// In percent; of any fate but [`Fate::Lost`] of those that are not lost.
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
        address: IpAddr,
        /// The listener.
        listener: Listener,
    },
    /// The signalling server opens a WebSocket when asked from the internet.
    SignallingAnswers {
        /// Its host name, which its certificate must have.
        host: String,
        /// Its address.
        address: IpAddr,
        /// Its port.
        port: u16,
    },
    /// A TURN server's listener for TLS shows a certificate that a client must not take.
    ListenerCertificate {
        /// The host name, which the certificate ought to have.
        host: String,
        /// Its address.
        address: IpAddr,
        /// The listener.
        listener: Listener,
        /// What is wrong with the certificate.
        flaw: CertificateFlaw,
    },
    /// What is sent to a TURN server's relay ports from the internet vanishes, where a port that nobody has would refuse
    /// it.
    RelayPortsBlocked {
        /// The host name.
        host: String,
        /// Its address.
        address: IpAddr,
        /// One of the ports.
        port: u16,
    },
    /// The name resolves to this address, and so late.
    ResolvesSlowly {
        /// The name.
        name: String,
        /// The address.
        address: Ipv4Addr,
        /// How much time passes before the answer at least, in milliseconds.
        delay_ms: u32,
    },
    /// The name does not exist.
    NameMissing {
        /// The name.
        name: String,
    },
    /// A TURN server refuses what no URL names when asked from the internet: with an ICMP port
    /// unreachable error over UDP, with a TCP reset of the connection or of its first bytes else.
    ListenerRefuses {
        /// The host name.
        host: String,
        /// Its address.
        address: IpAddr,
        /// The listener that it must not have.
        listener: Listener,
    },
}

/// What becomes of a packet that does not arrive once and in the order of sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// It does not arrive.
    Lost,
    /// It arrives twice.
    Duplicated,
    /// It arrives before one that was sent earlier.
    Overtaking,
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
    /// A TLS handshake was answered in the server's name by [`COMPANY_AUTHORITY`](super::COMPANY_AUTHORITY).
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

/// The server name that probes ask for where none is given: nobody has it (RFC 6761 section 6.4).
pub const PROBE_SERVER_NAME: &str = "probe.invalid";
