//! What breaks in mid-call and what the client makes of it, on real containers; and controls, in which the fault is
//! absent or recovery is off, that must turn out the other way.

use crate::support::{call, call_with, configuration, out};
use farcall::plan::{FaultAction, plan};
use farcall::scenario::{Direction, Fault, FaultKind, LinkPreset, Milestone, Moment};
use farcall::timeline::{Event, FaultEdge};
use farcall::verdict::CheckVerdict;
use farcall::{Cause, RunOptions, Scenario, StoredRun, Verdict};
use rstest::rstest;

/// What is said of a run.
fn cause(run: &StoredRun) -> Option<Cause> {
    run.result.diagnosis.as_ref().map(|found| found.cause)
}

/// The checks that did not pass.
fn failed(run: &StoredRun) -> Vec<&str> {
    let checks = run.result.checks.iter();
    checks
        .filter(|check| check.verdict == CheckVerdict::Fail)
        .map(|check| check.name.as_str())
        .collect()
}

#[rstest]
#[tokio::test]
async fn comes_out_as_declared(
    #[values(
        "recovery-attempt-1",
        "recovery-attempt-3",
        "recovery-never",
        "recovery-short-outage",
        "recovery-turn-server-down",
        "recovery-ice-restart",
        "recovery-handover",
        "recovery-signalling-down",
        "recovery-link-down-at-start"
    )]
    scenario: &str,
) {
    recovers(scenario).await;
}

/// What the others cover in part.
#[rstest]
#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn comes_out_as_declared_too(
    #[values(
        "recovery-12-s-outage",
        "recovery-attempt-2",
        "recovery-peer-frozen",
        "recovery-escalates",
        "recovery-nat-forgets",
        "recovery-failed",
        "recovery-turn-server-frozen",
        "recovery-address-change",
        "recovery-gateway-restart",
        "recovery-link-worse",
        "recovery-relay-blocked",
        "recovery-twice"
    )]
    scenario: &str,
) {
    recovers(scenario).await;
}

async fn recovers(scenario: &str) {
    let scenario = Scenario::builtin(scenario).unwrap();
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Pass, "{run}");
    let entries = run.timeline.entries().iter();
    let begun = entries.filter(
        |entry| matches!(&entry.event, Event::Fault(fault) if fault.edge == FaultEdge::Begun),
    );
    assert_eq!(begun.count(), scenario.faults.len(), "{run}");
    let mut checks = run.result.checks.iter();
    let state = checks.find(|check| check.name == "recovery/final-state");
    let is_told = state.is_some_and(|check| check.verdict == CheckVerdict::Pass);
    assert!(is_told, "{state:?}\n{run}");
    let gives_up = (scenario.name == "recovery-never").then_some(Cause::RecoveryExhausted);
    assert_eq!(cause(&run), gives_up, "{run}");
}

#[tokio::test]
async fn without_recovery_an_outage_is_the_end_of_the_call() {
    let mut scenario = Scenario::builtin("recovery-attempt-1").unwrap();
    scenario.recovery = None;
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    let failed = failed(&run);
    for check in ["recovery/attempts", "recovery/outcome"] {
        assert!(failed.contains(&check), "{check}: {failed:?}\n{run}");
    }
    assert_eq!(cause(&run), Some(Cause::NoRecovery), "{run}");
}

/// The control of `recovery-link-down-at-start`, and a fault that begins while the connection forms.
#[rstest]
#[case::up_again_in_time(0, Some(1_500), &["recovery/attempts"])]
#[case::down_before_it_connects(100, None, &[])]
#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn it_is_the_time_without_a_link_that_costs_an_attempt(
    #[case] from_ms: u32,
    #[case] for_ms: Option<u32>,
    #[case] expected: &[&str],
) {
    let mut scenario = Scenario::builtin("recovery-link-down-at-start").unwrap();
    let fault = &mut scenario.faults[0];
    fault.from.ms = from_ms;
    if let Some(ms) = for_ms {
        let event = Milestone::Begun;
        fault.until = Some(Moment { event, ms });
    }
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(failed(&run), expected, "{run}");
}

