//! What each kind of fault needs of the scenario, and which keys are its own.

use super::within;
use crate::model::{Ipv6, Scenario, Signalling};
use crate::preset::{LinkPreset, NatPreset, Rule};
use crate::read::Finding;
use crate::recovery::{Fault, FaultKind, Milestone, Victim};
use crate::servers::ServerCondition;

/// What is wrong with fault number `index`, beyond its moments.
pub(crate) fn check(scenario: &Scenario, index: usize, fault: &Fault) -> Vec<Finding> {
    let key = |key: &str| format!("faults[{index}].{key}");
    let mut findings: Vec<Finding> = victim(scenario, fault, &key("target"))
        .into_iter()
        .chain(foreign_keys(fault, &key))
        .collect();
    findings.extend(match fault.kind {
        FaultKind::Drop => rule(fault, &key),
        FaultKind::LinkChange => link(scenario, fault, &key),
        FaultKind::AddressChange => address(scenario, fault, &key),
        FaultKind::Handover => handover(scenario, index, fault, &key),
        FaultKind::NameSlow => slow_names(scenario, &key),
        FaultKind::PeerFrozen => frozen(scenario, &key),
        _ => Vec::new(),
    });
    if index == 0 {
        let moments = [("from", Some(fault.from)), ("until", fault.until)];
        for (name, moment) in moments {
            let is_relative = moment.is_some_and(|moment| {
                matches!(
                    moment.event,
                    Milestone::PreviousBegun | Milestone::PreviousMended
                )
            });
            if is_relative {
                let finding = Finding::new(key(name), "there is no fault before the first");
                findings.push(finding.hint("name another event, such as \"connected\""));
            }
        }
    }
    findings
}

fn victim(scenario: &Scenario, fault: &Fault, key: &str) -> Option<Finding> {
    let target = &fault.target;
    let (what, known): (&str, Vec<&str>) = match fault.kind.victim() {
        Victim::Site => ("site", scenario.sites.keys().map(String::as_str).collect()),
        Victim::Peer => {
            let peers = scenario.peers.iter();
            ("peer", peers.map(|peer| peer.name.as_str()).collect())
        }
        Victim::Signalling => {
            if scenario.call.signalling != Signalling::WebSocket {
                let message = "signalling goes through the harness, which nothing befalls";
                let finding = Finding::new(key, message).because_of("call");
                return Some(finding.hint("leave call.signalling out, or set it to \"websocket\""));
            }
            ("signalling server", vec![Fault::SIGNALLING])
        }
        // The ICE configuration tells which there are.
        Victim::TurnServer => return None,
    };
    (!known.contains(&target.as_str())).then(|| {
        let hint = format!("it befalls one of {}", known.join(", "));
        Finding::new(key, format!("there is no {what} {target}")).hint(hint)
    })
}

/// Keys that are about another kind of fault.
fn foreign_keys(fault: &Fault, key: &impl Fn(&str) -> String) -> Vec<Finding> {
    use FaultKind::{Drop, Handover, LinkChange};
    let keys = [
        ("protocol", fault.protocol.is_some(), Drop),
        ("port", fault.port.is_some(), Drop),
        ("address", fault.address.is_some(), Drop),
        ("link", fault.link.is_some(), LinkChange),
        ("link_override", fault.link_override.is_some(), LinkChange),
        ("to", fault.to.is_some(), Handover),
    ];
    let foreign = keys
        .into_iter()
        .filter(|(_, is_set, of)| *is_set && fault.kind != *of);
    foreign
        .map(|(name, _, of)| {
            let message = format!("{} has no `{name}`", fault.kind);
            Finding::new(key(name), message).hint(format!("leave it out, or write kind = \"{of}\""))
        })
        .collect()
}

fn rule(fault: &Fault, key: &impl Fn(&str) -> String) -> Vec<Finding> {
    let mut findings = Vec::new();
    if fault.protocol.is_none() && fault.address.is_none() {
        let finding = Finding::new(key("kind"), "it does not say what is dropped");
        let hint = "write `protocol`, `port` or `address`; \"link-down\" drops everything";
        findings.push(finding.hint(hint));
    }
    let port = fault.port.map(u32::from);
    findings.extend(port.and_then(|port| within(&key("port"), port, &Rule::PORT)));
    if fault.port.is_some() && fault.protocol.is_none() {
        let finding = Finding::new(key("port"), "a port is a protocol's");
        findings.push(finding.hint("write protocol = \"udp\" or \"tcp\" as well"));
    }
    findings
}

