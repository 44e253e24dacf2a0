//! What the firewalls let through: the one evaluation of rules that expectations, attestation and
//! blocking rules all follow from.

use crate::model::{PROBE_ADDRESSES, Passage, Payload, ProbeProtocol};
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
        let (protocol, payload) = spoken(transport);
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

    /// The attempt of a probe to reach the responder on the internet.
    pub(crate) fn of_probe(protocol: ProbeProtocol, port: u16, payload: Payload) -> Self {
        Self {
            protocol,
            port,
            payload,
            server_name: None,
            to: PROBE_ADDRESSES[0],
            logged_in: false,
        }
    }
}

/// The protocol of a client's transport, and what the client sends first.
pub(crate) fn spoken(transport: IceTransport) -> (ProbeProtocol, Payload) {
    match transport {
        IceTransport::Udp => (ProbeProtocol::Udp, Payload::Plain),
        IceTransport::Tcp => (ProbeProtocol::Tcp, Payload::Plain),
        IceTransport::Tls => (ProbeProtocol::Tcp, Payload::Tls),
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

/// What becomes of what comes from the internet to a port of the site, uncalled for, and as far as its firewall.
/// `attempt.to` is who sends it. Inspection lets every connection open; only what goes out is redirected.
pub(crate) fn incoming(firewall: &Firewall, attempt: Attempt<'_>) -> Passage {
    let decides = |rule: &&Rule| {
        let only_outward = matches!(
            rule.action,
            Action::AcceptTlsFor(_) | Action::InterceptTls | Action::RedirectToPortal
        );
        !only_outward && matches(rule, attempt)
    };
    match of(firewall, Direction::In)
        .find(decides)
        .map(|rule| &rule.action)
    {
        None | Some(Action::Drop) => Passage::Dropped,
        Some(Action::Reject) => Passage::Refused,
        Some(_) => Passage::Passes,
    }
}

/// Whether a rule is about all addresses on the internet that the probe has.
pub(crate) fn is_about_probe(rule: &Rule) -> bool {
    let mut probe = PROBE_ADDRESSES.into_iter().map(IpAddr::from);
    let network = rule.address;
    probe.all(|address| network.is_none_or(|network| network.contains(&address)))
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

/// Whether a firewall lets all UDP pass that opens something in this direction. Such a one is a router for it.
pub(crate) fn lets_all_udp(firewall: &Firewall, direction: Direction) -> bool {
    let about_udp = || {
        of(firewall, direction).filter(|rule| protocol(rule).is_none_or(|it| it == Protocol::Udp))
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use farcall_scenario::FirewallPreset;
    use rstest::rstest;

    const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 100);

    fn firewall(rules: &[(Option<Protocol>, Option<u16>, Action)]) -> Firewall {
        let rules = rules.iter().enumerate();
        let rules = rules.map(|(index, (protocol, port, action))| Rule {
            name: format!("rule/{index}"),
            direction: Direction::Out,
            protocol: *protocol,
            port: *port,
            address: None,
            action: action.clone(),
        });
        Firewall {
            rules: rules.collect(),
            service: None,
        }
    }

    fn at(firewall: &Firewall, transport: IceTransport, port: u16) -> (Passage, String) {
        let ruling = ruling(
            firewall,
            Attempt::of(transport, "turn.example", SERVER, port),
        );
        (ruling.passage, ruling.rule)
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let firewall = firewall(&[
            (None, Some(443), Action::Accept),
            (Some(Protocol::Udp), None, Action::Drop),
            (None, None, Action::Accept),
        ]);
        let rule = |index| format!("rule/{index}");
        let (udp, tcp) = (IceTransport::Udp, IceTransport::Tcp);
        assert_eq!(at(&firewall, udp, 443), (Passage::Passes, rule(0)));
        assert_eq!(at(&firewall, udp, 80), (Passage::Dropped, rule(1)));
        assert_eq!(at(&firewall, tcp, 80), (Passage::Passes, rule(2)));
    }

    #[test]
    fn what_no_rule_matches_is_dropped() {
        let firewall = firewall(&[(Some(Protocol::Tcp), None, Action::Accept)]);
        let unmatched = (Passage::Dropped, UNMATCHED.to_owned());
        assert_eq!(at(&firewall, IceTransport::Udp, 80), unmatched);
    }

    #[test]
    fn who_comes_in_is_judged_by_the_rules_for_that_direction() {
        let rule = |protocol, port, address: Option<&str>, action| Rule {
            name: "own/in".to_owned(),
            direction: Direction::In,
            protocol,
            port,
            address: address.map(|address| address.parse().unwrap()),
            action,
        };
        let (tcp, udp) = (Some(Protocol::Tcp), Some(Protocol::Udp));
        let mut site = firewall(&[(None, None, Action::Accept)]);
        site.rules.extend([
            rule(udp, None, None, Action::Accept),
            rule(tcp, Some(22), Some("198.51.100.0/24"), Action::Accept),
            rule(None, Some(22), None, Action::Reject),
            rule(tcp, Some(443), None, Action::AcceptTls),
        ]);
        let at = |port| {
            let from_probe = Attempt::of_probe(ProbeProtocol::Tcp, port, Payload::Plain);
            incoming(&site, from_probe)
        };
        assert_eq!(at(22), Passage::Refused);
        assert_eq!(at(443), Passage::Passes);
        assert_eq!(at(80), Passage::Dropped, "what no rule lets in");
    }

    #[test]
    fn a_rule_that_looks_for_tls_leaves_udp_to_the_rules_after_it() {
        let firewall = firewall(&[
            (None, Some(443), Action::AcceptTls),
            (None, None, Action::Drop),
        ]);
        assert_eq!(at(&firewall, IceTransport::Tls, 443).0, Passage::Passes);
        assert_eq!(at(&firewall, IceTransport::Tcp, 443).0, Passage::Reset);
        assert_eq!(
            at(&firewall, IceTransport::Udp, 443),
            (Passage::Dropped, "rule/1".to_owned())
        );
    }

    #[test]
    fn a_reset_counts_under_a_name_of_its_own() {
        let firewall = FirewallPreset::TlsOnly.expand(None).unwrap();
        let reset = (Passage::Reset, "tls-only/reset-not-tls-443".to_owned());
        let passed = (Passage::Passes, "tls-only/allow-tls-443".to_owned());
        assert_eq!(at(&firewall, IceTransport::Tcp, 443), reset);
        assert_eq!(at(&firewall, IceTransport::Tls, 443), passed);
    }

    #[test]
    fn who_has_logged_in_is_not_judged_by_the_rules_for_others() {
        let portal = FirewallPreset::CaptivePortal.expand(None).unwrap();
        let stranger = Attempt::of_probe(ProbeProtocol::Tcp, 80, Payload::Plain);
        let guest = Attempt {
            logged_in: true,
            ..stranger
        };
        assert_eq!(ruling(&portal, stranger).passage, Passage::Redirected);
        assert_eq!(ruling(&portal, guest).passage, Passage::Passes);
    }

    #[rstest]
    #[case("turn.example.net", "TURN.example.net", true)]
    #[case("turn.example.net", "turn.example.org", false)]
    #[case("*.example.net", "turn.EXAMPLE.net", true)]
    #[case("*.example.net", "example.net", false)]
    #[case("*.example.net", "a.turn.example.net", false)]
    fn a_star_stands_for_one_label(#[case] name: &str, #[case] asked: &str, #[case] is: bool) {
        let names = [name.to_owned()];
        assert_eq!(is_one_of(&names, Some(asked)), is);
        assert!(!is_one_of(&names, None));
    }

    #[test]
    fn a_firewall_is_a_router_for_udp_in_the_directions_that_it_leaves_open() {
        let lets = |preset: FirewallPreset| {
            let firewall = preset.expand(None).unwrap();
            [Direction::Out, Direction::In].map(|way| lets_all_udp(&firewall, way))
        };
        assert_eq!(lets(FirewallPreset::Open), [true, true]);
        assert_eq!(lets(FirewallPreset::UdpThrottled), [true, true]);
        assert_eq!(lets(FirewallPreset::UdpBlocked), [false, false]);
        assert_eq!(lets(FirewallPreset::Corporate), [false, false]);
        let tcp_alone = (Some(Protocol::Tcp), None, Action::Accept);
        let ports_alone = (None, Some(3478), Action::Accept);
        for rules in [&[][..], &[tcp_alone], &[ports_alone]] {
            assert!(!lets_all_udp(&firewall(rules), Direction::Out));
        }
    }
}
