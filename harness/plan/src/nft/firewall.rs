//! A firewall's rules as a chain.

use super::inspect::inspection;
use super::ruleset::{Chain, Ruleset};
use crate::model::Payload;
use crate::passage::UNMATCHED;
use farcall_scenario::{Action, Direction, Firewall, Protocol, Rule};

/// The name of the chain that [`outgoing`] adds.
pub(super) const OUTGOING: &str = "outgoing";

/// Adds the chain that judges what goes out, in the order of the rules, and those it needs.
pub(super) fn outgoing(mut ruleset: Ruleset, firewall: &Firewall) -> Ruleset {
    let mut chain = Chain::regular(OUTGOING);
    let outward = firewall
        .rules
        .iter()
        .filter(|rule| rule.direction == Direction::Out);
    for (index, rule) in outward.enumerate() {
        let matches = matches(rule);
        chain = match &rule.action {
            Action::Accept => chain.rule(&matches, &rule.name, "accept"),
            Action::Drop => chain.rule(&matches, &rule.name, "drop"),
            Action::Reject => chain.rule(&matches, &rule.name, "reject"),
            Action::AcceptTlsFor(_)
            | Action::InterceptTls
            | Action::RedirectToPortal
            | Action::AcceptLoggedIn
            | Action::Police(_) => chain.rule(&matches, &rule.name, "drop"),
            Action::AcceptTls => {
                let name = format!("tls-only-{index}");
                let reset = rule.reset_counter().unwrap_or_else(|| rule.name.clone());
                ruleset = ruleset.chain(inspection(&name, Payload::Tls, &rule.name, &reset));
                chain.jump(&matches, &name)
            }
        };
    }
    ruleset.chain(chain.rule("", UNMATCHED, "drop"))
}

fn matches(rule: &Rule) -> String {
    let protocol = match (&rule.action, rule.protocol) {
        (_, Some(Protocol::Tcp)) | (Action::AcceptTls, None) => Some("tcp"),
        (_, Some(Protocol::Udp)) => Some("udp"),
        (_, None) => None,
    };
    match (protocol, rule.port) {
        (None, None) => String::new(),
        (None, Some(port)) => format!("meta l4proto {{ tcp, udp }} th dport {port}"),
        (Some(protocol), None) => format!("meta l4proto {protocol}"),
        (Some(protocol), Some(port)) => format!("{protocol} dport {port}"),
    }
}
