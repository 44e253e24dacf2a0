//! What breaks in a call, and at which node.

use crate::support::{office, planned, production, refused, with_tls};
use farcall_plan::{FaultAction, Gateway, Plan, Role};
use farcall_scenario::{
    CertificateFlaw, Direction, Fault, FaultKind, FirewallPreset, Milestone, Moment, Scenario,
};
use std::net::Ipv4Addr;

fn fault(kind: FaultKind, target: &str, direction: Option<Direction>) -> Fault {
    Fault {
        kind,
        target: target.to_owned(),
        direction,
        from: Moment {
            event: Milestone::Connected,
            ms: 2_000,
        },
        ..Fault::default()
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

#[test]
fn what_befalls_a_server_from_outside_is_done_at_every_gateway() {
    for (kind, expected) in [
        (
            FaultKind::ServerBlackHoled,
            "oifname \"wan\" ip daddr 203.0.113.100 counter",
        ),
        (
            FaultKind::RelayPortsBlocked,
            "oifname \"wan\" ip daddr 203.0.113.100 udp dport 49152-65535 counter",
        ),
    ] {
        let plan = planned(
            &with(fault(kind, Fault::TURN_SERVER_IN_USE, None)),
            &with_tls(),
        );
        let around = &plan.faults[0].around["turn.example.net"];
        let gateways: Vec<&str> = around.iter().map(|at| at.gateway.as_str()).collect();
        assert_eq!(gateways, ["office-gateway", "mobile-gateway"]);
        for at in around {
            let FaultAction::Drop { rules, .. } = &at.action else {
                panic!("{:?} drops nothing", at.action);
            };
            assert!(rules.contains(expected), "{rules}");
        }
        assert!(plan.expect.faults[0].drops);
    }
}

#[test]
fn names_that_change_are_those_of_the_servers_and_nothing_else() {
    let own = planned(
        &with(fault(FaultKind::LinkDown, "office", None)),
        &production(),
    );
    let own = own
        .nodes
        .iter()
        .find(|node| node.name == "office-gateway")
        .unwrap();
    let Role::Gateway(Gateway {
        dnsmasq: Some(own), ..
    }) = &own.role
    else {
        panic!("{own:?} resolves nothing");
    };
    for (kind, gives) in [
        (FaultKind::NameMissing, None),
        (FaultKind::NameWrong, Some(Ipv4Addr::new(203, 0, 113, 254))),
    ] {
        let plan = planned(&with(fault(kind, "office", None)), &production());
        let FaultAction::ReplaceNames {
            configuration,
            delay_ms: None,
            name,
            address,
        } = &plan.faults[0].action
        else {
            panic!("{:?}", plan.faults);
        };
        assert_eq!(*address, gives);
        assert!(
            own.contains(&format!("host-record={name},203.0.113.")),
            "{own}"
        );
        let record = format!("host-record={name},");
        assert_eq!(
            configuration.contains(&record),
            gives.is_some(),
            "{configuration}"
        );
        let others = |text: &str| -> Vec<String> {
            let lines = text
                .lines()
                .filter(|line| !line.starts_with("host-record="));
            lines.map(str::to_owned).collect()
        };
        assert_eq!(others(configuration), others(own));
    }
}

#[test]
fn slow_names_are_the_same_names_behind_what_delays_them() {
    let scenario = with(fault(FaultKind::NameSlow, "office", None));
    let plan = planned(&scenario, &production());
    let nodes = plan.nodes.iter();
    let own = nodes.filter(|node| node.name == "office-gateway");
    let own: Vec<&str> = own
        .filter_map(|node| match &node.role {
            Role::Gateway(gateway) => gateway.dnsmasq.as_deref(),
            _ => None,
        })
        .collect();
    let FaultAction::ReplaceNames {
        configuration,
        delay_ms: Some(2_000),
        name,
        address: Some(address),
    } = &plan.faults[0].action
    else {
        panic!("{:?}", plan.faults);
    };
    let record = format!("host-record={name},{address}\n");
    assert!(configuration.contains(&record), "{configuration}");
    let moved = configuration.replace("port=5354\n", "port=53\n");
    assert_eq!([moved.as_str()], own.as_slice());
}

#[test]
fn a_server_is_made_ready_for_what_befalls_it() {
    let server = |kind| {
        let plan = planned(
            &with(fault(kind, Fault::TURN_SERVER_IN_USE, None)),
            &with_tls(),
        );
        let node = plan
            .nodes
            .into_iter()
            .find(|node| node.name == "turn.example.net");
        match node.unwrap().role {
            Role::TurnServer(server) => server,
            other => panic!("{other:?}"),
        }
    };
    assert!(
        server(FaultKind::QuotaExhausted)
            .configuration
            .contains("user-quota=24\n")
    );
    assert!(
        !server(FaultKind::ServerDown)
            .configuration
            .contains("user-quota")
    );
    let replaced = server(FaultKind::CertificateSelfSigned);
    assert_eq!(replaced.replacement_flaws, [CertificateFlaw::SelfSigned]);
    assert_eq!(replaced.certificate_flaw, None);
}
