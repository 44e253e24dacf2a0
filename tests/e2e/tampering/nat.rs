//! A NAT that is other than declared.

use super::{attested, datapath, found_out, translated};
use crate::support::configuration;
use farcall::Scenario;
use farcall::plan::{Plan, Role};
use farcall::scenario::{Behaviour, NatOverride, NatPreset};
use farcall::timeline::Aspect;

#[tokio::test]
async fn a_nat_that_does_not_hairpin_is_found_out() {
    let scenario = translated(NatPreset::FullCone, NatOverride::default());
    let lab = attested(scenario, false, |plan| {
        let nat = &mut datapath(plan, "alice-home-gateway").nat;
        nat.as_mut().unwrap().hairpinning = false;
    });
    found_out(&lab.await, &["NAT hairpinning"]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_nat_that_hairpins_is_found_out() {
    let overrides = NatOverride {
        hairpinning: Some(false),
        ..NatOverride::default()
    };
    let scenario = translated(NatPreset::FullCone, overrides);
    let lab = attested(scenario, false, |plan| {
        let nat = &mut datapath(plan, "alice-home-gateway").nat;
        nat.as_mut().unwrap().hairpinning = true;
    });
    found_out(&lab.await, &["NAT hairpinning"]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_nat_with_random_ports_is_found_out() {
    let scenario = translated(NatPreset::FullCone, NatOverride::default());
    let lab = attested(scenario, false, |plan| {
        let nat = &mut datapath(plan, "alice-home-gateway").nat;
        nat.as_mut().unwrap().port_preservation = false;
    });
    found_out(&lab.await, &["NAT port preservation"]);
}

#[tokio::test]
async fn a_nat_with_another_filter_is_found_out() {
    let scenario = translated(NatPreset::RestrictedCone, NatOverride::default());
    let lab = attested(scenario, false, |plan| {
        let nat = &mut datapath(plan, "alice-home-gateway").nat;
        nat.as_mut().unwrap().filtering = farcall::scenario::Behaviour::EndpointIndependent;
    });
    found_out(&lab.await, &["NAT filtering"]);
}

/// How long the rules know a connection limits what comes by a mapping too.
fn set_udp_timeout(plan: &mut Plan, timeout_s: u32) {
    let nat = &mut datapath(plan, "alice-home-gateway").nat;
    nat.as_mut().unwrap().udp_timeout_s = timeout_s;
    let nodes = plan.nodes.iter_mut();
    for node in nodes.filter(|node| node.name == "alice-home-gateway") {
        for (name, value) in &mut node.sysctls {
            if name.contains("udp_timeout") {
                *value = timeout_s.to_string();
            }
        }
    }
}

#[tokio::test]
async fn mappings_that_live_longer_or_shorter_are_found_out() {
    let six_seconds = NatOverride {
        udp_timeout_s: Some(6),
        ..NatOverride::default()
    };
    let scenario = translated(NatPreset::FullCone, six_seconds);
    for other_s in [4, 8] {
        let lab = attested(scenario.clone(), true, |plan| {
            set_udp_timeout(plan, other_s)
        });
        found_out(&lab.await, &["UDP mapping lifetime"]);
    }
}

#[tokio::test]
async fn a_mapping_that_a_collision_changes_is_found_out() {
    // The kernel's masquerade gives the second of two hosts with one source port another port for the
    // destination that both have, and none else.
    let scenario = Scenario::builtin("same-network").unwrap();
    let lab = attested(scenario, false, |plan| {
        let alone = {
            let mut alone = Scenario::builtin("home-to-home").unwrap();
            let site = alone.sites.remove("alice-home").unwrap();
            alone.sites.insert("home".to_owned(), site);
            alone.peers[0].site = "home".to_owned();
            farcall::plan::plan(&alone, &configuration("production"), 1).unwrap()
        };
        let kernels = alone.nodes.iter().find(|node| node.name == "home-gateway");
        let kernels = kernels.unwrap();
        let nodes = plan.nodes.iter_mut();
        for node in nodes.filter(|node| node.name == "home-gateway") {
            node.nftables.clone_from(&kernels.nftables);
            node.sysctls.clone_from(&kernels.sysctls);
            if let Role::Gateway(gateway) = &mut node.role {
                gateway.datapath = None;
            }
        }
    });
    let lab = lab.await;
    assert!(!lab.holds);
    let broken: Vec<&str> = lab
        .attestation
        .iter()
        .filter(|one| !one.holds && one.aspect == Aspect::Nat)
        .map(|one| one.what.as_str())
        .collect();
    assert!(!broken.is_empty(), "{lab:#?}");
    for what in broken {
        assert!(what.contains("at every peer"), "{what}");
    }
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_nat_that_filters_more_than_declared_is_found_out() {
    let scenario = translated(NatPreset::FullCone, NatOverride::default());
    let lab = attested(scenario, false, |plan| {
        let nat = &mut datapath(plan, "alice-home-gateway").nat;
        nat.as_mut().unwrap().filtering = Behaviour::AddressAndPortDependent;
    });
    let filtering =
        "NAT filtering, over udp 53: endpoint-independent, found address-and-port-dependent";
    found_out(&lab.await, &[filtering]);
}
