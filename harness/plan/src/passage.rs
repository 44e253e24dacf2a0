//! What the firewalls let through: the one evaluation of rules that expectations, attestation and
//! blocking rules all follow from.

use crate::model::{Passage, Payload, ProbeProtocol};
use farcall_scenario::{Action, Direction, Firewall, Protocol, Rule};
use farcall_timeline::IceTransport;
use std::net::{IpAddr, Ipv4Addr};

/// The counter of what goes out and no rule of a firewall matches: it is dropped.
pub(crate) const UNMATCHED: &str = "forward/drop-unmatched";

/// The counter of what comes in and no rule of a firewall matches: it is dropped.
pub(crate) const UNSOLICITED: &str = "firewall/drop-unsolicited";

/// A new connection from inside, as far as a firewall looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Attempt<'a> {
    /// The protocol.
    pub protocol: ProbeProtocol,
    /// The destination port.
    pub port: u16,
    /// What the client sends first.
    pub payload: Payload,
    /// The server name in its TLS handshake, if it has one.
    pub server_name: Option<&'a str>,
    /// The destination address.
    pub to: Ipv4Addr,
    /// Whether the client has logged in at the captive portal.
    pub logged_in: bool,
}

/// What becomes of an attempt at a firewall, and the rule that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ruling {
    /// What becomes of it.
    pub passage: Passage,
    /// The counter of the rule that decides.
    pub rule: String,
}

impl<'a> Attempt<'a> {
    /// The attempt of a client to reach a listener of a host, of which a TLS handshake gives the name.
    pub(crate) fn of(transport: IceTransport, host: &'a str, to: Ipv4Addr, port: u16) -> Self {
        let (protocol, payload) = match transport {
            IceTransport::Udp => (ProbeProtocol::Udp, Payload::Plain),
            IceTransport::Tcp => (ProbeProtocol::Tcp, Payload::Plain),
            IceTransport::Tls => (ProbeProtocol::Tcp, Payload::Tls),
        };
        // RFC 6066 section 3: an address is no server name.
        let is_name = host.parse::<IpAddr>().is_err();
        let server_name = (payload == Payload::Tls && is_name).then_some(host);
        Self {
            protocol,
            port,
            payload,
            server_name,
            to,
            logged_in: false,
        }
    }
}

/// What the first rule that matches does with an attempt; what none matches is dropped.
pub(crate) fn ruling(firewall: &Firewall, attempt: Attempt<'_>) -> Ruling {
    let mut outward = of(firewall, Direction::Out);
    let Some(rule) = outward.find(|rule| matches(rule, attempt)) else {
        return Ruling {
            passage: Passage::Dropped,
            rule: UNMATCHED.to_owned(),
        };
    };
    let is_tls = attempt.payload == Payload::Tls;
    let passage = match &rule.action {
        Action::Accept | Action::Police(_) | Action::AcceptLoggedIn => Passage::Passes,
        Action::AcceptTls if is_tls => Passage::Passes,
        Action::AcceptTlsFor(names) if is_tls && is_one_of(names, attempt.server_name) => {
            Passage::Passes
        }
        Action::InterceptTls if is_tls => Passage::Intercepted,
        Action::AcceptTls | Action::AcceptTlsFor(_) | Action::InterceptTls => Passage::Reset,
        Action::RedirectToPortal => Passage::Redirected,
        Action::Drop => Passage::Dropped,
        Action::Reject => Passage::Refused,
    };
    let reset = rule.reset_counter().filter(|_| passage == Passage::Reset);
    Ruling {
        passage,
        rule: reset.unwrap_or_else(|| rule.name.clone()),
    }
}

/// The protocol that a rule is about; `None`: every one. Only TCP has a beginning to look into.
pub(crate) fn protocol(rule: &Rule) -> Option<Protocol> {
    match rule.action {
        Action::AcceptTls
        | Action::AcceptTlsFor(_)
        | Action::InterceptTls
        | Action::RedirectToPortal => Some(Protocol::Tcp),
        _ => rule.protocol,
    }
}

/// Whether a firewall lets in UDP that nobody inside has called for. Such a one is a router for it.
pub(crate) fn is_open(firewall: &Firewall) -> bool {
    let about_udp = || {
        of(firewall, Direction::In).filter(|rule| protocol(rule).is_none_or(|it| it == Protocol::Udp))
    };
    let lets_in = |rule: &Rule| matches!(rule.action, Action::Accept | Action::Police(_));
    let is_about_all = |rule: &Rule| rule.port.is_none() && rule.address.is_none();
    about_udp().all(lets_in) && about_udp().any(is_about_all)
}

/// The rules of one direction, in order.
fn of(firewall: &Firewall, direction: Direction) -> impl Iterator<Item = &Rule> {
    let rules = firewall.rules.iter();
    rules.filter(move |rule| rule.direction == direction)
}

fn matches(rule: &Rule, attempt: Attempt<'_>) -> bool {
    let protocol = match protocol(rule) {
        None => true,
        Some(Protocol::Tcp) => attempt.protocol == ProbeProtocol::Tcp,
        Some(Protocol::Udp) => attempt.protocol == ProbeProtocol::Udp,
    };
    let to = IpAddr::V4(attempt.to);
    protocol
        && rule.port.is_none_or(|port| port == attempt.port)
        && rule.address.is_none_or(|network| network.contains(&to))
        && (rule.action != Action::AcceptLoggedIn || attempt.logged_in)
}

/// Whether a server name is one of these, of which `*.example.net` stands for one label more (RFC 9525
/// section 6.3).
fn is_one_of(names: &[String], server_name: Option<&str>) -> bool {
    let Some(server_name) = server_name else {
        return false;
    };
    names.iter().any(|name| match name.strip_prefix("*.") {
        None => name.eq_ignore_ascii_case(server_name),
        Some(parent) => server_name
            .split_once('.')
            .is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(parent)),
    })
}
