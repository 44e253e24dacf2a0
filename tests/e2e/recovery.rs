//! What breaks in mid-call and what the client makes of it, on real containers; and controls, in which the fault is
//! absent or recovery is off, that must turn out the other way.

use crate::support::{call, configuration};
use farcall::timeline::{Event, FaultEdge};
use farcall::verdict::CheckVerdict;
use farcall::{Scenario, StoredRun, Verdict};
use rstest::rstest;

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
        "recovery-attempt-2",
        "recovery-attempt-3",
        "recovery-never",
        "recovery-short-outage",
        "recovery-12-s-outage",
        "recovery-failed",
        "recovery-nat-forgets",
        "recovery-ice-restart",
        "recovery-escalates"
    )]
    scenario: &str,
) {
    let scenario = Scenario::builtin(scenario).unwrap();
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Pass, "{run}");
    let entries = run.timeline.entries().iter();
    let begun = entries.filter(
        |entry| matches!(&entry.event, Event::Fault(fault) if fault.edge == FaultEdge::Begun),
    );
    assert_eq!(begun.count(), scenario.faults.len(), "{run}");
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
}

#[tokio::test]
async fn a_client_that_gives_up_early_is_found_out() {
    let mut scenario = Scenario::builtin("recovery-attempt-2").unwrap();
    scenario.recovery.as_mut().unwrap().max_attempts = 1;
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    assert!(failed(&run).contains(&"recovery/attempts"), "{run}");
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
}
