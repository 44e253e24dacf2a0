//! A lab whose gateways are other than declared is found out: one test for each kind of fact that a gateway
//! and its link decide. Nothing else than what was changed fails to hold.

mod firewall;
mod link;
mod nat;

use crate::support::{configuration, harness};
use farcall::plan::{Datapath, Gateway, Node, Plan, Role, plan};
use farcall::report::Attestation;
use farcall::scenario::{
    Action, Direction, FirewallOverride, FirewallPreset, Link, LinkPreset, NatOverride, NatPreset,
    Protocol, Rule,
};
use farcall::{RunOptions, Scenario};

/// Two peers with public addresses, of whom Alice has this link.
fn linked(link: LinkPreset) -> Scenario {
    let mut scenario = Scenario::builtin("open-internet").unwrap();
    scenario.sites.get_mut("east").unwrap().link = link;
    scenario
}

/// Two homes, of which Alice's has this NAT.
fn translated(nat: NatPreset, overrides: NatOverride) -> Scenario {
    let mut scenario = Scenario::builtin("full-cone").unwrap();
    let gateway = &mut scenario.sites.get_mut("alice-home").unwrap().gateway;
    (gateway.nat, gateway.nat_override) = (nat, Some(overrides));
    // The other home's mappings need not be waited for.
    let gateway = &mut scenario.sites.get_mut("bob-home").unwrap().gateway;
    gateway.nat_override = Some(NatOverride {
        udp_timeout_s: Some(2),
        ..NatOverride::default()
    });
    scenario
}

/// Attests the scenario in a lab that differs from its plan.
async fn attested(scenario: Scenario, deep: bool, tamper: impl FnOnce(&mut Plan)) -> Attestation {
    let ice = configuration("production");
    let mut raised = plan(&scenario, &ice, 1).unwrap();
    let declared = raised.clone();
    tamper(&mut raised);
    assert_ne!(raised, declared, "nothing was tampered with");
    let options = RunOptions {
        raise_instead: Some(raised),
        ..RunOptions::default()
    };
    let lab = harness()
        .await
        .attest(&scenario, &ice, deep, &options)
        .await;
    lab.unwrap()
}

/// Exactly what is about these things does not hold, and is Alice's.
fn found_out(lab: &Attestation, what: &[&str]) {
    found_out_at("alice", lab, what);
}

/// Exactly what this node measures of these things does not hold.
fn found_out_at(node: &str, lab: &Attestation, what: &[&str]) {
    assert!(lab.faults.is_empty(), "{:#?}", lab.faults);
    assert!(!lab.holds, "{:#?}", lab.attestation);
    let broken: Vec<String> = lab
        .attestation
        .iter()
        .filter(|one| !one.holds)
        .map(|one| {
            let (declared, measured) = (&one.declared, &one.measured);
            format!("{}: {}: {declared}, found {measured}", one.node, one.what)
        })
        .collect();
    for what in what {
        let start = format!("{node}: {what}");
        assert!(
            broken.iter().any(|line| line.starts_with(&start)),
            "{what} is not among {broken:#?}"
        );
    }
    assert_eq!(broken.len(), what.len(), "{broken:#?}");
}

fn node<'a>(plan: &'a mut Plan, name: &str) -> &'a mut Node {
    let mut nodes = plan.nodes.iter_mut();
    nodes.find(|node| node.name == name).unwrap()
}

fn gateway<'a>(plan: &'a mut Plan, name: &str) -> &'a mut Gateway {
    match &mut node(plan, name).role {
        Role::Gateway(gateway) => gateway,
        _ => panic!("{name} is no gateway"),
    }
}

/// The node has something else in its rules.
fn rewrite(plan: &mut Plan, name: &str, rule: &str, other: &str) {
    let rules = &mut node(plan, name).nftables;
    assert!(rules.contains(rule), "{rule} is not in {rules}");
    *rules = rules.replace(rule, other);
}

/// The node lacks the rules that count under this name.
fn remove(plan: &mut Plan, name: &str, counter: &str) {
    let rules = &mut node(plan, name).nftables;
    let rule = format!("counter name \"{counter}\"");
    assert!(rules.contains(&rule), "{rule} is not in {rules}");
    let kept = rules.lines().filter(|line| !line.contains(&rule));
    *rules = kept.map(|line| format!("{line}\n")).collect();
}

/// The scenario with a rule of one's own in front of this site.
fn ruled(name: &str, site: &str, firewall: FirewallPreset, rule: Rule) -> Scenario {
    let mut scenario = Scenario::builtin(name).unwrap();
    let gateway = &mut scenario.sites.get_mut(site).unwrap().gateway;
    gateway.firewall = firewall;
    gateway.firewall_override = Some(FirewallOverride {
        rules: vec![rule],
        ..FirewallOverride::default()
    });
    scenario
}

fn own(direction: Direction, protocol: Protocol, action: Action) -> Rule {
    Rule {
        name: "own/rule".to_owned(),
        direction,
        protocol: Some(protocol),
        port: None,
        address: None,
        action,
    }
}

fn datapath<'a>(plan: &'a mut Plan, gateway_name: &str) -> &'a mut Datapath {
    gateway(plan, gateway_name).datapath.as_mut().unwrap()
}

fn link(plan: &mut Plan) -> &mut Link {
    datapath(plan, "east-gateway").link.as_mut().unwrap()
}
