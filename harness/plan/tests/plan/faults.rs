//! What breaks in a call, and at which node.

use crate::support::{office, planned, production, refused};
use farcall_plan::{FaultAction, Plan};
use farcall_scenario::{Direction, Fault, FaultKind, FirewallPreset, Milestone, Moment, Scenario};

fn fault(kind: FaultKind, target: &str, direction: Option<Direction>) -> Fault {
    Fault {
        kind,
        target: target.to_owned(),
        direction,
        from: Moment {
            event: Milestone::Connected,
            ms: 2_000,
        },
        until: None,
    }
}

fn with(fault: Fault) -> Scenario {
    let mut scenario = office(FirewallPreset::Corporate);
    scenario.faults = vec![fault];
    scenario
}

/// What a fault's table drops, rule by rule.
fn drops(plan: &Plan) -> Vec<&str> {
    let FaultAction::Drop { rules, .. } = &plan.faults[0].action else {
        panic!("{:?} drops nothing", plan.faults);
    };
    let rules = rules.lines().filter(|line| line.ends_with("drop"));
    rules
        .map(|line| line.split(" counter").next().unwrap().trim())
        .collect()
}

#[test]
fn a_link_that_is_down_lets_nothing_through_at_the_outer_interface() {
    let plan = planned(
        &with(fault(FaultKind::LinkDown, "office", None)),
        &production(),
    );
    assert_eq!(plan.faults[0].node.as_deref(), Some("office-gateway"));
    assert_eq!(plan.faults[0].what, "link-down at office");
    assert_eq!(drops(&plan), ["iifname \"wan\"", "oifname \"wan\""]);
}

#[test]
fn a_direction_is_seen_from_the_site() {
    for (direction, expected) in [
        (Direction::Out, "oifname \"wan\""),
        (Direction::In, "iifname \"wan\""),
    ] {
        let scenario = with(fault(FaultKind::LinkDown, "office", Some(direction)));
        let plan = planned(&scenario, &production());
        assert_eq!(drops(&plan), [expected]);
    }
}

#[test]
fn dtls_is_known_by_its_first_byte_relayed_or_not() {
    let scenario = with(fault(FaultKind::DropDtls, "mobile", Some(Direction::Out)));
    let plan = planned(&scenario, &production());
    assert_eq!(
        drops(&plan),
        [
            "oifname \"wan\" meta l4proto udp @th,64,8 20-63",
            "oifname \"wan\" meta l4proto udp @th,64,8 64-79 @th,96,8 20-63",
        ]
    );
}

#[test]
fn a_server_is_found_by_its_host() {
    let scenario = with(fault(FaultKind::ServerFrozen, "relay.example.net", None));
    let plan = planned(&scenario, &production());
    assert_eq!(plan.faults[0].node.as_deref(), Some("relay.example.net"));
    assert_eq!(plan.faults[0].action, FaultAction::FreezeServer);
    assert!(!plan.expect.faults[0].drops);
}

#[test]
fn the_server_in_use_is_known_only_when_it_is_used() {
    let scenario = with(fault(
        FaultKind::ServerDown,
        Fault::TURN_SERVER_IN_USE,
        None,
    ));
    let plan = planned(&scenario, &production());
    assert_eq!(plan.faults[0].node, None);
    assert_eq!(plan.faults[0].action, FaultAction::KillServer);
}

#[test]
fn a_fault_of_nobody_is_an_error() {
    for (kind, target) in [
        (FaultKind::LinkDown, "elsewhere"),
        (FaultKind::ServerFrozen, "office"),
    ] {
        let error = refused(&with(fault(kind, target, None)), &production()).to_string();
        assert!(error.contains(&format!("there is no {target}")), "{error}");
    }
}

#[test]
fn a_plan_tells_of_its_faults() {
    let mut scenario = with(fault(FaultKind::ForgetMappings, "mobile", None));
    scenario.recovery = Some(Default::default());
    let text = planned(&scenario, &production()).to_string();
    for line in [
        "  the peers make 3 attempts at most, 2000 ms after a failure: reset\n",
        "  forget-mappings at mobile, by mobile-gateway: from 2000 ms after both peers were connected to \
         the call's end\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}
