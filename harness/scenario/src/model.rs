//! What a person writes: a scenario file, as serde types.

use crate::preset::{
    FirewallOverride, FirewallPreset, JitterDistribution, LinkPreset, Loss, NatPreset, Rate,
};
use crate::recovery::{ExpectedRecovery, Fault, Recovery};
use crate::servers::Servers;
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;

/// A call between two peers on networks of their own, and what must come of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The scenario's name: its file name without `.toml`. Not written in the file.
    #[serde(skip)]
    pub name: String,
    /// Where its expectations are written, if they are. Not written in the file.
    #[serde(skip)]
    pub written: Option<Written>,
    /// One line that says what the network is.
    pub description: String,
    /// Words to select scenarios by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The sites, by name (lower-case letters, digits and hyphens). Each is a LAN behind a gateway.
    pub sites: BTreeMap<String, Site>,
    /// The two peers, in the order in which they are written: the first makes the offer.
    pub peers: Vec<Peer>,
    /// How the call is placed.
    #[serde(default)]
    pub call: Call,
    /// How the lab's TURN servers differ from what the ICE configuration says.
    #[serde(default)]
    pub servers: Servers,
    /// What the peers do when a connection breaks or does not form; left out: nothing.
    pub recovery: Option<Recovery>,
    /// What breaks in the middle of the call.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// What a good ICE configuration achieves here.
    pub expect: Expect,
}

/// A place in a scenario file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// The file: as it was named, or for what comes with farcall, its path in farcall's repository.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// A LAN behind a gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// The LAN's addresses, with a prefix of /8 to /29. Two sites may have the same, as in life. With
    /// `nat = "none"` they must be public within the lab and its own: out of the documentation ranges
    /// 192.0.2.0/24 and 198.51.100.0/24 (RFC 5737). The third, 203.0.113.0/24, is the lab's internet.
    #[schemars(with = "String")]
    pub lan: Ipv4Net,
    /// The gateway between the LAN and the internet, or the carrier's network if there is one.
    pub gateway: Gateway,
    /// A carrier's network and NAT between the gateway and the internet (RFC 6598).
    pub carrier: Option<Carrier>,
    /// The link between the gateway and what lies beyond it, by a name that people use.
    #[serde(default)]
    pub link: LinkPreset,
    /// What differs from the link's preset.
    pub link_override: Option<LinkOverride>,
    /// Whether the site has IPv6.
    #[serde(default)]
    pub ipv6: Ipv6,
}

impl Site {
    /// Whether there is a link between its gateway and what lies beyond.
    #[must_use]
    pub fn has_link(&self) -> bool {
        self.link != LinkPreset::None || self.link_override.is_some()
    }
}

/// A site's IPv6.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ipv6 {
    /// It has none.
    #[default]
    None,
    /// Beside IPv4, with addresses that are public within the lab and a firewall that lets in replies.
    DualStack,
    /// Instead of IPv4: what has only IPv4 is reached through NAT64 (RFC 6146) under the prefix
    /// 2001:db8:64:ff9b::/96, addresses of which DNS64 (RFC 6147) gives to names. It is a prefix of the network's own
    /// (RFC 6052 section 3.3): the well-known 64:ff9b::/96 must not stand for IPv4 addresses that are not global
    /// (section 3.1), and all of the lab's are documentation addresses. The site's `lan` is the NAT64's own pool of
    /// IPv4 addresses, which the gateway's NAT translates.
    Only,
    /// Beside IPv4, with addresses, names that resolve to IPv6 too, and a gateway that drops all of it.
    Broken,
}

/// A gateway: NAT and firewall.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// The NAT by a name that people use.
    pub nat: NatPreset,
    /// What differs from the preset.
    pub nat_override: Option<NatOverride>,
    /// The firewall by a name that people use.
    #[serde(default)]
    pub firewall: FirewallPreset,
    /// What differs from the firewall's preset.
    pub firewall_override: Option<FirewallOverride>,
}