fn link(scenario: &Scenario, fault: &Fault, key: &impl Fn(&str) -> String) -> Vec<Finding> {
    let mut findings = Vec::new();
    if fault.link.is_none_or(|link| link == LinkPreset::None) {
        let finding = Finding::new(key("kind"), "it does not say what the link becomes");
        findings.push(finding.hint("write link = \"edge\", or another preset of a link"));
    }
    let site = scenario.sites.get(&fault.target);
    if site.is_some_and(|site| !site.has_link()) {
        let message = format!("{} has no link whose conditions could change", fault.target);
        let hint = format!("write `link` in [sites.{}]", fault.target);
        findings.push(Finding::new(key("target"), message).hint(hint));
    }
    findings
}

/// The harness waits until a peer has taken what the other says.
fn frozen(scenario: &Scenario, key: &impl Fn(&str) -> String) -> Vec<Finding> {
    if scenario.call.signalling == Signalling::WebSocket {
        return Vec::new();
    }
    let message = "a peer that stands still does not take what the harness carries to it";
    let finding = Finding::new(key("kind"), message).because_of("call");
    vec![finding.hint("leave call.signalling out, or set it to \"websocket\"")]
}

fn slow_names(scenario: &Scenario, key: &impl Fn(&str) -> String) -> Vec<Finding> {
    if !scenario.servers.have(ServerCondition::NameSlow) {
        return Vec::new();
    }
    let finding = Finding::new(key("kind"), "names are slow from the beginning");
    vec![
        finding
            .because_of("servers")
            .hint("leave the fault out, or the condition `name-slow`"),
    ]
}

fn address(scenario: &Scenario, fault: &Fault, key: &impl Fn(&str) -> String) -> Vec<Finding> {
    let site = scenario.sites.get(&fault.target);
    let is_translated = site.is_none_or(|site| match &site.carrier {
        Some(carrier) => carrier.nat != NatPreset::None,
        None => site.gateway.nat != NatPreset::None,
    });
    if is_translated {
        return Vec::new();
    }
    let message = format!("nothing translates the addresses of {}", fault.target);
    let hint = "give its outermost gateway a NAT, or write kind = \"handover\"";
    vec![Finding::new(key("target"), message).hint(hint)]
}

fn handover(
    scenario: &Scenario,
    index: usize,
    fault: &Fault,
    key: &impl Fn(&str) -> String,
) -> Vec<Finding> {
    let mut peers = scenario.peers.iter();
    let peer = peers.find(|peer| peer.name == fault.target);
    let from = peer.map(|peer| peer.site.as_str());
    let names = || scenario.sites.keys().map(String::as_str);
    let others: Vec<&str> = names().filter(|name| Some(*name) != from).collect();
    let Some(to) = &fault.to else {
        let finding = Finding::new(
            key("kind"),
            "it does not say into which site the peer moves",
        );
        return vec![finding.hint(format!("write to = \"{}\"", others.join("\" or \"")))];
    };
    if !others.contains(&to.as_str()) {
        let message = format!("{} cannot move into {to}", fault.target);
        let hint = format!("name another site of the scenario: {}", others.join(", "));
        return vec![Finding::new(key("to"), message).hint(hint)];
    }
    let mut findings = Vec::new();
    let sites = [from, Some(to.as_str())].into_iter().flatten();
    let has_ipv6 = |name: &str| {
        let site = scenario.sites.get(name);
        site.is_some_and(|site| site.ipv6 != Ipv6::None)
    };
    if let Some(name) = sites.into_iter().find(|name| has_ipv6(name)) {
        let message = format!("{name} has IPv6, with which peers do not move");
        let hint = format!("leave out `ipv6` in [sites.{name}]");
        findings.push(Finding::new(key("to"), message).hint(hint));
    }
    let mut earlier = scenario.faults[..index].iter();
    if earlier.any(|other| other.kind == FaultKind::Handover && other.target == fault.target) {
        let message = format!("{} moves more than once", fault.target);
        let hint = "a peer moves once, and back with `until`";
        findings.push(Finding::new(key("target"), message).hint(hint));
    }
    findings
}
