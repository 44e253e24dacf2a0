//! Signalling over the lab's network: it goes through the same firewalls as everything else, and where it is stopped
//! that is what is said.

use crate::support::{call, configuration};
use farcall::scenario::Signalling;
use farcall::verdict::{Check, CheckVerdict};
use farcall::{Cause, Scenario, StoredRun, Verdict};
use rstest::rstest;

fn check<'a>(run: &'a StoredRun, name: &str) -> &'a Check {
    let mut checks = run.result.checks.iter();
    let found = checks.find(|check| check.name == name);
    found.unwrap_or_else(|| panic!("there is no check {name}\n{run}"))
}

#[tokio::test]
async fn a_firewall_that_stops_it_keeps_the_call_from_being_placed() {
    let mut scenario = Scenario::builtin("signalling-blocked").unwrap();
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Pass, "{run}");
    let cause = |run: &StoredRun| run.result.diagnosis.as_ref().map(|found| found.cause);
    assert_eq!(cause(&run), Some(Cause::SignallingUnreachable), "{run}");

    // Somebody who needs a call there is told why there is none.
    scenario.expect.connects = true;
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    let failed = run.result.checks.iter();
    let failed: Vec<&str> = failed
        .filter(|check| check.verdict == CheckVerdict::Fail)
        .map(|check| check.name.as_str())
        .collect();
    assert_eq!(failed, ["connection"], "{run}");
    let connection = check(&run, "connection");
    let words = "alice's signalling did not open";
    assert!(connection.observed.contains(words), "{connection:?}");
    assert_eq!(check(&run, "signalling/bob").verdict, CheckVerdict::Pass);
    assert_eq!(cause(&run), Some(Cause::SignallingUnreachable), "{run}");
}

/// The control: it is the signalling that fails there, not ICE.
#[tokio::test]
async fn with_signalling_through_the_harness_the_same_call_connects() {
    let mut scenario = Scenario::builtin("signalling-blocked").unwrap();
    scenario.call.signalling = Signalling::Harness;
    scenario.expect.connects = true;
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Pass, "{run}");
}

/// What stands in its way is told, and what helps against that.
#[rstest]
#[case::by_reading_along(
    "corporate-tls-intercept",
    Cause::SignallingUnreachable,
    "exempt the host"
)]
#[ignore = "one of the long ones: just test-long"]
#[case::by_its_login_page("captive-portal", Cause::CaptivePortal, "log in there")]
#[ignore = "one of the long ones: just test-long"]
#[case::by_a_proxy("corporate-proxy-unused", Cause::ProxyRequired, "HTTP CONNECT")]
#[tokio::test]
async fn a_network_that_keeps_it_back_is_named(
    #[case] scenario: &str,
    #[case] cause: Cause,
    #[case] words: &str,
) {
    let mut scenario = Scenario::builtin(scenario).unwrap();
    scenario.call.signalling = Signalling::WebSocket;
    scenario.expect.connects = false;
    let run = call(&scenario, &configuration("production")).await;
    let check = check(&run, "signalling/alice");
    assert_eq!(check.verdict, CheckVerdict::Pass, "{run}");
    let found = run.result.diagnosis.as_ref().unwrap();
    assert_eq!(found.cause, cause, "{run}");
    assert!(found.next_step.contains(words), "{run}");
    if cause == Cause::SignallingUnreachable {
        assert!(check.observed.contains("unknown issuer"), "{check:?}");
    }
}

#[ignore = "one of the long ones: just test-long"]
#[tokio::test]
async fn a_list_of_names_without_its_own_is_named() {
    let mut scenario = Scenario::builtin("corporate-tls-names").unwrap();
    let office = scenario.sites.get_mut("office").unwrap();
    let firewall = office.gateway.firewall_override.as_mut().unwrap();
    let listed = firewall.server_names.as_mut().unwrap();
    listed.retain(|name| name != "signalling.test");
    scenario.expect.connects = false;
    let run = call(&scenario, &configuration("with-tls")).await;
    let found = run.result.diagnosis.as_ref().unwrap();
    assert_eq!(found.cause, Cause::SignallingUnreachable, "{run}");
    let words = "`turn.example.net` was measured to pass";
    assert!(found.next_step.contains(words), "{run}");
}

/// It opens in small packets, and the offer is a large one.
#[rstest]
#[case::by_a_tunnel("vpn-small-mtu")]
#[ignore = "one of the long ones: just test-long"]
#[case::by_a_fault("media-large-packets-dropped")]
#[tokio::test]
async fn a_path_that_swallows_large_packets_swallows_the_offer(#[case] scenario: &str) {
    let mut scenario = Scenario::builtin(scenario).unwrap();
    scenario.call.signalling = Signalling::WebSocket;
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    for peer in ["alice", "bob"] {
        let check = check(&run, &format!("signalling/{peer}"));
        assert_eq!(check.verdict, CheckVerdict::Pass, "{run}");
    }
    let cause = run.result.diagnosis.as_ref().map(|found| found.cause);
    assert_eq!(cause, Some(Cause::PacketsTooLarge), "{run}");
}
