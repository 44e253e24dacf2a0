//! What is measured of links.

use crate::support::{planned, production, scenario, site};
use farcall_plan::{Declaration, Fact, Plan, ProbeProtocol};
use farcall_scenario::{
    FirewallPreset, LinkDirectionOverride, LinkOverride, LinkPreset, NatPreset, Rate,
};

/// Alice behind this firewall and link calls Bob, who has neither.
fn plan_of(firewall: FirewallPreset, link: LinkPreset) -> Plan {
    plan_with(firewall, link, LinkDirectionOverride::default())
}

fn plan_with(firewall: FirewallPreset, link: LinkPreset, up: LinkDirectionOverride) -> Plan {
    let mut near = site("10.0.0.0/24", NatPreset::HomeRouter, firewall);
    near.link = link;
    near.link_override = Some(LinkOverride {
        up,
        ..LinkOverride::default()
    });
    let home = site(
        "192.168.1.0/24",
        NatPreset::HomeRouter,
        FirewallPreset::Open,
    );
    planned(
        &scenario("links", ("near", near), ("home", home)),
        &production(),
    )
}

fn is_of_link(declaration: &Declaration) -> bool {
    use farcall_timeline::Aspect;
    declaration.fact.aspect() == Aspect::Link
}

/// What is declared of the link of a peer, in words.
fn declared(plan: &Plan, node: &str) -> Vec<String> {
    let all = plan.attestation.iter().chain(&plan.deep_attestation);
    let own = all.filter(|one| one.node == node && is_of_link(one));
    own.map(|one| one.fact.to_string()).collect()
}

#[test]
fn a_link_is_measured_either_way_as_far_as_udp_passes() {
    let plan = plan_of(FirewallPreset::Open, LinkPreset::Dsl);
    assert_eq!(
        declared(&plan, "alice"),
        [
            "round trip, over udp 53: 37 ms",
            "MTU up, over udp 53: 1500 bytes",
            "rate up, over udp 53: 820 kbit/s",
            "MTU down, over udp 53: 1500 bytes",
            "rate down, over udp 53: 5660 kbit/s",
            "loss up, over udp 53: 0 % ± 0.1 %",
            "loss down, over udp 53: 0 % ± 0.1 %",
        ]
    );
    let plan = plan_of(FirewallPreset::Corporate, LinkPreset::Dsl);
    let only = ["round trip, over tcp 80: 37 ms"];
    assert_eq!(declared(&plan, "alice"), only);
}

#[test]
fn a_recorded_rate_and_disorder_are_measured_where_they_are_declared() {
    let up = LinkDirectionOverride {
        duplicate_percent: Some(2.0),
        reorder_percent: Some(1.0),
        trace: Some("drive.trace".into()),
        trace_rate: Some(Rate::Trace {
            delivery_ms: vec![3],
        }),
        ..LinkDirectionOverride::default()
    };
    let plan = plan_with(FirewallPreset::Open, LinkPreset::Dsl, up);
    let facts = declared(&plan, "alice").into_iter();
    let of_up: Vec<String> = facts.filter(|fact| fact.contains(" up,")).collect();
    assert_eq!(
        of_up,
        [
            "MTU up, over udp 53: 1500 bytes",
            "recorded rate up, over udp 53: 3960 to 4032 kbit/s in 500 ms",
            "loss up, over udp 53: 0 % ± 0.1 %",
            "duplicates up, over udp 53: 2 % ± 0.27 %",
            "overtaking up, over udp 53: 1 % ± 0.19 %",
        ]
    );
}

#[test]
fn a_wire_has_no_delay_and_that_is_measured() {
    let plan = plan_of(FirewallPreset::Open, LinkPreset::Dsl);
    let only = ["round trip, over udp 53: 0 ms"];
    assert_eq!(declared(&plan, "bob"), only);
}

#[test]
fn the_firewalls_own_rate_is_measured_where_it_polices() {
    let plan = plan_of(FirewallPreset::UdpThrottled, LinkPreset::Dsl);
    assert_eq!(
        declared(&plan, "alice"),
        [
            "round trip, over udp 53: 37 ms",
            "policed rate up, over udp 53: 200 kbit/s",
            "policed rate down, over udp 53: 200 kbit/s",
        ]
    );
}

#[test]
fn what_answers_in_place_of_the_internet_tells_nothing_of_the_link() {
    let plan = plan_of(FirewallPreset::TlsIntercept, LinkPreset::Dsl);
    let only = ["round trip, over tcp 80: 37 ms"];
    assert_eq!(declared(&plan, "alice"), only);
    let plan = plan_of(FirewallPreset::HttpProxy, LinkPreset::Dsl);
    assert!(declared(&plan, "alice").is_empty());
}

#[test]
fn probes_wait_as_long_as_the_link_takes() {
    let waits = |plan: &Plan, node: &str| {
        let own = plan.attestation.iter().filter(|one| one.node == node);
        own.map(|one| one.round_trip_ms).max().unwrap()
    };
    let plan = plan_of(FirewallPreset::Open, LinkPreset::Edge);
    // 840 ms, both queues of 200 ms, and the packets themselves.
    assert!((1_240..1_260).contains(&waits(&plan, "alice")));
    assert_eq!(waits(&plan, "bob"), 0);
}

#[test]
fn jitter_widens_what_is_expected() {
    let jitter = |plan: &Plan| {
        plan.attestation.iter().find_map(|one| match one.fact {
            Fact::RoundTrip {
                jitter_ms,
                protocol: ProbeProtocol::Udp,
                ..
            } => Some(jitter_ms),
            _ => None,
        })
    };
    let uniform = plan_of(FirewallPreset::Open, LinkPreset::FourthGeneration);
    assert_eq!(jitter(&uniform), Some(20.0));
    // Normal: four standard deviations of 4 ms, either way.
    let normal = plan_of(FirewallPreset::Open, LinkPreset::SatelliteLeo);
    assert_eq!(jitter(&normal), Some(32.0));
}

#[test]
fn a_narrow_link_says_whether_its_sender_is_told() {
    let mtu = |plan: &Plan| {
        let facts = declared(plan, "alice");
        let of_mtu = facts.into_iter().filter(|fact| fact.starts_with("MTU"));
        of_mtu.collect::<Vec<_>>()
    };
    let silent = plan_of(FirewallPreset::Open, LinkPreset::Vpn1280);
    let vanishes = "over udp 53: 1280 bytes, and who sends more is not told";
    let expected = [
        format!("MTU up, {vanishes}"),
        format!("MTU down, {vanishes}"),
    ];
    assert_eq!(mtu(&silent), expected);
    let up = LinkDirectionOverride {
        fragmentation_needed: Some(true),
        ..LinkDirectionOverride::default()
    };
    let told = plan_with(FirewallPreset::Open, LinkPreset::Vpn1280, up);
    let is_told = "MTU up, over udp 53: 1280 bytes, and who sends more is told";
    assert_eq!(mtu(&told)[0], is_told);
}
