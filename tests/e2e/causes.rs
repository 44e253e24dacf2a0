//! Causes of calls that fall short, on real containers: what the table of outcomes and the tests of recovery have no case
//! for. And that a stored run is judged and diagnosed again as it was.

use crate::support::{call, call_with, configuration, executable, out};
use farcall::plan::{Plan, Role, plan};
use farcall::scenario::{
    Account, FirewallOverride, LinkDirectionOverride, LinkOverride, LinkPreset, MediaQuality,
    Secret,
};
use farcall::{Cause, IceConfiguration, RunOptions, Scenario, StoredRun};
use rstest::rstest;
use serde_json::json;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

fn cause(run: &StoredRun) -> Option<Cause> {
    run.result.diagnosis.as_ref().map(|found| found.cause)
}

/// A configuration with one account for these URLs.
fn with_urls(urls: &[&str], username: &str) -> IceConfiguration {
    let servers = json!([{ "urls": urls, "username": username, "credential": "a-lab-credential" }]);
    IceConfiguration::parse("own", &servers.to_string()).unwrap()
}

#[rstest]
#[case::tcp("turn-port-only", &["turn:turn.example.net:443?transport=tcp"], Cause::TurnUnreachableTcp)]
#[case::tls("turn-port-only", &["turns:turn.example.net:443?transport=tcp"], Cause::TurnUnreachableTls)]
#[case::udp("udp-blocked", &["turn:turn.example.net:3478"], Cause::TurnUnreachableUdp)]
#[case::names("corporate-tls-names", &["turns:relay.example.org:443?transport=tcp"], Cause::TlsNameBlocked)]
#[case::literal("ipv6-only", &["turn:203.0.113.150:3478"], Cause::Ipv4Literal)]
#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_configuration_that_gets_nowhere_is_told_why(
    #[case] scenario: &str,
    #[case] urls: &[&str],
    #[case] expected: Cause,
) {
    let scenario = Scenario::builtin(scenario).unwrap();
    let run = call(&scenario, &with_urls(urls, "farcall")).await;
    assert_eq!(cause(&run), Some(expected), "{run}");
}

/// What is written instead works.
#[rstest]
#[case::tcp_443_not_tls("corporate-tls-only", "production")]
#[case::turn_443_is_udp("corporate-firewall", "udp-only")]
#[case::turn_unreachable_udp("turn-port-only", "udp-only")]
#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn the_next_step_mends_the_call(#[case] scenario: &str, #[case] name: &str) {
    let scenario = Scenario::builtin(scenario).unwrap();
    let mut ice = configuration(name);
    let run = call(&scenario, &ice).await;
    let urls = &run.result.diagnosis.as_ref().unwrap().add_urls;
    assert_eq!(urls.len(), 1, "{run}");
    let entry = ice
        .ice_servers
        .iter_mut()
        .find(|server| server.credential.is_some());
    entry
        .unwrap()
        .urls
        .extend(urls.iter().map(|url| url.parse().unwrap()));
    let again = call(&scenario, &ice).await;
    assert_eq!(again.result.verdict, farcall::Verdict::Pass, "{again}");
    assert_eq!(cause(&again), None, "{again}");
}

#[rstest]
#[case::an_hour_ago(|now_s: u64| now_s - 3_600, Cause::CredentialsExpired)]
#[case::in_milliseconds(|now_s: u64| (now_s + 3_600) * 1_000, Cause::CredentialsInMilliseconds)]
#[case::in_an_hour(|now_s: u64| now_s + 3_600, Cause::CredentialsWrong)]
#[tokio::test]
async fn an_account_that_is_refused_is_told_by_its_time_stamp(
    #[case] stamp: fn(u64) -> u64,
    #[case] expected: Cause,
) {
    let mut scenario = Scenario::builtin("mobile-hotspot").unwrap();
    scenario.servers.account = Some(Account {
        username: "somebody".to_owned(),
        credential: Secret::new("else"),
    });
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let username = format!("{}:farcall", stamp(now.as_secs()));
    let run = call(
        &scenario,
        &with_urls(&["turn:turn.example.net:3478"], &username),
    )
    .await;
    assert_eq!(cause(&run), Some(expected), "{run}");
    let stored = std::fs::read_to_string(run.directory.join("plan.json")).unwrap();
    assert!(!stored.contains(":farcall") && !stored.contains("a-lab-credential"));
}

/// A call in a lab that was raised from a plan that differs where attestation does not look.
async fn tampered(name: &str, tamper: impl Fn(&mut Plan)) -> StoredRun {
    let scenario = Scenario::builtin(name).unwrap();
    let ice = with_urls(
        &[
            "turn:turn.example.net:3478",
            "turn:turn.example.net:3478?transport=tcp",
        ],
        "farcall",
    );
    let mut raised = plan(&scenario, &ice, 1).unwrap();
    tamper(&mut raised);
    let options = RunOptions {
        out: out(),
        seed: 1,
        raise_instead: Some(raised),
        ..RunOptions::default()
    };
    call_with(&scenario, &ice, &options).await
}