#[tokio::test]
async fn a_client_that_gives_up_early_is_found_out() {
    let mut scenario = Scenario::builtin("recovery-attempt-2").unwrap();
    scenario.recovery.as_mut().unwrap().max_attempts = 1;
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    assert!(failed(&run).contains(&"recovery/attempts"), "{run}");
    assert_eq!(cause(&run), Some(Cause::RecoveryExhausted), "{run}");
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_link_that_is_changed_into_what_it_was_is_no_fault() {
    let scenario = Scenario::builtin("recovery-link-worse").unwrap();
    let ice = configuration("production");
    let mut raised = plan(&scenario, &ice, 1).unwrap();
    let FaultAction::ChangeLink { link, .. } = &mut raised.faults[0].action else {
        panic!("{:?}", raised.faults);
    };
    *link = LinkPreset::Lte.expand().unwrap();
    let options = RunOptions {
        out: out(),
        raise_instead: Some(raised),
        ..RunOptions::default()
    };
    let run = call_with(&scenario, &ice, &options).await;
    assert_eq!(run.result.verdict, Verdict::Invalid, "{run}");
    let checks = run.result.checks.iter();
    let invalid = checks.filter(|check| check.verdict == CheckVerdict::Invalid);
    let names: Vec<&str> = invalid.map(|check| check.name.as_str()).collect();
    assert_eq!(names, ["faults/1"], "{run}");
}

#[tokio::test]
async fn where_nothing_breaks_nothing_recovers() {
    let mut scenario = Scenario::builtin("recovery-12-s-outage").unwrap();
    scenario.faults.clear();
    scenario.expect.recovery.as_mut().unwrap().within_ms = 1_000;
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    assert_eq!(
        failed(&run),
        ["recovery/attempts", "connection/lasts"],
        "{run}"
    );
    assert_eq!(cause(&run), Some(Cause::ExpectationDiffers), "{run}");
}

/// The scenario of two homes with another fault at alice's, from two seconds after the beginning to the call's end.
fn breaking(kind: FaultKind, direction: Option<Direction>) -> Scenario {
    let mut scenario = Scenario::builtin("recovery-12-s-outage").unwrap();
    let fault = &mut scenario.faults[0];
    (fault.kind, fault.direction, fault.until) = (kind, direction, None);
    scenario.expect.recovery.as_mut().unwrap().attempts = 0;
    scenario
}

#[rstest]
#[case::both_ways(None, &["alice-to-bob", "bob-to-alice"])]
#[case::out_of_alices_home(Some(Direction::Out), &["alice-to-bob"])]
#[case::into_alices_home(Some(Direction::In), &["bob-to-alice"])]
#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn media_that_are_dropped_fail_by_their_direction(
    #[case] direction: Option<Direction>,
    #[case] ways: &[&str],
) {
    let scenario = breaking(FaultKind::DropRtp, direction);
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    let mut expected = Vec::new();
    for kind in ["audio", "video"] {
        expected.extend(
            ways.iter()
                .map(|way| format!("recovery/media/{kind}/{way}")),
        );
    }
    assert_eq!(failed(&run), expected, "{run}");
    assert_eq!(cause(&run), Some(Cause::RtpBlocked), "{run}");
}

#[tokio::test]
async fn consent_that_is_lost_for_good_is_told_from_an_outage() {
    let mut scenario = breaking(FaultKind::DropStun, None);
    scenario.recovery = None;
    scenario.expect.recovery.as_mut().unwrap().attempts = 1;
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    assert_eq!(cause(&run), Some(Cause::ConsentLost), "{run}");
}

#[tokio::test]
async fn a_new_connection_without_dtls_is_found_out() {
    let mut scenario = breaking(FaultKind::DropDtls, None);
    let forgets = Fault {
        kind: FaultKind::LinkDown,
        until: Some(Moment {
            event: Milestone::Attempt1,
            ms: 0,
        }),
        ..scenario.faults[0].clone()
    };
    scenario.faults.push(forgets);
    scenario.expect.recovery.as_mut().unwrap().attempts = 1;
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    assert_eq!(cause(&run), Some(Cause::DtlsBlocked), "{run}");
}

#[tokio::test]
async fn the_only_turn_server_that_dies_ends_the_call() {
    let scenario = Scenario::builtin("recovery-turn-server-down").unwrap();
    let run = call(&scenario, &configuration("with-tls")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    assert_eq!(cause(&run), Some(Cause::TurnServerDown), "{run}");
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_connection_whose_consent_is_lost_is_made_anew() {
    let mut scenario = breaking(FaultKind::DropStun, None);
    scenario.faults[0].until = Some(Moment {
        event: Milestone::Attempt1,
        ms: 500,
    });
    scenario.expect.recovery.as_mut().unwrap().attempts = 1;
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Pass, "{run}");
}

#[tokio::test]
async fn a_fault_at_a_server_that_nobody_uses_is_invalid() {
    let mut scenario = breaking(FaultKind::ServerDown, None);
    scenario.faults[0].target = Fault::TURN_SERVER_IN_USE.to_owned();
    scenario.expect.recovery.as_mut().unwrap().within_ms = 1_000;
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Invalid, "{run}");
    assert_eq!(cause(&run), Some(Cause::LabInvalid), "{run}");
}
