//! What the firewalls let through.

use crate::layout::{PeerLayout, SiteLayout};
use crate::model::{CallPlan, Fact, Passage, Payload, ProbeProtocol};
use crate::passage::{Attempt, protocol, ruling, spoken};
use crate::services::proxy;
use farcall_scenario::{Action, Direction, Protocol, Rule};
use std::collections::BTreeSet;

/// Attempts that every firewall is asked about, beside those of the ICE configuration.
const ATTEMPTS: [(ProbeProtocol, u16, Payload); 9] = [
    (ProbeProtocol::Tcp, 22, Payload::Plain),
    (ProbeProtocol::Tcp, 80, Payload::Plain),
    (ProbeProtocol::Tcp, 443, Payload::Plain),
    (ProbeProtocol::Tcp, 443, Payload::Tls),
    (ProbeProtocol::Tcp, 3478, Payload::Plain),
    (ProbeProtocol::Tcp, 5349, Payload::Plain),
    (ProbeProtocol::Udp, 53, Payload::Plain),
    (ProbeProtocol::Udp, 443, Payload::Plain),
    (ProbeProtocol::Udp, 3478, Payload::Plain),
];

/// The port of HTTPS, for rules that are about every port.
const HTTPS: u16 = 443;

/// What becomes of each attempt at a site: straight, with the server names that a rule looks for, and through
/// the HTTP proxy.
pub(super) fn facts(site: &SiteLayout, attempts: &BTreeSet<Attempt<'_>>) -> Vec<Fact> {
    let straight = attempts.iter().map(|attempt| straight(site, *attempt));
    let named = site
        .firewall
        .rules
        .iter()
        .filter_map(|rule| named(site, rule));
    straight
        .chain(named)
        .chain(proxied(site, attempts))
        .collect()
}

/// What a peer's firewall is asked about: what every one is, what the URLs come to, and each port that a rule of its own
/// names. The responder on the internet stands for every server.
pub(super) fn attempts(
    call: &CallPlan,
    peer: &PeerLayout,
    site: &SiteLayout,
) -> BTreeSet<Attempt<'static>> {
    let fixed = ATTEMPTS.into_iter();
    let urls = call.ice_servers.iter().map(|server| &server.url);
    let named = urls.map(|url| {
        let (protocol, payload) = spoken(url.transport);
        (protocol, url.port, payload)
    });
    let ruled = site.firewall.rules.iter().flat_map(of_rule);
    let attempts = fixed
        .chain(named)
        .chain(ruled)
        .map(|(protocol, port, payload)| Attempt {
            logged_in: peer.logs_in,
            ..Attempt::of_probe(protocol, port, payload)
        });
    attempts.collect()
}

/// What a rule for a port is about.
fn of_rule(rule: &Rule) -> Vec<(ProbeProtocol, u16, Payload)> {
    let (Direction::Out, Some(port)) = (rule.direction, rule.port) else {
        return Vec::new();
    };
    let looks_for_tls = matches!(
        rule.action,
        Action::AcceptTls | Action::AcceptTlsFor(_) | Action::InterceptTls
    );
    let (is_tcp, is_udp) = match protocol(rule) {
        None => (true, true),
        Some(Protocol::Tcp) => (true, false),
        Some(Protocol::Udp) => (false, true),
    };
    let asked = [
        (ProbeProtocol::Tcp, Payload::Plain, is_tcp),
        (ProbeProtocol::Tcp, Payload::Tls, is_tcp && looks_for_tls),
        (ProbeProtocol::Udp, Payload::Plain, is_udp),
    ];
    let asked = asked.into_iter().filter(|(_, _, is_asked)| *is_asked);
    asked
        .map(|(protocol, payload, _)| (protocol, port, payload))
        .collect()
}

fn straight(site: &SiteLayout, attempt: Attempt<'_>) -> Fact {
    Fact::Passage {
        protocol: attempt.protocol,
        port: attempt.port,
        payload: attempt.payload,
        server_name: attempt.server_name.map(ToOwned::to_owned),
        proxy: None,
        passage: ruling(&site.firewall, attempt).passage,
    }
}

/// What becomes of a handshake for a server name that a rule lets through.
fn named(site: &SiteLayout, rule: &Rule) -> Option<Fact> {
    let Action::AcceptTlsFor(names) = &rule.action else {
        return None;
    };
    let server_name = names.first()?.replacen('*', "any", 1);
    let port = rule.port.unwrap_or(HTTPS);
    let attempt = Attempt {
        server_name: Some(&server_name),
        ..Attempt::of_probe(ProbeProtocol::Tcp, port, Payload::Tls)
    };
    Some(straight(site, attempt))
}

fn proxied(site: &SiteLayout, attempts: &BTreeSet<Attempt<'_>>) -> Vec<Fact> {
    let Some(proxy) = proxy(site) else {
        return Vec::new();
    };
    let tcp = attempts
        .iter()
        .filter(|attempt| attempt.protocol == ProbeProtocol::Tcp);
    let facts = tcp.map(|attempt| Fact::Passage {
        protocol: attempt.protocol,
        port: attempt.port,
        payload: attempt.payload,
        server_name: None,
        proxy: Some(proxy.listen),
        passage: if proxy.connects_to(attempt.port) {
            Passage::Passes
        } else {
            Passage::Refused
        },
    });
    facts.collect()
}