/// Adds lines to the configuration of every TURN server.
fn configure(plan: &mut Plan, lines: &str) {
    for node in &mut plan.nodes {
        if let Role::TurnServer(server) = &mut node.role {
            server.configuration.push_str(lines);
        }
    }
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_quota_that_is_used_up_is_told() {
    let run = tampered("mobile-hotspot", |plan| configure(plan, "user-quota=1\n")).await;
    assert_eq!(cause(&run), Some(Cause::TurnQuota), "{run}");
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_relay_that_refuses_the_other_peer_is_told() {
    let run = tampered("mobile-hotspot-both-sides", |plan| {
        configure(plan, "denied-peer-ip=0.0.0.0-255.255.255.255\n");
    });
    let run = run.await;
    assert_eq!(cause(&run), Some(Cause::PeerDenied), "{run}");
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_relay_whose_ports_are_closed_is_told() {
    let run = tampered("mobile-hotspot-both-sides", |plan| {
        for node in &mut plan.nodes {
            if matches!(node.role, Role::TurnServer(_)) {
                // On the loopback too, by which a server relays to itself.
                let first = "iifname \"lo\"";
                assert!(node.nftables.contains(first), "{}", node.nftables);
                let closed = format!("udp dport 49152-65535 drop\n\t\t{first}");
                node.nftables = node.nftables.replacen(first, &closed, 1);
            }
        }
    });
    let run = run.await;
    assert_eq!(cause(&run), Some(Cause::RelayPortsBlocked), "{run}");
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_sender_that_sends_silence_is_told_from_a_network_that_loses() {
    let run = tampered("same-network", |plan| {
        for node in &mut plan.nodes {
            if let (Role::Peer { muted }, "alice") = (&mut node.role, node.name.as_str()) {
                *muted = true;
            }
        }
    });
    let run = run.await;
    assert_eq!(cause(&run), Some(Cause::SenderSilent), "{run}");
}

/// Docker Engine 26.0 does that to every interface.
#[tokio::test]
async fn a_machine_without_ipv6_is_told_from_a_configuration_that_fails() {
    let run = tampered("dual-stack", |plan| {
        for node in &mut plan.nodes {
            for (name, value) in &mut node.sysctls {
                if name.ends_with(".disable_ipv6") {
                    "1".clone_into(value);
                }
            }
        }
    });
    let run = run.await;
    assert_eq!(run.result.verdict, farcall::Verdict::Unsupported, "{run}");
    assert_eq!(cause(&run), Some(Cause::MachineUnsupported), "{run}");
}

#[tokio::test]
async fn a_call_that_connects_late_is_told_from_one_that_does_not() {
    let mut scenario = Scenario::builtin("link-3g").unwrap();
    scenario.expect.within_ms = 1_000;
    let run = call(&scenario, &configuration("with-tls")).await;
    assert_eq!(cause(&run), Some(Cause::ConnectsTooLate), "{run}");
}

/// A question and its answer take three seconds: when the call is given up, signalling is neither open nor refused.
#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn what_was_not_seen_to_its_end_is_not_guessed() {
    let mut scenario = Scenario::builtin("link-satellite-geo").unwrap();
    scenario.expect.within_ms = 1_000;
    let far = LinkDirectionOverride {
        delay_ms: Some(1_500.0),
        ..LinkDirectionOverride::default()
    };
    let mut sites = scenario.sites.values_mut();
    let site = sites.find(|site| site.link == LinkPreset::SatelliteGeo);
    site.unwrap().link_override = Some(LinkOverride {
        up: far.clone(),
        down: far,
    });
    let run = call(&scenario, &configuration("with-tls")).await;
    assert_eq!(run.result.verdict, farcall::Verdict::Fail, "{run}");
    assert_eq!(cause(&run), Some(Cause::Undecided), "{run}");
    let candidates = &run.result.diagnosis.as_ref().unwrap().candidates;
    assert!(candidates.contains(&Cause::ConnectsTooLate), "{run}");
}

/// A policer passes less than half of what is sent.
#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_link_that_is_too_poor_for_good_media_is_told() {
    let mut scenario = Scenario::builtin("udp-throttled").unwrap();
    scenario.expect.media = MediaQuality::Good;
    let site = scenario.sites.get_mut("dormitory").unwrap();
    site.gateway.firewall_override = Some(FirewallOverride {
        udp_kbit: Some(100),
        ..FirewallOverride::default()
    });
    let run = call(&scenario, &configuration("with-tls")).await;
    assert_eq!(run.result.verdict, farcall::Verdict::Fail, "{run}");
    assert_eq!(cause(&run), Some(Cause::LinkTooPoor), "{run}");
}

#[tokio::test]
async fn a_stored_run_is_judged_again_as_it_was() {
    let scenario = Scenario::builtin("corporate-tls-only").unwrap();
    let run = call(&scenario, &configuration("production")).await;
    let judge = || {
        let output = Command::new(executable())
            .args(["judge", "--json"])
            .arg(&run.directory)
            .output();
        output.unwrap()
    };
    let [once, twice] = [judge(), judge()];
    assert_eq!(once.status.code(), Some(1), "{once:?}");
    assert_eq!(once.stdout, twice.stdout);
    assert!(once.stderr.is_empty(), "{once:?}");
    let judged: serde_json::Value = serde_json::from_slice(&once.stdout).unwrap();
    let stored = std::fs::read(run.directory.join("result.json")).unwrap();
    let stored: serde_json::Value = serde_json::from_slice(&stored).unwrap();
    assert_eq!(judged, stored);
    assert_eq!(judged["diagnosis"]["cause"], "tcp-443-not-tls");
}
