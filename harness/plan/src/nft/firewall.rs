//! A firewall's rules as chains: what goes out, what comes in, what is policed on the way, and what is
//! handed to the gateway's own services.

use super::inspect::inspection;
use super::ruleset::{Chain, Ruleset};
use crate::layout::Router;
use crate::model::{LOGGED_IN_SET, PORTAL_DNS_PORT, Payload};
use crate::passage::{UNMATCHED, UNSOLICITED, protocol};
use crate::services::{PORTAL_HTTP_PORT, PORTAL_TLS, PORTAL_TLS_PORT, redirection};
use farcall_scenario::{Action, Direction, Firewall, FirewallService, Protocol, Rule};
use ipnet::IpNet;

/// The chain that judges what goes out.
pub(super) const OUTGOING: &str = "outgoing";

/// The chain that judges what comes in and nobody inside has called for.
pub(super) const INCOMING: &str = "incoming";

/// The counter of what an earlier rule decides on than one that redirects.
const NOT_REDIRECTED: &str = "services/not-redirected";

/// The chain that every packet passes which is forwarded either way, replies too, before all else; only
/// where the firewall [`polices`].
pub(super) const POLICING: &str = "policing";

/// The chain that judges what comes from inside for the gateway itself, after its resolver; only where the
/// firewall [`serves`].
pub(super) const SERVICES: &str = "services";

/// Adds the chains of a firewall. The forward and input chains that jump to them come after.
pub(super) fn firewall(mut ruleset: Ruleset, firewall: &Firewall, router: &Router) -> Ruleset {
    if firewall.service == Some(FirewallService::CaptivePortal) {
        ruleset = ruleset.set(LOGGED_IN_SET, "type ipv4_addr;");
    }
    if polices(firewall) {
        ruleset = ruleset.chain(policing(firewall, router.inside.interface));
    }
    for (direction, name, unmatched) in [
        (Direction::Out, OUTGOING, UNMATCHED),
        (Direction::In, INCOMING, UNSOLICITED),
    ] {
        ruleset = judging(
            ruleset,
            firewall,
            direction,
            Chain::regular(name),
            unmatched,
        );
    }
    if serves(firewall) {
        ruleset = ruleset.chain(services(firewall));
    }
    if redirects(firewall) {
        ruleset = ruleset.chain(redirecting(firewall, router));
    }
    ruleset
}

/// Whether it drops what exceeds a rate.
pub(super) fn polices(firewall: &Firewall) -> bool {
    let mut rules = firewall.rules.iter();
    rules.any(|rule| matches!(rule.action, Action::Police(_)))
}

/// Whether those inside talk to services of the gateway.
pub(super) fn serves(firewall: &Firewall) -> bool {
    firewall.service.is_some() || redirects(firewall)
}

fn redirects(firewall: &Firewall) -> bool {
    let mut rules = firewall.rules.iter().enumerate();
    rules.any(|(index, rule)| redirection(index, rule).is_some())
}

/// Rules in order, those of one direction.
fn judging(
    mut ruleset: Ruleset,
    firewall: &Firewall,
    direction: Direction,
    mut chain: Chain,
    unmatched: &str,
) -> Ruleset {
    for (index, rule) in firewall.rules.iter().enumerate() {
        if rule.direction != direction {
            continue;
        }
        let matches = matches(rule, protocol(rule));
        chain = match &rule.action {
            Action::Accept | Action::Police(_) => chain.rule(&matches, &rule.name, "accept"),
            Action::AcceptLoggedIn => {
                chain.rule(&both(&logged_in(), &matches), &rule.name, "accept")
            }
            Action::Drop => chain.rule(&matches, &rule.name, "drop"),
            Action::Reject => refusing(chain, rule),
            Action::AcceptTls => {
                let name = format!("tls-{index}");
                let reset = rule.reset_counter().unwrap_or_else(|| rule.name.clone());
                ruleset = ruleset.chain(inspection(&name, Payload::Tls, &rule.name, &reset));
                chain.jump(&matches, &name)
            }
            // Redirected before they are judged.
            Action::AcceptTlsFor(_) | Action::InterceptTls | Action::RedirectToPortal => chain,
        };
    }
    ruleset.chain(chain.rule("", unmatched, "drop"))
}

/// TCP is refused as by a host where nobody listens, all else as RFC 1812 section 5.2.7.1 has it.
fn refusing(chain: Chain, rule: &Rule) -> Chain {
    let tcp = matches(rule, Some(Protocol::Tcp));
    let other = matches(rule, rule.protocol);
    let chain = match rule.protocol {
        None | Some(Protocol::Tcp) => chain.rule(&tcp, &rule.name, "reject with tcp reset"),
        Some(Protocol::Udp) => chain,
    };
    match rule.protocol {
        None | Some(Protocol::Udp) => {
            chain.rule(&other, &rule.name, "reject with icmpx admin-prohibited")
        }
        Some(Protocol::Tcp) => chain,
    }
}

/// A token bucket that holds what a second lets pass, which is the least that the kernel's can hold.
fn policing(firewall: &Firewall, inside: &str) -> Chain {
    let mut chain = Chain::regular(POLICING);
    for rule in &firewall.rules {
        let Action::Police(kbit) = rule.action else {
            continue;
        };
        let way = match rule.direction {
            Direction::Out => format!("iifname \"{inside}\""),
            Direction::In => format!("oifname \"{inside}\""),
        };
        let matches = both(&way, &matches(rule, protocol(rule)));
        let limit = format!(
            "limit rate over {} bytes/second",
            u64::from(kbit) * 1000 / 8
        );
        chain = chain.rule(&both(&matches, &limit), &counted_excess(rule), "drop");
    }
    chain
}

