//! Conditions of servers that do not contradict each other.

use super::within;
use crate::model::Scenario;
use crate::read::Finding;
use crate::servers::{RestCredentials, ServerCondition};
use std::collections::BTreeSet;

/// Conditions of which servers can have one at a time: each decides what becomes of the same thing.
const ALTERNATIVES: [&[ServerCondition]; 3] = [
    &[
        ServerCondition::CertificateExpired,
        ServerCondition::CertificateWrongName,
        ServerCondition::CertificateSelfSigned,
        ServerCondition::CertificateIncompleteChain,
    ],
    &[
        ServerCondition::NameMissing,
        ServerCondition::NameWrong,
        ServerCondition::NameSlow,
    ],
    &[
        ServerCondition::WrongCredentials,
        ServerCondition::Quota,
        ServerCondition::NoCapacity,
    ],
];

pub(super) fn check(scenario: &Scenario) -> Vec<Finding> {
    let servers = &scenario.servers;
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, condition) in servers.conditions.iter().enumerate() {
        let key = format!("servers.conditions[{index}]");
        if !seen.insert(*condition) {
            let finding = Finding::new(key, format!("{condition} stands here twice"));
            findings.push(finding.hint("leave one of the two out"));
            continue;
        }
        let mut groups = ALTERNATIVES
            .iter()
            .filter(|group| group.contains(condition));
        let group = groups.next().copied().unwrap_or_default();
        let mut before = servers.conditions[..index].iter();
        if let Some(other) = before.find(|other| *other != condition && group.contains(other)) {
            let finding = Finding::new(key, format!("{condition} cannot be told beside {other}"));
            findings.push(finding.hint("leave one of the two out"));
        }
    }
    if let Some(rest) = &servers.rest {
        let valid_s = within(
            "servers.rest.valid_s",
            rest.valid_s,
            &RestCredentials::VALID_S,
        );
        findings.extend(valid_s);
        if servers.account.is_some() {
            let message = "servers that take time-limited credentials have no accounts";
            let finding = Finding::new("servers.account", message).because_of("servers.rest");
            findings.push(finding.hint("leave one of the two out"));
        }
    }
    findings
}
