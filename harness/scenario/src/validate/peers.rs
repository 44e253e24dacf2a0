//! Peers: two, with names of their own, in sites that exist.

use super::sites::NODE_SUFFIXES;
use super::{LABEL_RULE, is_label};
use crate::model::Scenario;
use crate::preset::FirewallPreset;
use crate::read::{Finding, did_you_mean};

/// Names of nodes that every lab has, and of the harness itself in the log of events.
const RESERVED: [&str; 2] = ["probe", "harness"];

pub(super) fn check(scenario: &Scenario) -> Vec<Finding> {
    let mut findings = Vec::new();
    let count = scenario.peers.len();
    if count != 2 {
        let message = format!("a call has two peers, not {count}");
        let finding = Finding::new("peers", message);
        findings.push(finding.hint("write [[peers]] twice; the first makes the offer"));
    }
    for index in 0..count {
        findings.extend(check_name(scenario, index));
        findings.extend(check_site(scenario, index));
        findings.extend(check_firewall(scenario, index));
    }
    findings
}

fn check_name(scenario: &Scenario, index: usize) -> Option<Finding> {
    let name = scenario.peers[index].name.as_str();
    let key = format!("peers[{index}].name");
    if !is_label(name) {
        let finding = Finding::new(key, format!("`{name}` is no name for a peer"));
        return Some(finding.hint(LABEL_RULE));
    }
    let mut site_nodes = scenario.sites.keys().flat_map(|site| {
        NODE_SUFFIXES
            .iter()
            .map(move |suffix| format!("{site}{suffix}"))
    });
    if RESERVED.contains(&name) || site_nodes.any(|node| node == name) {
        let finding = Finding::new(
            key,
            format!("`{name}` is the name of another part of the lab"),
        );
        return Some(finding.hint("name the peer otherwise, such as `alice`"));
    }
    let twin = scenario.peers[..index]
        .iter()
        .position(|other| other.name == name)?;
    let finding = Finding::new(key, format!("two peers have the name `{name}`"));
    let finding = finding.because_of(format!("peers[{twin}].name"));
    Some(finding.hint("give each a name of its own"))
}

fn check_site(scenario: &Scenario, index: usize) -> Option<Finding> {
    let site = scenario.peers[index].site.as_str();
    if scenario.sites.contains_key(site) {
        return None;
    }
    let message = format!("there is no site `{site}`");
    let finding = Finding::new(format!("peers[{index}].site"), message).because_of("sites");
    let known = scenario.sites.keys().map(String::as_str);
    Some(finding.hint(did_you_mean(site, known)))
}

/// What a peer can do only behind a firewall that offers it.
fn check_firewall(scenario: &Scenario, index: usize) -> Vec<Finding> {
    let peer = &scenario.peers[index];
    let Some(site) = scenario.sites.get(&peer.site) else {
        return Vec::new();
    };
    let firewall = site.gateway.firewall;
    let wants = [
        (
            "uses_proxy",
            peer.uses_proxy,
            FirewallPreset::HttpProxy,
            "http-proxy",
        ),
        (
            "logs_in",
            peer.logs_in,
            FirewallPreset::CaptivePortal,
            "captive-portal",
        ),
    ];
    let missing = wants
        .into_iter()
        .filter(|(_, wants, preset, _)| *wants && firewall != *preset);
    missing
        .map(|(key, _, _, preset)| {
            let message = format!("the firewall of site `{}` has nothing for it", peer.site);
            Finding::new(format!("peers[{index}].{key}"), message)
                .because_of(format!("sites.{}.gateway.firewall", peer.site))
                .hint(format!(
                    "write `firewall = \"{preset}\"` there, or leave `{key}` out"
                ))
        })
        .collect()
}
