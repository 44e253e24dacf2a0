//! Firewalls: what goes out of a site, and what comes in uncalled for.

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// A firewall as ordered lists of rules. The first that matches decides on a connection's first packet; its
/// later packets and replies pass, but for those of an inspecting or policing rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Firewall {
    /// The rules in order.
    pub rules: Vec<Rule>,
    /// What the gateway offers on top of rules, if it does.
    pub service: Option<FirewallService>,
}

/// Something that a firewall does in user space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FirewallService {
    /// An HTTP proxy that connects to port 443 and 80 of anything (CONNECT).
    HttpProxy {
        /// Where it listens on the gateway's inside address.
        port: u16,
    },
    /// A captive portal: the resolver gives the portal's address, the gateway's own, for every name until
    /// the client has logged in.
    CaptivePortal,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The name of the rule and its counter, such as `corporate/drop-udp`.
    pub name: String,
    /// Which way the connection is opened.
    #[serde(default)]
    pub direction: Direction,
    /// What it matches; `None` matches every protocol.
    pub protocol: Option<Protocol>,
    /// The destination port; `None` matches every port.
    pub port: Option<u16>,
    /// The address on the internet's side, such as `203.0.113.100/32`; `None` matches every address.
    #[schemars(with = "Option<String>")]
    pub address: Option<IpNet>,
    /// What happens.
    pub action: Action,
}

/// Which way a connection is opened, seen from the site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the site to the internet.
    #[default]
    Out,
    /// From the internet to the site. Of use only where no NAT, or one that filters nothing, lets it come
    /// so far.
    In,
}

/// A transport protocol that a rule can match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// What a rule does with what it matches.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Lets it pass.
    Accept,
    /// Lets a TCP connection open, and resets it unless its first payload begins a TLS handshake.
    AcceptTls,
    /// Lets a TCP connection open, and resets it unless its first payload is a TLS ClientHello for one of
    /// these server names (RFC 6066 section 3; `*.example.net` matches one label more).
    AcceptTlsFor(Vec<String>),
    /// Answers a TLS handshake in the server's name, with a certificate of the company's authority, and
    /// passes on what it carries; closes what is no TLS.
    InterceptTls,
    /// Answers HTTP with a redirect to the captive portal; passes what comes from who has logged in.
    RedirectToPortal,
    /// Lets pass what comes from who has logged in at the captive portal; goes on with the next rule else.
    AcceptLoggedIn,
    /// Lets so much of it pass, in kbit/s for each direction, and drops the rest.
    Police(u32),
    /// Drops it without a word.
    Drop,
    /// Refuses it: TCP with a reset, all else with ICMP "administratively prohibited" (RFC 1812 section
    /// 5.2.7.1).
    Reject,
}

/// How a firewall blocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Blocking {
    /// Without a word.
    #[default]
    Drop,
    /// With a TCP reset or an ICMP error.
    Reject,
}

/// Single properties of a firewall that replace or add to those of its preset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirewallOverride {
    /// How it blocks: `drop` is the presets' own way.
    pub blocking: Option<Blocking>,
    /// The server names that `tls-only` passes; all of them where left out.
    pub server_names: Option<Vec<String>>,
    /// To what `udp-throttled` polices UDP, in kbit/s, 8 to 1000000.
    pub udp_kbit: Option<u32>,
    /// Rules that come before the preset's.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

impl FirewallOverride {
    /// What [`udp_kbit`](FirewallOverride::udp_kbit) may be.
    pub const UDP_KBIT: RangeInclusive<u32> = 8..=1_000_000;
}

impl Rule {
    /// What [`port`](Rule::port) may be.
    pub const PORT: RangeInclusive<u32> = 1..=65_535;

    /// The name of the counter for the connections that an inspecting rule resets, such as
    /// `tls-only/reset-not-tls-443`; `None` for rules that look into nothing.
    #[must_use]
    pub fn reset_counter(&self) -> Option<String> {
        let renamed = |from: &str, to: &str| {
            if self.name.contains(from) {
                self.name.replacen(from, to, 1)
            } else {
                format!("{}-reset", self.name)
            }
        };
        match self.action {
            Action::AcceptTls => Some(renamed("/allow-tls-", "/reset-not-tls-")),
            Action::AcceptTlsFor(_) => Some(renamed("/allow-tls-", "/reset-not-allowed-")),
            Action::InterceptTls => Some(renamed("/intercept-tls-", "/reset-not-tls-")),
            _ => None,
        }
    }
}
