//! Firewalls: overrides that fit the preset, rules that can be, and a NAT that does not undo them.

use super::{LABEL_RULE, is_label, within};
use crate::model::{Behaviour, Gateway};
use crate::preset::{Action, FirewallOverride, Protocol, Rule};
use crate::read::Finding;

/// What the names of rules begin with that a scenario adds, so that no counter of the lab's own has one.
const OWN: &str = "own/";

pub(super) fn check(path: &str, gateway: &Gateway) -> Vec<Finding> {
    let overrides = gateway.firewall_override.as_ref();
    let contradictions = gateway.firewall.contradictions(overrides).into_iter();
    let mut findings: Vec<Finding> = contradictions
        .map(|found| {
            let key = format!("{path}.firewall_override.{}", found.key);
            Finding::new(key, found.message)
                .because_of(format!("{path}.firewall"))
                .hint(found.hint)
        })
        .collect();
    findings.extend(check_nat(path, gateway));
    if let Some(overrides) = overrides {
        let path = format!("{path}.firewall_override");
        findings.extend(check_server_names(&path, overrides));
        findings.extend(check_rules(&path, &overrides.rules));
    }
    findings
}

fn check_nat(path: &str, gateway: &Gateway) -> Option<Finding> {
    let nat = gateway.nat.expand(gateway.nat_override.as_ref()).ok()??;
    if nat.filtering == Behaviour::AddressAndPortDependent || gateway.firewall.lets_in() {
        return None;
    }
    let message = format!(
        "a NAT with {} filtering lets in what this firewall blocks",
        nat.filtering
    );
    let finding = Finding::new(format!("{path}.nat"), message);
    let finding = finding.because_of(format!("{path}.firewall"));
    Some(finding.hint(
        "name a NAT that filters by address and port, such as `home-router`, or `firewall = \"open\"`",
    ))
}

fn check_server_names(path: &str, overrides: &FirewallOverride) -> Vec<Finding> {
    let names = overrides.server_names.iter().flatten().enumerate();
    let wrong = names.filter(|(_, name)| {
        let name = name.to_ascii_lowercase();
        let host = name.strip_prefix("*.").unwrap_or(&name);
        !host.split('.').all(is_label)
    });
    wrong
        .map(|(index, name)| {
            let key = format!("{path}.server_names[{index}]");
            Finding::new(key, format!("`{name}` is no server name"))
                .hint("write a host name, such as \"turn.example.net\" or \"*.example.net\"")
        })
        .collect()
}

fn check_rules(path: &str, rules: &[Rule]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let rules_path = |index| format!("{path}.rules[{index}]");
        let own = rules_path(index);
        let key = format!("{own}.name");
        let name = &rule.name;
        if !name.strip_prefix(OWN).is_some_and(is_label) {
            let message = format!("`{name}` is no name for a rule");
            let hint = format!("write `{OWN}` and then {LABEL_RULE}, such as \"own/drop-udp-443\"");
            findings.push(Finding::new(&key, message).hint(hint));
        }
        if let Some(twin) = rules[..index].iter().position(|other| other.name == *name) {
            let message = format!("two rules have the name `{name}`");
            let hint = "give each a name of its own: each has a counter";
            let finding = Finding::new(&key, message);
            let finding = finding.because_of(format!("{}.name", rules_path(twin)));
            findings.push(finding.hint(hint));
        }
        findings.extend(
            rule.port
                .and_then(|port| within(&format!("{own}.port"), u32::from(port), &Rule::PORT)),
        );
        if rule.action == Action::AcceptTls && rule.protocol == Some(Protocol::Udp) {
            let message = "UDP does not begin with a TLS handshake";
            let finding = Finding::new(format!("{own}.action"), message);
            let finding = finding.because_of(format!("{own}.protocol"));
            findings.push(finding.hint("write `protocol = \"tcp\"`, or `action = \"accept\"`"));
        }
    }
    findings
}
