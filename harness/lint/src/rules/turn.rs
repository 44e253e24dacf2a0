//! Which ways to a TURN server there are, and which are missing.

use super::url::{over_tls, with};
use crate::configuration::Configuration;
use crate::finding::Draft;
use crate::rule::{Rule, Severity};
use crate::url::{Host, Scheme, Transport, Url};
use std::collections::BTreeSet;

/// Where `turn:` looks like HTTP or TLS.
const MISLEADING_PORTS: [u16; 3] = [443, 5349, 80];

/// What firewalls of offices let out over TCP.
const WEB_PORTS: [u16; 2] = [443, 80];

pub(super) fn examine(configuration: &Configuration) -> Vec<Draft> {
    let mut drafts = udp_by_accident(configuration);
    if !configuration.is_complete() {
        return drafts;
    }
    match configuration.turn_urls().next() {
        Some((_, _, first)) => drafts.extend(missing(configuration, first)),
        None => drafts.push(none(configuration)),
    }
    drafts
}

fn udp_by_accident(configuration: &Configuration) -> Vec<Draft> {
    let streams: BTreeSet<(String, u16)> = configuration
        .turn_urls()
        .filter(|(_, _, url)| url.is_stream())
        .map(|(_, _, url)| (url.host.to_string(), url.port))
        .collect();
    let is_accident = |url: &Url| {
        url.scheme == Scheme::Turn
            && url.transport == Transport::NotWritten
            && MISLEADING_PORTS.contains(&url.port)
            && url.faults.is_empty()
    };
    let accidents = configuration
        .turn_urls()
        .filter(|(_, _, url)| is_accident(url));
    accidents
        .map(|(_, written, url)| {
            let message = format!("`{url}` is UDP: neither TLS nor HTTPS, whatever the port");
            let tls = over_tls(url);
            let draft = Draft::new(Rule::TurnIsUdp, &written.path, &written.span, message)
                .so("It gets no answer behind a firewall that lets out TCP 80 and 443 alone, nor where UDP is blocked")
                .write(format!(
                    "write `{tls}` for TLS, `{}` for TCP, or `{}` where UDP is meant",
                    with(url, Scheme::Turn, Transport::Tcp),
                    with(url, Scheme::Turn, Transport::Udp)
                ))
                .seen_in(&["corporate-firewall", "udp-blocked"]);
            if streams.contains(&(url.host.to_string(), url.port)) {
                draft.severity(Severity::Note)
            } else {
                draft
            }
        })
        .collect()
}

fn none(configuration: &Configuration) -> Draft {
    if configuration.policy() == Some("relay") {
        let message = "`iceTransportPolicy` is `relay`, and there is no TURN entry to relay by";
        return Draft::new(
            Rule::RelayWithoutTurn,
            "iceServers",
            &configuration.span,
            message,
        )
        .so("There is no candidate at all: no call connects, in any network")
        .write("add a TURN entry, or leave the policy out")
        .seen_in(&["open-internet"]);
    }
    let message = if configuration.servers.is_empty() {
        "there is no server at all"
    } else {
        "there is no TURN entry, only STUN"
    };
    Draft::new(Rule::NoTurn, "iceServers", &configuration.span, message)
        .so(
            "No call connects between a phone behind its carrier's NAT and most other networks, nor from behind a \
             firewall that drops UDP",
        )
        .write(
            "add a TURN server by UDP, TCP and TLS: `turn:turn.example.net`, \
             `turn:turn.example.net:443?transport=tcp`, `turns:turn.example.net:443?transport=tcp`, with `username` \
             and `credential`",
        )
        .seen_in(&["mobile-hotspot", "corporate-firewall"])
}

fn missing(configuration: &Configuration, first: &Url) -> Vec<Draft> {
    let has = |way: fn(&Url) -> bool| configuration.turn_urls().any(|(_, _, url)| way(url));
    let has_tls = has(|url| url.scheme == Scheme::Turns);
    let draft = |rule, message| Draft::new(rule, "iceServers", &configuration.span, message);
    let tls = Url {
        port: 443,
        ..with(named(configuration, first), Scheme::Turns, Transport::Tcp)
    };
    let tcp = Url {
        port: 443,
        ..with(first, Scheme::Turn, Transport::Tcp)
    };
    let mut drafts = Vec::new();
    if !has(|url| url.scheme == Scheme::Turns && url.port == 443) {
        drafts.push(
            draft(Rule::NoTurnsOn443, "there is no `turns:` entry on port 443")
                .so(
                    "There is no way out of a network that lets only TLS through: no relay candidate, and the call \
                     fails",
                )
                .write(format!("add `{tls}`, served with a certificate for that name"))
                .seen_in(&["corporate-tls-only"]),
        );
    }
    if !has(|url| url.scheme == Scheme::Turn && url.transport == Transport::Tcp) {
        let draft = draft(Rule::NoTurnOverTcp, "there is no `turn:` entry over TCP");
        drafts.push(if has_tls {
            draft
                .severity(Severity::Note)
                .so("Where UDP is blocked all hangs on TLS: with an expired certificate no relay is left")
                .write(format!("add `{tcp}`"))
        } else {
            draft
                .so("Where UDP is blocked there is no relay candidate, and the call fails")
                .write(format!("add `{tcp}`"))
                .seen_in(&["udp-blocked", "corporate-firewall"])
        });
    }
    if !has(|url| WEB_PORTS.contains(&url.port)) {
        drafts.push(
            draft(Rule::NoWebPort, "there is no TURN entry on port 443 or 80")
                .so(
                    "Behind a firewall that lets out only what the web needs there is no relay candidate, and the \
                     call fails",
                )
                .write(format!("add `{tls}` and `{tcp}`"))
                .seen_in(&["corporate-firewall"]),
        );
    }
    drafts.extend(single_host(configuration));
    drafts
}

/// One with a host name, for certificates.
fn named<'a>(configuration: &'a Configuration, first: &'a Url) -> &'a Url {
    let mut urls = configuration.turn_urls().map(|(_, _, url)| url);
    let named = urls.find(|url| matches!(url.host, Host::Name(_)));
    named.unwrap_or(first)
}

fn single_host(configuration: &Configuration) -> Option<Draft> {
    let hosts: BTreeSet<Option<String>> = configuration
        .turn_urls()
        .map(|(_, _, url)| (url.host != Host::Computed).then(|| url.host.to_string()))
        .collect();
    let mut hosts = hosts.into_iter();
    let host = hosts.next()??;
    if hosts.next().is_some() {
        return None;
    }
    let (_, written, _) = configuration.turn_urls().next()?;
    let message = format!("all TURN entries are on {host}");
    Some(
        Draft::new(Rule::SingleTurnHost, &written.path, &written.span, message)
            .so(
                "When that name, its certificate or the machine behind it fails, no relayed call is left; if the name \
                 stands for several machines, all is well",
            )
            .write("add an entry of a second host, at another provider or place")
            .seen_in(&["recovery-turn-server-down"]),
    )
}