/// A carrier's network, and the NAT between it and the internet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Carrier {
    /// The carrier's network, usually out of 100.64.0.0/10 (RFC 6598); the same rules hold as for a
    /// site's LAN, with which it must not overlap.
    #[schemars(with = "String")]
    pub network: Ipv4Net,
    /// Its NAT.
    pub nat: NatPreset,
    /// What differs from the preset.
    pub nat_override: Option<NatOverride>,
}

/// Single properties of a NAT that replace those of its preset.
///
/// A property that the preset itself excludes is an error, such as any of them with `none`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NatOverride {
    /// RFC 4787 section 4.1.
    pub mapping: Option<Behaviour>,
    /// RFC 4787 section 5.
    pub filtering: Option<Behaviour>,
    /// Whether a mapping keeps the source port where it can (RFC 4787 section 4.2.1).
    pub port_preservation: Option<bool>,
    /// Whether inside endpoints reach each other by their mapped addresses (RFC 4787 section 6).
    pub hairpinning: Option<bool>,
    /// How long an idle UDP mapping lives, in seconds, 1 to 86400 (RFC 4787 section 4.3).
    pub udp_timeout_s: Option<u32>,
    /// How long the mapping of an idle TCP connection lives, in seconds, 1 to 86400 (RFC 5382 section 5).
    pub tcp_timeout_s: Option<u32>,
}

/// Single properties of a link that replace those of its preset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LinkOverride {
    /// From the site to the internet.
    pub up: LinkDirectionOverride,
    /// From the internet to the site.
    pub down: LinkDirectionOverride,
}

/// Single properties of one direction of a link, with the meaning, units and ranges of
/// [`LinkDirection`](crate::LinkDirection).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LinkDirectionOverride {
    /// In milliseconds, one way.
    pub delay_ms: Option<f64>,
    /// In milliseconds.
    pub jitter_ms: Option<f64>,
    /// How the delay varies.
    pub jitter_distribution: Option<JitterDistribution>,
    /// What is lost.
    pub loss: Option<Loss>,
    /// In percent.
    pub duplicate_percent: Option<f64>,
    /// In percent.
    pub reorder_percent: Option<f64>,
    /// In kbit/s.
    pub rate_kbit: Option<u32>,
    /// A file with a recorded trace in mahimahi's format, instead of `rate_kbit`; relative to the scenario's.
    pub trace: Option<PathBuf>,
    /// What `trace` recorded. Not written in the file: [`Scenario::load`] reads it.
    #[serde(skip)]
    pub trace_rate: Option<Rate>,
    /// In milliseconds.
    pub queue_ms: Option<u32>,
    /// In bytes.
    pub mtu: Option<u16>,
    /// Whether the sender of what is too large is told.
    pub fragmentation_needed: Option<bool>,
}

/// On what a NAT's mapping or filtering depends (RFC 4787 sections 4.1 and 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Behaviour {
    /// On neither the remote address nor the remote port.
    EndpointIndependent,
    /// On the remote address.
    AddressDependent,
    /// On the remote address and port.
    AddressAndPortDependent,
}

impl std::fmt::Display for Behaviour {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::EndpointIndependent => "endpoint-independent",
            Self::AddressDependent => "address-dependent",
            Self::AddressAndPortDependent => "address-and-port-dependent",
        })
    }
}

/// A WebRTC peer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Its name, unlike any other node's: lower-case letters, digits and hyphens.
    pub name: String,
    /// The site whose LAN it is in.
    pub site: String,
    /// Sends encoded silence and blackness instead of the clip, as an application does whose tracks
    /// are disabled.
    #[serde(default)]
    pub muted: bool,
    /// Reaches the signalling server, and TURN servers over TCP and TLS, through the HTTP proxy of its site's firewall
    /// (`firewall = "http-proxy"`).
    #[serde(default)]
    pub uses_proxy: bool,
    /// Answers the login page of its site's captive portal before the call
    /// (`firewall = "captive-portal"`).
    #[serde(default)]
    pub logs_in: bool,
}

