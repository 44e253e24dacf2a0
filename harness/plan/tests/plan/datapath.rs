//! Gateways through whose own process packets go.

use crate::support::{office, planned, production, scenario, site};
use farcall_plan::{Datapath, Gateway, Plan, PlanError, Role, plan};
use farcall_scenario::{
    FirewallPreset, LinkDirectionOverride, LinkOverride, LinkPreset, NatPreset, Scenario, Site,
};

/// A call from a home with this NAT and link.
fn home(nat: NatPreset, link: LinkPreset) -> Scenario {
    let home = Site {
        link,
        ..site("192.168.1.0/24", nat, FirewallPreset::Open)
    };
    let public = site("192.0.2.0/24", NatPreset::None, FirewallPreset::Open);
    scenario("home", ("home", home), ("public", public))
}

fn datapath<'a>(plan: &'a Plan, node: &str) -> Option<&'a Datapath> {
    let node = plan.nodes.iter().find(|at| at.name == node).unwrap();
    match &node.role {
        Role::Gateway(Gateway { datapath, .. }) => datapath.as_ref(),
        _ => None,
    }
}

#[test]
fn a_gateway_with_a_link_and_a_nat_of_its_own() {
    let plan = planned(
        &home(NatPreset::FullCone, LinkPreset::Vpn1280),
        &production(),
    );
    let gateway = plan.nodes.iter().find(|at| at.name == "home-gateway");
    insta::assert_snapshot!(gateway.unwrap());
}

#[test]
fn what_the_kernel_translates_has_no_datapath() {
    let kernel = planned(
        &home(NatPreset::HomeRouter, LinkPreset::None),
        &production(),
    );
    assert_eq!(datapath(&kernel, "home-gateway"), None);
    assert_eq!(datapath(&kernel, "public-gateway"), None);
}

#[test]
fn two_hosts_that_could_use_one_port_share_no_masquerade() {
    let mut scenario = home(NatPreset::HomeRouter, LinkPreset::None);
    scenario.peers[1].site = "home".to_owned();
    let plan = planned(&scenario, &production());
    assert!(datapath(&plan, "home-gateway").is_some());
}

#[test]
fn a_link_is_the_gateway_s_also_below_a_carrier() {
    let mut scenario = office(FirewallPreset::Open);
    let mobile = scenario.sites.get_mut("mobile").unwrap();
    mobile.link = LinkPreset::Lte;
    let plan = planned(&scenario, &production());
    let gateway = datapath(&plan, "mobile-gateway").unwrap();
    assert_eq!(gateway.link, LinkPreset::Lte.expand());
    assert!(gateway.nat.is_some());
    assert_eq!(datapath(&plan, "mobile-carrier"), None);
}

#[test]
fn a_router_without_translation_has_a_datapath_for_its_link() {
    let plan = planned(&home(NatPreset::None, LinkPreset::Dsl), &production());
    let gateway = datapath(&plan, "home-gateway").unwrap();
    assert_eq!(
        (gateway.nat, &gateway.link),
        (None, &LinkPreset::Dsl.expand())
    );
}

#[test]
fn every_gateway_has_a_seed_of_its_own_that_follows_from_the_plan_s() {
    let mut scenario = home(NatPreset::FullCone, LinkPreset::None);
    scenario.sites.get_mut("public").unwrap().link = LinkPreset::Dsl;
    let seeds = |seed| {
        let plan = plan(&scenario, &production(), seed).unwrap();
        ["home-gateway", "public-gateway"].map(|name| datapath(&plan, name).unwrap().seed)
    };
    let [home, public] = seeds(1);
    assert_ne!(home, public);
    assert_eq!(seeds(1), [home, public]);
    assert!(!seeds(2).contains(&home));
}

#[test]
fn a_trace_that_was_not_loaded_is_an_error() {
    let mut scenario = home(NatPreset::HomeRouter, LinkPreset::None);
    scenario.sites.get_mut("home").unwrap().link_override = Some(LinkOverride {
        up: LinkDirectionOverride {
            trace: Some("driving.trace".into()),
            ..LinkDirectionOverride::default()
        },
        down: LinkDirectionOverride::default(),
    });
    let error = plan(&scenario, &production(), 1).unwrap_err();
    assert!(
        matches!(&error, PlanError::Link { site, .. } if site == "home"),
        "{error}"
    );
}
