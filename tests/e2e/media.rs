//! Connected but no media, told from "not connected" and from "the sender is silent", on real containers; and controls,
//! in which the fault is absent or another, that must turn out the other way.

use crate::support::{call, configuration};
use farcall::scenario::{ExpectedFlows, FaultKind, Scenario};
use farcall::timeline::{Event, Flow};
use farcall::verdict::CheckVerdict;
use farcall::{Cause, StoredRun, Verdict};
use rstest::rstest;

/// What is said of a run.
fn cause(run: &StoredRun) -> Option<Cause> {
    run.result.diagnosis.as_ref().map(|found| found.cause)
}

/// The checks that did not pass, with what they saw.
fn failed(run: &StoredRun) -> Vec<(&str, &str)> {
    let checks = run.result.checks.iter();
    checks
        .filter(|check| check.verdict == CheckVerdict::Fail)
        .map(|check| (check.name.as_str(), check.observed.as_str()))
        .collect()
}

#[rstest]
#[case("media-dtls-blocked", Cause::DtlsBlocked)]
#[case("media-rtp-blocked", Cause::RtpBlocked)]
#[case("media-large-packets-dropped", Cause::PacketsTooLarge)]
#[case("media-one-way", Cause::RtpBlocked)]
#[case("media-consent-lost", Cause::ConsentLost)]
#[case("media-muted", Cause::SenderSilent)]
#[tokio::test]
async fn comes_out_as_declared(#[case] scenario: &str, #[case] expected: Cause) {
    let scenario = Scenario::builtin(scenario).unwrap();
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Pass, "{run}");
    assert_eq!(cause(&run), Some(expected), "{run}");
    let entries = run.timeline.entries().iter();
    let dropped = entries.filter_map(|entry| match &entry.event {
        Event::Fault(fault) => fault.dropped_packets,
        _ => None,
    });
    assert_eq!(
        dropped.filter(|packets| *packets > 0).count(),
        scenario.faults.len(),
        "{run}"
    );
    let flows = run.result.checks.iter();
    assert_eq!(
        flows
            .filter(|check| check.name.starts_with("flow/"))
            .count(),
        6,
        "{run}"
    );
}

#[tokio::test]
async fn where_nothing_is_dropped_media_flow_and_the_expectation_fails() {
    let mut scenario = Scenario::builtin("media-one-way").unwrap();
    scenario.faults.clear();
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    let expected = [
        ("flow/audio/alice-to-bob", "flows"),
        ("flow/video/alice-to-bob", "flows"),
    ];
    assert_eq!(failed(&run), expected, "{run}");
    assert_eq!(cause(&run), Some(Cause::ExpectationDiffers), "{run}");
}

#[tokio::test]
async fn a_muted_sender_is_not_taken_for_a_network_that_drops() {
    let mut scenario = Scenario::builtin("media-one-way").unwrap();
    scenario.faults.clear();
    scenario.peers[0].muted = true;
    let run = call(&scenario, &configuration("production")).await;
    let silent = Flow::Silent.to_string();
    let expected = [
        ("flow/audio/alice-to-bob", silent.as_str()),
        ("flow/video/alice-to-bob", silent.as_str()),
    ];
    assert_eq!(failed(&run), expected, "{run}");
    assert_eq!(cause(&run), Some(Cause::SenderSilent), "{run}");
}

#[tokio::test]
async fn a_network_that_drops_is_not_taken_for_a_muted_sender_nor_for_no_connection() {
    let mut scenario = Scenario::builtin("media-dtls-blocked").unwrap();
    scenario.faults[0].kind = FaultKind::LinkDown;
    let run = call(&scenario, &configuration("production")).await;
    let flows = failed(&run).into_iter();
    let flows: Vec<_> = flows
        .filter(|(name, _)| name.starts_with("flow/"))
        .collect();
    assert_eq!(flows.len(), 6, "{run}");
    for (name, observed) in flows {
        assert_eq!(observed, Flow::NotConnected.to_string(), "{name}: {run}");
    }

    let mut scenario = Scenario::builtin("media-rtp-blocked").unwrap();
    let silent = ExpectedFlows {
        audio: Flow::Silent,
        video: Flow::Silent,
        data: Flow::Flows,
    };
    scenario.expect.flows.insert("alice".to_owned(), silent);
    let run = call(&scenario, &configuration("production")).await;
    let dropped = Flow::Dropped.to_string();
    let expected = [
        ("flow/audio/alice-to-bob", dropped.as_str()),
        ("flow/video/alice-to-bob", dropped.as_str()),
    ];
    assert_eq!(failed(&run), expected, "{run}");
    assert_eq!(cause(&run), Some(Cause::RtpBlocked), "{run}");
}
