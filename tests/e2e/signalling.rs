//! Signalling over the lab's network: it goes through the same firewalls as everything else, and where it is stopped
//! that is what is said.

use crate::support::{call, configuration};
use farcall::scenario::Signalling;
use farcall::verdict::{Check, CheckVerdict};
use farcall::{Cause, Scenario, StoredRun, Verdict};
use rstest::rstest;

fn over_the_network(scenario: &str) -> Scenario {
    let mut scenario = Scenario::builtin(scenario).unwrap();
    scenario.call.signalling = Signalling::WebSocket;
    scenario
}

fn check<'a>(run: &'a StoredRun, name: &str) -> &'a Check {
    let mut checks = run.result.checks.iter();
    let found = checks.find(|check| check.name == name);
    found.unwrap_or_else(|| panic!("there is no check {name}\n{run}"))
}

#[rstest]
#[case::straight("corporate-firewall")]
#[case::through_a_proxy("corporate-proxy")]
#[case::with_a_name_that_is_looked_at("corporate-tls-only")]
#[case::over_nat64("ipv6-only")]
#[tokio::test]
async fn it_gets_through_what_lets_the_web_through(#[case] scenario: &str) {
    let run = call(&over_the_network(scenario), &configuration("with-tls")).await;
    assert_eq!(run.result.verdict, Verdict::Pass, "{run}");
    for peer in ["alice", "bob"] {
        let check = check(&run, &format!("signalling/{peer}"));
        assert_eq!(check.verdict, CheckVerdict::Pass, "{run}");
        assert!(check.observed.contains("opened after"), "{check:?}");
    }
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

#[tokio::test]
async fn a_company_that_reads_along_is_no_signalling_server() {
    let mut scenario = over_the_network("corporate-tls-intercept");
    scenario.expect.connects = false;
    let run = call(&scenario, &configuration("production")).await;
    let check = check(&run, "signalling/alice");
    assert_eq!(check.verdict, CheckVerdict::Pass, "{run}");
    assert!(check.observed.contains("unknown issuer"), "{check:?}");
}
