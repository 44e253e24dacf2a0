//! What of TCP may come in to a site without a NAT, uncalled for.

use super::ports::forwarded_tcp;
use crate::ipv6::Ipv6Kind;
use crate::layout::SiteLayout;
use crate::model::{Fact, Payload, ProbeProtocol};
use crate::passage::{Attempt, incoming, protocol};
use farcall_scenario::{Direction, Protocol, Rule};
use std::collections::BTreeSet;

/// A port that no rule names, and from which Linux sends nothing by its own choice (32768 to 60999).
const ANY_PORT: u16 = 29_002;

/// What becomes of connections from the probe to a port that no rule names, and to each that a rule does. The probe is
/// asked over TCP, so where no port passes outward there is nobody to ask.
pub(super) fn facts(site: &SiteLayout, attempts: &BTreeSet<Attempt<'_>>) -> Vec<Fact> {
    let is_translated = site.routers.iter().any(|router| router.nat.is_some());
    let has_ipv4 = site
        .ipv6
        .as_ref()
        .is_none_or(|ipv6| ipv6.kind != Ipv6Kind::Only);
    let over = forwarded_tcp(site, attempts);
    let (false, true, Some(over)) = (is_translated, has_ipv4, over) else {
        return Vec::new();
    };
    let named = site.firewall.rules.iter().filter_map(named);
    let ports: BTreeSet<u16> = named.chain([ANY_PORT]).collect();
    let fact = |port| Fact::IncomingTcp {
        port,
        over,
        passage: incoming(
            &site.firewall,
            Attempt::of_probe(ProbeProtocol::Tcp, port, Payload::Plain),
        ),
    };
    ports.into_iter().map(fact).collect()
}

/// The port of a rule for TCP that comes in.
fn named(rule: &Rule) -> Option<u16> {
    let is_inward = rule.direction == Direction::In;
    let is_tcp = protocol(rule).is_none_or(|it| it == Protocol::Tcp);
    rule.port.filter(|_| is_inward && is_tcp)
}
