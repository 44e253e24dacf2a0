//! A lab that is not as declared is found out, and nothing is judged in it.

use crate::support::{call_with, configuration, out};
use farcall::plan::{Gateway, Plan, Role, plan};
use farcall::{RunOptions, Scenario, StoredRun, Verdict};

/// Declares the corporate firewall and raises something else.
async fn run_tampered(tamper: impl FnOnce(&mut Plan)) -> StoredRun {
    let scenario = Scenario::builtin("corporate-firewall").unwrap();
    let ice = configuration("production");
    let mut raised = plan(&scenario, &ice, 1).unwrap();
    let declared = raised.clone();
    tamper(&mut raised);
    assert_ne!(raised, declared, "nothing was tampered with");
    let options = RunOptions {
        out: out(),
        raise_instead: Some(raised),
        ..RunOptions::default()
    };
    call_with(&scenario, &ice, &options).await
}

/// The run is INVALID because of this measurement, which has both values, and no call was placed.
fn found_out(run: &StoredRun, node: &str, what: &str) {
    assert_eq!(run.result.verdict, Verdict::Invalid, "{run}");
    let broken: Vec<_> = run
        .result
        .attestation
        .iter()
        .filter(|measured| !measured.holds)
        .collect();
    let found = broken
        .iter()
        .find(|measured| measured.node == node && measured.what.contains(what));
    let Some(found) = found else {
        panic!("{node} {what} is not among {broken:#?}");
    };
    assert!(!found.declared.is_empty(), "{found:?}");
    assert!(!found.measured.is_empty(), "{found:?}");
    assert_ne!(found.declared, found.measured, "{found:?}");
    assert_eq!(run.result.phases.call_ms, None, "a call was placed");
}

fn node<'a>(plan: &'a mut Plan, name: &str) -> &'a mut farcall::plan::Node {
    plan.nodes
        .iter_mut()
        .find(|node| node.name == name)
        .unwrap()
}

#[tokio::test]
async fn a_firewall_that_lets_udp_out_is_found_out() {
    let run = run_tampered(|plan| {
        let scenario = Scenario::builtin("mobile-hotspot").unwrap();
        let open = farcall::plan::plan(&scenario, &configuration("production"), 1).unwrap();
        let home = open
            .nodes
            .iter()
            .find(|node| node.name == "home-gateway")
            .unwrap();
        node(plan, "office-gateway").nftables = home.nftables.clone();
    })
    .await;
    found_out(&run, "alice", "udp");
}

#[tokio::test]
async fn a_nat_of_another_class_is_found_out() {
    let run = run_tampered(|plan| {
        for name in ["mobile-gateway", "mobile-carrier"] {
            let gateway = node(plan, name);
            gateway.nftables = gateway.nftables.replace(" fully-random", "");
        }
    })
    .await;
    found_out(&run, "bob", "mapping");
}

#[tokio::test]
async fn a_turn_server_without_its_listener_is_found_out() {
    let run = run_tampered(|plan| {
        for node in &mut plan.nodes {
            if let Role::TurnServer(server) = &mut node.role
                && server.host == "relay.backups.cz"
            {
                server.listeners.clear();
                node.nftables = node.nftables.replace("dport 443", "dport 444");
                node.nftables = node.nftables.replace("dport { 443", "dport { 444");
            }
        }
    })
    .await;
    found_out(&run, "probe", "relay.backups.cz");
}

#[tokio::test]
async fn a_route_to_the_outside_is_found_out() {
    let run = run_tampered(|plan| {
        let probe = plan.names["relay.backups.cz"];
        let gateway = node(plan, "office-gateway");
        gateway.routes.push(farcall::plan::Route {
            to: "0.0.0.0/0".parse().unwrap(),
            via: probe,
        });
    })
    .await;
    found_out(&run, "office-gateway", "route");
}

#[tokio::test]
async fn a_turn_server_with_a_listener_too_many_is_found_out() {
    let run = run_tampered(|plan| {
        let server = node(plan, "openrelay.metered.ca");
        let (udp, any) = ("udp dport 80 ", "meta l4proto { tcp, udp } th dport 80 ");
        server.nftables = server.nftables.replace(udp, any);
    })
    .await;
    found_out(&run, "probe", "on tcp 80");
}

#[tokio::test]
async fn a_name_that_resolves_to_another_address_is_found_out() {
    let name = "relay.backups.cz";
    let run = run_tampered(|plan| {
        let record = |address| format!("host-record={name},{address}\n");
        let (right, wrong) = (plan.names[name], plan.names["openrelay.metered.ca"]);
        for node in &mut plan.nodes {
            if let Role::Gateway(Gateway {
                dnsmasq: Some(text),
                ..
            }) = &mut node.role
            {
                *text = text.replace(&record(right), &record(wrong));
            }
        }
    })
    .await;
    found_out(&run, "alice", name);
    found_out(&run, "bob", name);
}

#[tokio::test]
async fn an_address_too_many_is_found_out() {
    let run = run_tampered(|plan| {
        let lan = &mut node(plan, "alice").interfaces[0];
        lan.addresses.push("198.51.100.7/32".parse().unwrap());
    })
    .await;
    found_out(&run, "alice", "interfaces");
}
