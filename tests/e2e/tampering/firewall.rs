//! A firewall, a portal, a proxy, a server that is other than declared.

use super::{attested, found_out, found_out_at, gateway, node, own, remove, rewrite, ruled};
use crate::support::configuration;
use farcall::Scenario;
use farcall::plan::{GatewayService, Role, plan};
use farcall::scenario::{Action, Direction, FirewallPreset, Protocol, Rule};

#[tokio::test]
async fn a_firewall_without_a_rule_is_found_out() {
    let scenario = Scenario::builtin("udp-throttled").unwrap();
    let lab = attested(scenario, false, |plan| {
        for node in &mut plan.nodes {
            let lines = node.nftables.lines();
            let kept = lines.filter(|line| !line.contains("limit rate over"));
            node.nftables = kept.map(|line| format!("{line}\n")).collect();
        }
    });
    found_out(&lab.await, &["policed rate up", "policed rate down"]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_firewall_that_refuses_instead_of_dropping_is_found_out() {
    let scenario = Scenario::builtin("corporate-firewall").unwrap();
    let lab = attested(scenario, false, |plan| {
        for (protocol, refusal) in [("tcp", "tcp reset"), ("udp", "icmpx admin-prohibited")] {
            let counted = format!("counter name \"corporate/drop-{protocol}\"");
            rewrite(
                plan,
                "office-gateway",
                &format!("{counted} drop"),
                &format!("{counted} reject with {refusal}"),
            );
        }
    });
    let dropped = [
        "tcp 22",
        "tcp 3478",
        "tcp 5349",
        "udp 53",
        "udp 80",
        "udp 443",
        "udp 3478",
        "udp 19302",
    ];
    let refused = dropped.map(|what| format!("{what} to the internet: dropped, found refused"));
    found_out(&lab.await, &refused.each_ref().map(String::as_str));
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_firewall_that_does_not_look_for_tls_is_found_out() {
    let scenario = Scenario::builtin("corporate-tls-only").unwrap();
    let lab = attested(scenario, false, |plan| {
        let (inspected, accepted) = ("tcp dport 443 jump tls-1", "tcp dport 443 accept");
        rewrite(plan, "office-gateway", inspected, accepted);
    });
    found_out(
        &lab.await,
        &["tcp 443 to the internet: reset, found passes"],
    );
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_firewall_that_passes_other_server_names_is_found_out() {
    let scenario = Scenario::builtin("corporate-tls-names").unwrap();
    let lab = attested(scenario, false, |plan| {
        for service in &mut gateway(plan, "office-gateway").services {
            if let GatewayService::TlsFilter { server_names, .. } = service {
                *server_names = vec!["other.example".to_owned()];
            }
        }
    });
    let name = "tcp 443 to the internet, with TLS for turn.example.net: passes, found reset";
    found_out(&lab.await, &[name]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_firewall_that_does_not_intercept_is_found_out() {
    let scenario = Scenario::builtin("corporate-tls-intercept").unwrap();
    let lab = attested(scenario, false, |plan| {
        remove(plan, "office-gateway", "services/redirect-tcp-443");
        let counted = "counter name \"tls-intercept/allow-tcp-80\"";
        let (web, also_443) = ("tcp dport 80 ", "tcp dport { 80, 443 } ");
        rewrite(
            plan,
            "office-gateway",
            &format!("{web}{counted}"),
            &format!("{also_443}{counted}"),
        );
    });
    let tls =
        "tcp 443 to the internet, with TLS: intercepted by Company TLS inspection CA, found passes";
    found_out(
        &lab.await,
        &["tcp 443 to the internet: reset, found passes", tls],
    );
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_hotel_without_its_portal_is_found_out() {
    let scenario = Scenario::builtin("captive-portal").unwrap();
    let lab = attested(scenario, false, |plan| {
        for counter in ["portal/redirect-dns", "captive-portal/redirect-http-80"] {
            remove(plan, "hotel-gateway", counter);
        }
    });
    found_out(
        &lab.await,
        &[
            "tcp 80 to the internet: redirected, found dropped",
            "the name openrelay.metered.ca: 10.30.0.1, found 203.0.113.",
            "the name relay.backups.cz: 10.30.0.1, found 203.0.113.",
            "the name stun.l.google.com: 10.30.0.1, found 203.0.113.",
            "the name stun1.l.google.com: 10.30.0.1, found 203.0.113.",
        ],
    );
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_proxy_that_connects_to_a_port_too_many_is_found_out() {
    let scenario = Scenario::builtin("corporate-proxy").unwrap();
    let lab = attested(scenario, false, |plan| {
        for service in &mut gateway(plan, "office-gateway").services {
            if let GatewayService::HttpProxy { ports, .. } = service {
                ports.push(22);
            }
        }
    });
    let ssh = "tcp 22 to the internet, through the proxy 10.20.0.1:3128: refused, found passes";
    found_out(&lab.await, &[ssh]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn an_office_without_its_proxy_is_found_out() {
    let scenario = Scenario::builtin("corporate-proxy").unwrap();
    let lab = attested(scenario, false, |plan| {
        gateway(plan, "office-gateway").services.clear();
    });
    let passed = [
        "tcp 80 to the internet",
        "tcp 443 to the internet",
        "tcp 443 to the internet, with TLS",
    ];
    let refused = passed
        .map(|what| format!("{what}, through the proxy 10.20.0.1:3128: passes, found refused"));
    found_out(&lab.await, &refused.each_ref().map(String::as_str));
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_signalling_server_that_is_not_there_is_found_out() {
    let scenario = Scenario::builtin("open-internet").unwrap();
    let lab = attested(scenario, false, |plan| {
        let Role::Signalling(server) = &mut node(plan, "signalling").role else {
            panic!("there is no signalling server");
        };
        server.port += 1;
    });
    found_out_at("probe", &lab.await, &["signalling.test"]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_firewall_that_lets_tcp_in_is_found_out() {
    let drop = own(Direction::In, Protocol::Tcp, Action::Drop);
    let scenario = ruled("open-internet", "east", FirewallPreset::UdpBlocked, drop);
    let lab = attested(scenario, false, |plan| {
        remove(plan, "east-gateway", "own/rule");
    });
    let tcp = "tcp 29002 from the internet: dropped, found passes";
    found_out(&lab.await, &[tcp]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_firewall_that_lets_no_tcp_in_is_found_out() {
    let refuse = Rule {
        port: Some(22),
        ..own(Direction::In, Protocol::Tcp, Action::Reject)
    };
    let scenario = ruled("open-internet", "east", FirewallPreset::UdpBlocked, refuse);
    let lab = attested(scenario, false, |plan| {
        for counter in ["udp-blocked/allow-tcp-in", "own/rule"] {
            remove(plan, "east-gateway", counter);
        }
    });
    found_out(
        &lab.await,
        &[
            "tcp 22 from the internet: refused, found dropped",
            "tcp 29002 from the internet: passes, found dropped",
        ],
    );
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_rule_of_ones_own_that_is_missing_is_found_out() {
    let accept = Rule {
        port: Some(8443),
        ..own(Direction::Out, Protocol::Tcp, Action::Accept)
    };
    let firewall = FirewallPreset::Corporate;
    let scenario = ruled("corporate-firewall", "office", firewall, accept);
    let lab = attested(scenario, false, |plan| {
        remove(plan, "office-gateway", "own/rule");
    });
    let port = "tcp 8443 to the internet: passes, found dropped";
    found_out(&lab.await, &[port]);
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_rule_for_a_server_that_is_missing_is_found_out() {
    let host = "relay.backups.cz";
    let scenario = Scenario::builtin("corporate-firewall").unwrap();
    let address = plan(&scenario, &configuration("production"), 1)
        .unwrap()
        .names[host];
    let accept = Rule {
        address: Some(format!("{address}/32").parse().unwrap()),
        ..own(Direction::Out, Protocol::Udp, Action::Accept)
    };
    let firewall = FirewallPreset::Corporate;
    let scenario = ruled("corporate-firewall", "office", firewall, accept);
    let lab = attested(scenario, false, |plan| {
        remove(plan, "office-gateway", "own/rule");
    });
    let dropped =
        [443, 3478].map(|port| format!("{host} ({address}) on udp {port}: passes, found dropped"));
    found_out(&lab.await, &dropped.each_ref().map(String::as_str));
}
