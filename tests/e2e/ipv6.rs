//! IPv6 that is other than declared is found out, and what no lab can have of it is said.

use crate::support::{configuration, executable, harness};
use farcall::plan::{Gateway, Ipv6Route, Node, Plan, Role, plan};
use farcall::{RunOptions, Scenario};
use rstest::rstest;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What does not hold in a lab of this scenario that differs from its plan, each with what was found.
async fn broken(scenario: &str, tamper: impl FnOnce(&mut Plan)) -> Vec<String> {
    let scenario = Scenario::builtin(scenario).unwrap();
    let ice = configuration("udp-only");
    let mut raised = plan(&scenario, &ice, 1).unwrap();
    let declared = raised.clone();
    tamper(&mut raised);
    assert_ne!(raised, declared, "nothing was tampered with");
    let options = RunOptions {
        raise_instead: Some(raised),
        ..RunOptions::default()
    };
    let harness = harness().await;
    let lab = harness.attest(&scenario, &ice, false, &options);
    let lab = lab.await.unwrap();
    assert!(lab.faults.is_empty(), "{:#?}", lab.faults);
    let broken = lab.attestation.iter().filter(|one| !one.holds);
    broken
        .map(|one| format!("{}: {}: {}", one.node, one.what, one.measured))
        .collect()
}

fn node<'a>(plan: &'a mut Plan, name: &str) -> &'a mut Node {
    let mut nodes = plan.nodes.iter_mut();
    nodes.find(|node| node.name == name).unwrap()
}

fn replace(text: &mut String, from: &str, to: &str) {
    assert!(text.contains(from), "{from} is not in {text}");
    *text = text.replace(from, to);
}

fn has(broken: &[String], start: &str, found: &str) {
    let is_it = |line: &String| line.starts_with(start) && line.contains(found);
    assert!(
        broken.iter().any(is_it),
        "{start}: {found} is not among {broken:#?}"
    );
}

#[tokio::test]
async fn a_way_to_the_neighbours_on_the_link_is_found_out() {
    for (scenario, name) in [("broken-ipv6", "alice"), ("ipv6-only", "mobile-gateway")] {
        let tamper = |plan: &mut Plan| {
            let rule = "ip6 daddr { fe80::/10, ff00::/8 } counter name \
                        \"isolation/drop-sent-link-local\" drop";
            replace(&mut node(plan, name).nftables, rule, "");
        };
        let start = format!("{name}: what is sent to link-local");
        has(&broken(scenario, tamper).await, &start, "ff02::1%");
    }
}

#[tokio::test]
async fn ipv6_that_is_refused_is_no_black_hole() {
    let broken = broken("broken-ipv6", |plan| {
        let rules = &mut node(plan, "alice-home-gateway").nftables;
        let counter = "counter name \"ipv6/drop-black-holed\"";
        let reject = format!("{counter} reject with icmpx admin-prohibited");
        replace(rules, &format!("{counter} drop"), &reject);
    });
    // Linux tells of one a second, so not each of the three is told.
    has(&broken.await, "alice: ", "on the internet: refused");
}

#[tokio::test]
async fn a_name_without_its_synthesised_address_is_found_out() {
    let broken = broken("ipv6-only", |plan| {
        if let Role::Gateway(Gateway {
            dnsmasq: Some(text),
            ..
        }) = &mut node(plan, "mobile-gateway").role
        {
            replace(text, ",2001:db8:64:ff9b::cb00:7164", "");
        }
    });
    let broken = broken.await;
    assert_eq!(broken.len(), 1, "{broken:#?}");
    assert!(broken[0].contains("over IPv6"), "{broken:#?}");
}

#[tokio::test]
async fn ipv4_where_there_must_be_none_is_found_out() {
    let broken = broken("ipv6-only", |plan| {
        let interface = &mut node(plan, "alice").interfaces[0];
        interface.addresses.push("203.0.113.77/24".parse().unwrap());
    });
    let broken = broken.await;
    has(&broken, "alice: interfaces", "203.0.113.77/24");
    has(
        &broken,
        "alice: a route to 203.0.113.2",
        "from 203.0.113.77",
    );
}

#[tokio::test]
async fn a_translator_that_translates_nothing_is_found_out() {
    let broken = broken("ipv6-only", |plan| {
        if let Role::Gateway(Gateway {
            nat64: Some(nat64), ..
        }) = &mut node(plan, "mobile-gateway").role
        {
            let map = "map 192.168.1.10 2001:db8:1:1::10\n";
            replace(&mut nat64.configuration, map, "");
        }
    });
    has(&broken.await, "alice: udp 3478 to the internet", "");
}

#[tokio::test]
async fn a_router_that_lets_in_what_nobody_asked_for_is_found_out() {
    let broken = broken("dual-stack", |plan| {
        let rules = &mut node(plan, "alice-home-gateway").nftables;
        let counter = "counter name \"ipv6/drop-unsolicited\"";
        replace(
            rules,
            &format!("{counter} drop"),
            &format!("{counter} accept"),
        );
    });
    let broken = broken.await;
    assert_eq!(broken.len(), 1, "{broken:#?}");
    has(&broken, "alice: filtering of IPv6", "no filter");
}

