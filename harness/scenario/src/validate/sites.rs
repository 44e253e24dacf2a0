//! Sites: networks that can be, and NATs that can be built.

use super::{LABEL_RULE, firewall, is_label, link};
use crate::model::{Carrier, Gateway, Ipv6, NatOverride, Scenario, Site};
use crate::preset::{Action, NatPreset};
use crate::read::Finding;
use ipnet::Ipv4Net;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

/// Prefix lengths with room for a gateway and two peers, and no larger than the largest private range.
const PREFIXES: RangeInclusive<u8> = 8..=29;

/// What the lab's internet is (RFC 5737).
const INTERNET: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(203, 0, 113, 0), 24);

/// What a site can have that is not translated (RFC 5737).
const PUBLIC: [Ipv4Net; 2] = [
    Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 0), 24),
    Ipv4Net::new_assert(Ipv4Addr::new(198, 51, 100, 0), 24),
];

/// What no interface can have: this host, loopback, link-local, multicast and reserved (RFC 6890).
const UNUSABLE: [Ipv4Net; 4] = [
    Ipv4Net::new_assert(Ipv4Addr::new(0, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8),
    Ipv4Net::new_assert(Ipv4Addr::new(169, 254, 0, 0), 16),
    Ipv4Net::new_assert(Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// A suffix of the names of nodes that a site has.
pub(super) const NODE_SUFFIXES: [&str; 2] = ["-gateway", "-carrier"];

pub(super) fn check(scenario: &Scenario) -> Vec<Finding> {
    let mut findings = Vec::new();
    if scenario.sites.is_empty() {
        let finding = Finding::new("sites", "there is no site");
        findings.push(finding.hint("write at least one: [sites.office]"));
    }
    for (name, site) in &scenario.sites {
        findings.extend(check_name(name));
        findings.extend(check_site(&format!("sites.{name}"), site));
    }
    findings.extend(shared_public_networks(scenario));
    findings
}

fn check_name(name: &str) -> Option<Finding> {
    let longest = NODE_SUFFIXES.map(|suffix| format!("{name}{suffix}"));
    if is_label(name) && longest.iter().all(|node| is_label(node)) {
        return None;
    }
    let finding = Finding::new(
        format!("sites.{name}"),
        format!("`{name}` is no name for a site"),
    );
    Some(finding.hint(format!("{LABEL_RULE}, with `-gateway` after it")))
}

fn check_site(path: &str, site: &Site) -> Vec<Finding> {
    let lan_key = format!("{path}.lan");
    let gateway = format!("{path}.gateway");
    let mut findings = Vec::new();
    findings.extend(check_network(
        &lan_key,
        site.lan,
        &gateway,
        site.gateway.nat,
    ));
    findings.extend(check_nat(
        &gateway,
        site.gateway.nat,
        site.gateway.nat_override.as_ref(),
    ));
    findings.extend(firewall::check(&gateway, &site.gateway));
    findings.extend(check_ipv6(path, site));
    findings.extend(link::check(path, site));
    if let Some(carrier) = &site.carrier {
        findings.extend(check_carrier(
            &format!("{path}.carrier"),
            carrier,
            &lan_key,
            site.lan,
        ));
    }
    findings
}

/// IPv6 that the lab has, with what it goes together with.
fn check_ipv6(path: &str, site: &Site) -> Vec<Finding> {
    let key = format!("{path}.ipv6");
    let finding = |message: &str, hint: &str| Finding::new(&key, message).hint(hint);
    if site.ipv6 == Ipv6::None {
        return Vec::new();
    }
    let mut findings = Vec::new();
    if site.ipv6 == Ipv6::DualStack && site.has_link() {
        let finding = finding(
            "a link emulates IPv4 alone, and IPv6 would go past it",
            "leave one of them out",
        );
        findings.push(finding.because_of(format!("{path}.link")));
    }
    if site.carrier.is_some() {
        let finding = finding(
            "a site with IPv6 behind a carrier's NAT is not yet possible",
            "leave one of them out",
        );
        findings.push(finding.because_of(format!("{path}.carrier")));
    }
    if site.ipv6 == Ipv6::Only && site.gateway.nat == NatPreset::None {
        let finding = finding(
            "what NAT64 translates has private IPv4 addresses until a NAT translates them",
            "give the gateway one, such as `home-router`",
        );
        findings.push(finding.because_of(format!("{path}.gateway.nat")));
    }
    if has_services(&site.gateway) {
        let finding = finding(
            "a firewall that answers connections itself is not yet possible together with IPv6",
            "choose one that judges packets alone, such as `corporate`",
        );
        findings.push(finding.because_of(format!("{path}.gateway.firewall")));
    }
    findings
}

/// Whether the gateway itself answers what its LAN sends: it does so over IPv4 alone.
fn has_services(gateway: &Gateway) -> bool {
    let expanded = gateway.firewall.expand(gateway.firewall_override.as_ref());
    // A contradiction is a finding of its own.
    expanded.is_ok_and(|firewall| {
        let answers = |action: &Action| {
            matches!(
                action,
                Action::AcceptTlsFor(_) | Action::InterceptTls | Action::RedirectToPortal
            )
        };
        firewall.service.is_some() || firewall.rules.iter().any(|rule| answers(&rule.action))
    })
}

fn check_carrier(path: &str, carrier: &Carrier, lan_key: &str, lan: Ipv4Net) -> Vec<Finding> {
    let network = carrier.network;
    let key = format!("{path}.network");
    let mut findings = Vec::new();
    findings.extend(check_network(&key, network, path, carrier.nat));
    findings.extend(check_nat(path, carrier.nat, carrier.nat_override.as_ref()));
    if overlap(network, lan) {
        findings.push(
            Finding::new(key, format!("{network} overlaps the site's LAN {lan}"))
                .because_of(lan_key)
                .hint("the gateway stands between the two: give them different addresses"),
        );
    }
    findings
}

/// A network by itself. The first rule that it breaks is reported; the others would be said of
/// addresses that have to change anyway.
fn check_network(key: &str, network: Ipv4Net, router: &str, nat: NatPreset) -> Option<Finding> {
    let finding = |message: &str| Finding::new(key, format!("{network} {message}"));
    if !PREFIXES.contains(&network.prefix_len()) {
        let hint = format!(
            "use a prefix length of /{} to /{}",
            PREFIXES.start(),
            PREFIXES.end()
        );
        return Some(finding("is too large or too small").hint(hint));
    }
    if network != network.trunc() {
        let hint = format!("the network is {}", network.trunc());
        return Some(finding("is a host's address, not a network").hint(hint));
    }
    if UNUSABLE.iter().any(|reserved| overlap(*reserved, network)) {
        let hint = "use a private range, such as 192.168.1.0/24";
        return Some(finding("holds addresses that no interface can have").hint(hint));
    }
    if overlap(network, INTERNET) {
        let message = format!("overlaps {INTERNET}, which is the lab's internet");
        return Some(finding(&message).hint("use another range, such as 192.168.1.0/24"));
    }
    if nat == NatPreset::None && !PUBLIC.iter().any(|public| public.contains(&network)) {
        let message = "is not public within the lab, and `nat = \"none\"` does not translate it";
        let [first, second] = PUBLIC;
        let hint = format!("use addresses out of {first} or {second}, or name a NAT");
        return Some(
            finding(message)
                .because_of(format!("{router}.nat"))
                .hint(hint),
        );
    }
    None
}

fn check_nat(path: &str, nat: NatPreset, overrides: Option<&NatOverride>) -> Vec<Finding> {
    let contradictions = nat.contradictions(overrides).into_iter();
    contradictions
        .map(|found| {
            Finding::new(format!("{path}.nat_override.{}", found.key), found.message)
                .because_of(format!("{path}.nat"))
                .hint(found.hint)
        })
        .collect()
}

/// Networks that are not translated are all on one internet, where no two can be the same.
fn shared_public_networks(scenario: &Scenario) -> Vec<Finding> {
    let mut public: Vec<(String, String, Ipv4Net)> = Vec::new();
    for (name, site) in &scenario.sites {
        if site.gateway.nat == NatPreset::None {
            let nat = format!("sites.{name}.gateway.nat");
            public.push((format!("sites.{name}.lan"), nat, site.lan));
        }
        if let Some(carrier) = site
            .carrier
            .as_ref()
            .filter(|carrier| carrier.nat == NatPreset::None)
        {
            let nat = format!("sites.{name}.carrier.nat");
            public.push((
                format!("sites.{name}.carrier.network"),
                nat,
                carrier.network,
            ));
        }
    }
    let mut findings = Vec::new();
    for (index, (key, nat, network)) in public.iter().enumerate() {
        for (other_key, other_nat, other) in &public[..index] {
            if overlap(*network, *other) {
                let message = format!("{network} overlaps {other} of `{other_key}`");
                findings.push(
                    Finding::new(key, message)
                        .because_of(other_key)
                        .because_of(nat)
                        .because_of(other_nat)
                        .hint("without NAT each needs addresses of its own"),
                );
            }
        }
    }
    findings
}

fn overlap(left: Ipv4Net, right: Ipv4Net) -> bool {
    left.contains(&right) || right.contains(&left)
}
