//! TURN servers, their credentials, certificates and names that change in the middle of a call, on real containers; and
//! controls that must turn out the other way.

use crate::support::{call, configuration};
use farcall::scenario::FaultKind;
use farcall::timeline::{Event, FaultEdge, IceServerOutcome};
use farcall::verdict::CheckVerdict;
use farcall::{Cause, Scenario, StoredRun, Verdict};
use rstest::rstest;

/// The checks that did not pass.
fn failed(run: &StoredRun) -> Vec<&str> {
    let checks = run.result.checks.iter();
    checks
        .filter(|check| check.verdict == CheckVerdict::Fail)
        .map(|check| check.name.as_str())
        .collect()
}

/// How often a peer's URL came to an outcome, in all its connections.
fn count(run: &StoredRun, outcome: IceServerOutcome) -> usize {
    let entries = run.timeline.entries().iter();
    entries
        .filter(
            |entry| matches!(&entry.event, Event::IceServer(report) if report.outcome == outcome),
        )
        .count()
}

async fn passes(scenario: &Scenario, with: &str) -> StoredRun {
    let run = call(scenario, &configuration(with)).await;
    assert_eq!(run.result.verdict, Verdict::Pass, "{run}");
    let entries = run.timeline.entries().iter();
    let begun = entries.filter(
        |entry| matches!(&entry.event, Event::Fault(fault) if fault.edge == FaultEdge::Begun),
    );
    assert_eq!(begun.count(), scenario.faults.len(), "{run}");
    run
}

#[rstest]
#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_second_provider_or_a_new_connection_is_the_way_on(
    #[values(
        "recovery-turn-server-restarted",
        "recovery-turn-server-black-holed",
        "recovery-relay-ports-blocked"
    )]
    scenario: &str,
) {
    passes(&Scenario::builtin(scenario).unwrap(), "production").await;
}

#[rstest]
#[case("recovery-credentials-changed", IceServerOutcome::Unauthorized)]
#[case("recovery-quota-exhausted", IceServerOutcome::Quota)]
#[case("recovery-name-missing", IceServerOutcome::DnsFailed)]
#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn what_a_server_refuses_is_met_by_the_new_connection_alone(
    #[case] scenario: &str,
    #[case] outcome: IceServerOutcome,
) {
    let mut scenario = Scenario::builtin(scenario).unwrap();
    let run = passes(&scenario, "production").await;
    assert!(count(&run, outcome) > 0, "{run}");
    // The control: the link breaks all the same, and nothing else does.
    scenario.faults.remove(0);
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(count(&run, outcome), 0, "{run}");
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn credentials_that_are_past_are_fetched_anew_or_refused() {
    let mut scenario = Scenario::builtin("recovery-credentials-expired").unwrap();
    let run = passes(&scenario, "production").await;
    assert_eq!(count(&run, IceServerOutcome::Unauthorized), 0, "{run}");

    scenario.recovery.as_mut().unwrap().fresh_credentials = false;
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    assert!(failed(&run).contains(&"recovery/outcome"), "{run}");
    assert!(count(&run, IceServerOutcome::Unauthorized) > 0, "{run}");
    let diagnosis = run.result.diagnosis.as_ref();
    let cause = diagnosis.map(|found| found.cause);
    assert_eq!(cause, Some(Cause::CredentialsExpired), "{run}");
}

#[rstest]
#[case::expired(FaultKind::CertificateExpired)]
#[case::for_another_name(FaultKind::CertificateWrongName)]
#[case::signed_by_itself(FaultKind::CertificateSelfSigned)]
#[case::without_its_intermediate(FaultKind::CertificateIncompleteChain)]
#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_certificate_that_must_not_be_taken_costs_an_attempt(#[case] kind: FaultKind) {
    let mut scenario = Scenario::builtin("recovery-certificate-replaced").unwrap();
    scenario.faults[0].kind = kind;
    let run = passes(&scenario, "with-tls").await;
    assert!(count(&run, IceServerOutcome::TlsFailed) > 0, "{run}");
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn with_the_certificate_that_it_had_the_first_attempt_succeeds() {
    let mut scenario = Scenario::builtin("recovery-certificate-replaced").unwrap();
    scenario.faults.remove(0);
    let run = call(&scenario, &configuration("with-tls")).await;
    assert_eq!(failed(&run), ["recovery/attempts"], "{run}");
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_name_that_leads_nowhere_costs_an_attempt_too() {
    let mut scenario = Scenario::builtin("recovery-name-missing").unwrap();
    scenario.faults[0].kind = FaultKind::NameWrong;
    let run = passes(&scenario, "production").await;
    assert!(count(&run, IceServerOutcome::Refused) > 0, "{run}");
}

/// How long alice's first connection took to its relay, and her second, in milliseconds.
async fn relays_after_ms(scenario: &Scenario) -> [f64; 2] {
    let run = passes(scenario, "production").await;
    let mut after_ms = [f64::NAN; 2];
    let mut connections = 0;
    let entries = run.timeline.entries().iter();
    for entry in entries.filter(|entry| entry.node == "alice") {
        match &entry.event {
            Event::CallStarted { .. } => connections += 1,
            Event::IceServer(report) if report.outcome == IceServerOutcome::Allocated => {
                after_ms[connections - 1] = report.after_ms;
            }
            _ => {}
        }
    }
    after_ms
}

#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn a_name_that_comes_late_makes_the_relay_late() {
    let mut scenario = Scenario::builtin("recovery-name-slow").unwrap();
    let [before_ms, slow_ms] = relays_after_ms(&scenario).await;
    assert!(
        before_ms < 2_000.0 && slow_ms >= 2_000.0,
        "{before_ms} {slow_ms}"
    );
    scenario.faults.remove(0);
    let [_, as_ever_ms] = relays_after_ms(&scenario).await;
    assert!(as_ever_ms < 2_000.0, "{as_ever_ms}");
}