#[tokio::test]
async fn an_ipv6_route_to_the_outside_is_found_out() {
    let broken = broken("dual-stack", |plan| {
        let gateway = node(plan, "bob-home-gateway").ipv6.as_mut().unwrap();
        gateway.routes.push(Ipv6Route {
            to: "::/0".parse().unwrap(),
            via: "2001:db8::2".parse().unwrap(),
        });
    });
    let broken = broken.await;
    has(
        &broken,
        "bob-home-gateway: a route to 2001:4860:4860::8888",
        "from 2001:db8",
    );
}

#[tokio::test]
async fn a_name_that_leads_elsewhere_over_ipv6_is_found_out() {
    let broken = broken("dual-stack", |plan| {
        if let Role::Gateway(Gateway {
            dnsmasq: Some(text),
            ..
        }) = &mut node(plan, "alice-home-gateway").role
        {
            replace(text, ",2001:db8::100", ",2001:db8::1");
        }
    });
    let broken = broken.await;
    assert_eq!(broken.len(), 1, "{broken:#?}");
    has(
        &broken,
        "alice: the name openrelay.metered.ca, over IPv6",
        "2001:db8::1",
    );
}

/// An ICE configuration that names its servers by IPv6 literals, called `literal`.
fn literals(directory: &Path) -> PathBuf {
    let path = directory.join("literal.json");
    let text = r#"[
  { "urls": ["turn:[2001:db8::7]:3478", "turns:[2001:db8::7]:443?transport=tcp", "turn:turn.example.net:3478"],
    "username": "farcall", "credential": "hunter2" },
  { "urls": "stun:[2001:db8::7]" }
]"#;
    std::fs::write(&path, text).unwrap();
    path
}

fn farcall(arguments: &[&str], ice: &Path) -> Command {
    let mut command = Command::new(executable());
    command.args(arguments).arg("--ice").arg(ice);
    command.stdin(Stdio::null());
    command
}

/// What a command wrote, each line a JSON object.
fn json(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_run_with_ipv6_literals_is_unsupported_and_raises_no_lab() {
    let out = tempfile::tempdir().unwrap();
    let ice = literals(out.path());
    let mut command = farcall(&["run", "same-network", "--json"], &ice);
    let output = command.arg("--out").arg(out.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", errors(&output));
    let [result] = &json(&output)[..] else {
        panic!("{}", String::from_utf8_lossy(&output.stdout));
    };
    assert_eq!(result["verdict"], "unsupported");
    assert_eq!(result["ice_configuration"], "literal");
    let diagnosis = &result["diagnosis"];
    assert_eq!(diagnosis["cause"], "configuration-unsupported");
    let said = diagnosis["summary"].as_str().unwrap();
    for url in [
        "turn:[2001:db8::7]:3478",
        "turns:[2001:db8::7]:443?transport=tcp",
        "stun:[2001:db8::7]",
        "write a host name",
    ] {
        assert!(said.contains(url), "{url} is missing: {said}");
    }
    let directory = out.path().join("latest");
    let log = std::fs::read_to_string(directory.join("events.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(directory.join("result.json").is_file());
}

#[test]
fn a_configuration_with_ipv6_literals_does_not_keep_others_from_their_calls() {
    let out = tempfile::tempdir().unwrap();
    let ice = literals(out.path());
    let configurations = ["--config", "udp-only,with-tls"];
    let arguments = [&["run", "same-network", "--json"], &configurations[..]].concat();
    let mut command = farcall(&arguments, &ice);
    let output = command.arg("--out").arg(out.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", errors(&output));
    let results = json(&output);
    let verdicts: Vec<_> = results
        .iter()
        .map(|result| {
            let text = |key: &str| result[key].as_str().unwrap();
            (text("ice_configuration"), text("verdict"))
        })
        .collect();
    let expected = [
        ("literal", "unsupported"),
        ("udp-only", "pass"),
        ("with-tls", "pass"),
    ];
    assert_eq!(verdicts, expected);
}

#[test]
fn every_cell_of_a_matrix_with_ipv6_literals_is_unsupported() {
    let out = tempfile::tempdir().unwrap();
    let ice = literals(out.path());
    let mut command = farcall(&["matrix", "--networks", "home", "--json"], &ice);
    let output = command.arg("--out").arg(out.path()).output().unwrap();
    let said = errors(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("UNSUPPORTED: turn:[2001:db8::7]"), "{said}");
    let matrix = json(&output).remove(0);
    let cells = matrix["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 1);
    assert_eq!(cells[0]["verdict"], "unsupported");
    assert_eq!(matrix["times"]["raise_ms"], Value::Null);
}

/// Without a result to write it in, the reason is all that is said, and Docker is not asked for anything.
#[rstest]
#[case::plan(&["plan", "same-network"])]
#[case::up(&["up", "same-network"])]
#[case::attest(&["attest", "same-network"])]
fn a_lab_with_ipv6_literals_is_refused_with_the_reason(#[case] arguments: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let output = farcall(arguments, &literals(directory.path()))
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .output()
        .unwrap();
    let said = errors(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    for part in ["UNSUPPORTED", "[2001:db8::7]"] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
    assert!(output.stdout.is_empty());
}