/// How the call is placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Call {
    /// The ICE transport policy where the ICE configuration does not set `iceTransportPolicy`.
    pub policy: IceTransportPolicy,
    /// How long media flows once both peers are connected, in milliseconds, 500 to 600000.
    pub media_ms: u32,
    /// After which time a peer stops waiting for ICE servers, in milliseconds, 500 to 60000.
    pub gathering_timeout_ms: u32,
    /// How the two peers' signalling gets from one to the other.
    pub signalling: Signalling,
}

/// How the two peers of a call say to each other what sets up their connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Signalling {
    /// Over a WebSocket with TLS to a server on the lab's internet, at TCP port 443, through the same gateways and
    /// firewalls as everything else, and again whenever it breaks: as applications have it.
    #[default]
    WebSocket,
    /// Through the harness, whatever becomes of the network: what fails is the connection itself.
    Harness,
}

impl Call {
    /// What [`media_ms`](Call::media_ms) may be.
    pub const MEDIA_MS: RangeInclusive<u32> = 500..=600_000;
    /// What [`gathering_timeout_ms`](Call::gathering_timeout_ms) may be.
    pub const GATHERING_TIMEOUT_MS: RangeInclusive<u32> = 500..=60_000;
}

impl Default for Call {
    fn default() -> Self {
        Self {
            policy: IceTransportPolicy::All,
            media_ms: 3_000,
            gathering_timeout_ms: 5_000,
            signalling: Signalling::default(),
        }
    }
}

/// Which candidates ICE may use (W3C webrtc-pc `RTCIceTransportPolicy`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IceTransportPolicy {
    /// Any candidate.
    #[default]
    All,
    /// Relayed candidates only.
    Relay,
}

/// What a good ICE configuration achieves in this network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Whether a call can connect at all. `false` only where no configuration can succeed; a call
    /// that connects is the failure then.
    pub connects: bool,
    /// From the offer to both peers connected, at most, in milliseconds, 1000 to 120000. A call that
    /// has not connected by then is given up.
    pub within_ms: u32,
    /// Whether media go through a TURN server, that is, whether the local candidate of either peer's
    /// selected pair is a relay candidate: `true` where nothing else can connect, `false` where a
    /// detour would be a fault; left out where both will do.
    pub relayed: Option<bool>,
    /// How well media arrive once the call is connected.
    #[serde(default)]
    pub media: MediaQuality,
    /// The candidate types and transport of the selected pair, for each peer by name. A peer that is
    /// not named may use any.
    #[serde(default)]
    pub selected_pair: BTreeMap<String, ExpectedPair>,
    /// What must come of the faults.
    pub recovery: Option<ExpectedRecovery>,
    /// What must become of the media that each peer sends, by name, where that is not simply to arrive. A peer that is
    /// not named sends what arrives.
    #[serde(default)]
    pub flows: BTreeMap<String, ExpectedFlows>,
}

/// What must become of what a peer sends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectedFlows {
    /// Its audio.
    pub audio: farcall_timeline::Flow,
    /// Its video.
    pub video: farcall_timeline::Flow,
    /// Its data.
    pub data: farcall_timeline::Flow,
}

/// How well media arrive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MediaQuality {
    /// Of audio, video and data at least half, in either direction.
    #[default]
    Good,
    /// Audio and video flow, if with gaps, since the network carries less than is sent: at least a tenth
    /// arrives. Data, which wait for what was lost, may be late.
    Degraded,
}

impl Expect {
    /// What [`within_ms`](Expect::within_ms) may be.
    pub const WITHIN_MS: RangeInclusive<u32> = 1_000..=120_000;
}

/// What the selected pair of one peer may be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedPair {
    /// Allowed types of the local candidate; empty: any.
    #[serde(default)]
    pub local: Vec<farcall_timeline::CandidateType>,
    /// Allowed types of the remote candidate; empty: any.
    #[serde(default)]
    pub remote: Vec<farcall_timeline::CandidateType>,
    /// Allowed transports to the TURN server where the local candidate is relayed; empty: any.
    #[serde(default)]
    pub relay_protocol: Vec<farcall_timeline::IceTransport>,
}