/// What those inside may send to the gateway itself. To a portal, whose address names resolve to, the rest
/// is as to anybody else.
fn services(firewall: &Firewall) -> Chain {
    let mut chain = Chain::regular(SERVICES);
    for (index, rule) in firewall.rules.iter().enumerate() {
        if let (false, Some(port)) = (
            rule.action == Action::RedirectToPortal,
            redirection(index, rule),
        ) {
            // Nobody gets there but by the redirection.
            let redirected = format!("tcp dport {port} ct status dnat");
            chain = chain.rule(&redirected, "services/accept-redirected", "accept");
        }
    }
    match firewall.service {
        Some(FirewallService::HttpProxy { port }) => {
            chain.rule(&format!("tcp dport {port}"), "proxy/accept", "accept")
        }
        Some(FirewallService::CaptivePortal) => {
            let stranger = not_logged_in();
            let http = format!("{stranger} tcp dport {PORTAL_HTTP_PORT}");
            let tls = format!("{stranger} tcp dport {PORTAL_TLS_PORT}");
            let dns = format!(
                "{stranger} meta l4proto {{ tcp, udp }} th dport {PORTAL_DNS_PORT} ct status dnat"
            );
            chain
                .rule(&dns, "portal/accept-dns", "accept")
                .rule(&http, "portal/accept-http", "accept")
                .rule(&tls, PORTAL_TLS, "accept")
                .jump(&stranger, OUTGOING)
        }
        None => chain,
    }
}

/// Rules in order up to the last that redirects: one that decides otherwise keeps those after it from
/// redirecting.
fn redirecting(firewall: &Firewall, router: &Router) -> Chain {
    let inside = format!("iifname \"{}\"", router.inside.interface);
    let mut chain = Chain::base(
        "redirection",
        "type nat hook prerouting priority dstnat; policy accept;",
    );
    if firewall.service == Some(FirewallService::CaptivePortal) {
        let resolver = format!("{} ip daddr {}", not_logged_in(), router.inside.address);
        let dns = format!("{inside} {resolver} meta l4proto {{ tcp, udp }} th dport 53");
        let redirect = format!("redirect to :{PORTAL_DNS_PORT}");
        chain = chain.rule(&dns, "portal/redirect-dns", &redirect);
    }
    let rules = firewall.rules.iter().enumerate();
    let outward: Vec<_> = rules
        .filter(|(_, rule)| rule.direction == Direction::Out)
        .collect();
    let last = outward
        .iter()
        .rposition(|(index, rule)| redirection(*index, rule).is_some());
    for (index, rule) in outward.into_iter().take(last.map_or(0, |last| last + 1)) {
        let matches = both(&inside, &matches(rule, protocol(rule)));
        chain = match redirection(index, rule) {
            Some(port) => chain.rule(
                &matches,
                &counted_redirection(rule),
                &format!("redirect to :{port}"),
            ),
            None if rule.action == Action::AcceptLoggedIn => {
                chain.rule(&both(&matches, &logged_in()), NOT_REDIRECTED, "accept")
            }
            None => chain.rule(&matches, NOT_REDIRECTED, "accept"),
        };
    }
    chain
}

/// The counter of the connections that a rule redirects. A service counts what it does with them under the
/// rule's name, but for the portal: what is no HTTP request comes to it too.
fn counted_redirection(rule: &Rule) -> String {
    match (&rule.action, rule.port) {
        (Action::RedirectToPortal, _) => rule.name.clone(),
        (_, Some(port)) => format!("services/redirect-tcp-{port}"),
        (_, None) => "services/redirect-tcp".to_owned(),
    }
}

/// The counter of what exceeds a rule's rate, such as `udp-throttled/drop-excess-udp`.
fn counted_excess(rule: &Rule) -> String {
    if rule.name.contains("/police-") {
        rule.name.replacen("/police-", "/drop-excess-", 1)
    } else {
        format!("{}-excess", rule.name)
    }
}

fn logged_in() -> String {
    format!("ip saddr @{LOGGED_IN_SET}")
}

fn not_logged_in() -> String {
    format!("ip saddr != @{LOGGED_IN_SET}")
}

/// What a rule matches, if it is about this protocol.
fn matches(rule: &Rule, protocol: Option<Protocol>) -> String {
    let side = match rule.direction {
        Direction::Out => "daddr",
        Direction::In => "saddr",
    };
    let address = match rule.address {
        None => String::new(),
        Some(IpNet::V4(network)) => format!("ip {side} {network}"),
        Some(IpNet::V6(network)) => format!("ip6 {side} {network}"),
    };
    let protocol = match protocol {
        None => None,
        Some(Protocol::Tcp) => Some("tcp"),
        Some(Protocol::Udp) => Some("udp"),
    };
    let transport = match (protocol, rule.port) {
        (None, None) => String::new(),
        (None, Some(port)) => format!("meta l4proto {{ tcp, udp }} th dport {port}"),
        (Some(protocol), None) => format!("meta l4proto {protocol}"),
        (Some(protocol), Some(port)) => format!("{protocol} dport {port}"),
    };
    both(&address, &transport)
}

/// Two matches that must both hold; an empty one always does.
fn both(first: &str, second: &str) -> String {
    [first, second]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
