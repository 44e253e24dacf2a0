#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;
use crate::ReportError;
use crate::stored::tests::{about, stored};
use farcall_timeline::{CandidateType, RecoveryEvent};
use farcall_timeline::{Event, FaultEdge, FaultEvent, IceServerOutcome, IceTransport, MediaKind};
use farcall_verdict::sample::{Sample, TCP_URL, UDP_URL};
use rstest::rstest;
use std::path::Path;

fn runs(samples: &[Sample]) -> Vec<StoredRun> {
    let out = tempfile::tempdir().unwrap();
    let each = samples.iter().map(|sample| stored(&out, &about(), sample));
    each.collect()
}

/// The comparison of runs of these.
fn compared(before: &[Sample], after: &[Sample]) -> Comparison {
    compare(&runs(before), &runs(after))
}

fn changed(change: fn(&mut Sample)) -> Sample {
    let mut sample = Sample::good();
    change(&mut sample);
    sample
}

fn directions(comparison: &Comparison, kind: Kind, what: &str) -> Vec<Direction> {
    let of_it = comparison
        .changes()
        .filter(|(_, change)| change.kind == kind && change.what.contains(what));
    of_it.map(|(_, change)| change.direction).collect()
}

fn nothing(_: &mut Sample) {}

fn reset(sample: &mut Sample) {
    sample.change_server("alice", TCP_URL, |report| {
        report.outcome = IceServerOutcome::Reset;
    });
}

fn refuse(sample: &mut Sample) {
    sample.change_server("alice", UDP_URL, |report| {
        report.outcome = IceServerOutcome::Refused;
    });
}

fn relay_over(sample: &mut Sample, transport: IceTransport) {
    sample.change_of("alice", |event| {
        if let Event::SelectedPair(pair) = event {
            pair.local.candidate_type = CandidateType::Relay;
            pair.local.relay_protocol = Some(transport);
        }
    });
}

fn over_tls(sample: &mut Sample) {
    relay_over(sample, IceTransport::Tls);
}

fn connect_late(sample: &mut Sample) {
    for entry in &mut sample.entries {
        if matches!(&entry.event, Event::State(state) if state.machine == "connection") {
            entry.at_ms += 2_000.0;
        }
    }
}

fn allocate_late(sample: &mut Sample) {
    sample.change_server("bob", UDP_URL, |report| report.after_ms += 1_500.0);
}

fn lose(sample: &mut Sample) {
    sample.change_media("bob", MediaKind::Audio, |stats| stats.packets_lost += 8);
}

fn jitter(sample: &mut Sample) {
    sample.change_media("bob", MediaKind::Video, |stats| stats.jitter_ms += 60.0);
}

fn start_late(sample: &mut Sample) {
    sample.change_media("bob", MediaKind::Video, |stats| {
        stats.first_frame_after_ms = Some(4_000.0);
    });
}

fn go_round(sample: &mut Sample, rtt_ms: f64) {
    sample.add(7_000.0, "alice", Event::RoundTrip { rtt_ms });
    sample.add(
        8_000.0,
        "alice",
        Event::RoundTrip {
            rtt_ms: rtt_ms + 500.0,
        },
    );
}

fn go_round_fast(sample: &mut Sample) {
    go_round(sample, 9.0);
}

fn go_round_slowly(sample: &mut Sample) {
    go_round(sample, 90.0);
}

fn expect_soon(sample: &mut Sample) {
    sample.declared.expect.within_ms = 15_000;
}

fn expect_otherwise(sample: &mut Sample) {
    expect_soon(sample);
    sample.declared.expect.turn_nodes.clear();
}

fn not_connect(sample: &mut Sample) {
    *sample = Sample::not_connected();
}

fn recover_at_first(sample: &mut Sample) {
    recover(sample, 1, 8_000.0);
}

fn recover_later(sample: &mut Sample) {
    recover(sample, 2, 8_000.0);
}

fn recover_at_last(sample: &mut Sample) {
    recover(sample, 3, 8_000.0);
}

fn recover_slowly(sample: &mut Sample) {
    recover(sample, 1, 11_000.0);
}

/// A fault at 7 s, and what alice makes of it.
fn recover(sample: &mut Sample, attempts: u32, at_ms: f64) {
    break_link(sample, attempts);
    sample.add(
        at_ms,
        "alice",
        Event::Recovery(RecoveryEvent::Recovered { attempts }),
    );
}

fn break_link(sample: &mut Sample, attempts: u32) {
    let fault = FaultEvent {
        number: 1,
        what: "link-down at office".to_owned(),
        edge: FaultEdge::Begun,
        late_ms: Some(3.0),
        dropped_packets: None,
        crossed: None,
    };
    sample.add(7_000.0, "harness", Event::Fault(fault));
    for attempt in 1..=attempts {
        let started = RecoveryEvent::Started {
            attempt,
            of: 3,
            trigger: "failed".to_owned(),
            strategy: "reset".to_owned(),
        };
        sample.add(7_100.0, "alice", Event::Recovery(started));
    }
}

fn give_up(sample: &mut Sample) {
    break_link(sample, 3);
    let gave_up = RecoveryEvent::GaveUp {
        attempts: 3,
        trigger: "failed".to_owned(),
    };
    sample.add(9_000.0, "alice", Event::Recovery(gave_up));
}

#[test]
fn the_same_runs_are_no_change() {
    let all = [Sample::good(), Sample::not_connected()];
    for samples in [&all[..], &all[..1], &all[1..]] {
        let comparison = compared(samples, samples);
        assert_eq!(comparison.changes().count(), 0, "{comparison:#?}");
        assert!(comparison.is_known() && !comparison.is_worse());
    }
}

/// What is worse one way is better the other.
#[rstest]
#[case::a_path(Kind::Path, "peers", nothing, over_tls)]
#[case::a_url(Kind::IceServer, TCP_URL, nothing, reset)]
#[case::a_check(Kind::Check, "ice-server/alice", nothing, reset)]
#[case::a_verdict(Kind::Verdict, "", nothing, reset)]
#[case::a_cause(Kind::Cause, "", nothing, reset)]
#[case::set_up(Kind::SetUpTime, "both connected", nothing, connect_late)]
#[case::an_allocation(Kind::SetUpTime, UDP_URL, nothing, allocate_late)]
#[case::a_first_frame(Kind::SetUpTime, "first frame of video at bob", nothing, start_late)]
#[case::loss(Kind::Loss, "audio at bob", nothing, lose)]
#[case::jitter(Kind::Jitter, "video at bob", nothing, jitter)]
#[case::a_round_trip(Kind::RoundTrip, "alice", go_round_fast, go_round_slowly)]
#[case::attempts(Kind::Recovery, "", recover_at_first, recover_later)]
#[case::giving_up(Kind::Recovery, "", recover_at_last, give_up)]
#[case::recovery(Kind::RecoveryTime, "", recover_at_first, recover_slowly)]
fn a_change_has_a_direction(
    #[case] kind: Kind,
    #[case] what: &str,
    #[case] good: fn(&mut Sample),
    #[case] bad: fn(&mut Sample),
) {
    let (good, bad) = ([changed(good)], [changed(bad)]);
    let worse = compared(&good, &bad);
    assert_eq!(
        directions(&worse, kind, what),
        [Direction::Worse],
        "{worse:#?}"
    );
    assert!(worse.is_worse());
    let better = compared(&bad, &good);
    assert_eq!(
        directions(&better, kind, what),
        [Direction::Better],
        "{better:#?}"
    );
}

#[rstest]
#[case::one_failure_for_another(Kind::IceServer, UDP_URL, nothing, refuse)]
#[case::an_expectation(Kind::Expectation, "within_ms", nothing, expect_soon)]
#[case::a_check_that_is_skipped(Kind::Check, "connection/lasts", nothing, not_connect)]
fn a_change_may_have_none(
    #[case] kind: Kind,
    #[case] what: &str,
    #[case] one: fn(&mut Sample),
    #[case] other: fn(&mut Sample),
) {
    for (before, after) in [(one, other), (other, one)] {
        let comparison = compared(&[changed(before)], &[changed(after)]);
        let found = directions(&comparison, kind, what);
        assert_eq!(found, [Direction::Other], "{comparison:#?}");
    }
}

#[test]
fn where_no_call_is_expected_a_path_is_neither_good_nor_bad() {
    let hopeless = |mut sample: Sample| {
        sample.declared.expect.connects = false;
        sample
    };
    let without = hopeless(Sample::not_connected());
    let comparison = compared(&[without], &[hopeless(Sample::good())]);
    assert_eq!(directions(&comparison, Kind::Path, ""), [Direction::Other]);
    assert_eq!(
        directions(&comparison, Kind::Verdict, ""),
        [Direction::Worse]
    );
}

#[test]
fn repeated_runs_are_compared_as_one() {
    let good = vec![Sample::good(); 3];
    let flaky = vec![Sample::good(), Sample::not_connected(), Sample::good()];
    let comparison = compared(&good, &flaky);
    let group = &comparison.groups[0];
    assert_eq!(
        (group.before.to_string(), group.after.to_string()),
        ("3 PASS".into(), "2 PASS, 1 FAIL".into())
    );
    assert_eq!(
        directions(&comparison, Kind::Verdict, ""),
        [Direction::Worse]
    );
    let verdict = &group.changes[0];
    let Side::Words { runs_by_word } = &verdict.after else {
        panic!("{verdict:#?}");
    };
    assert_eq!(runs_by_word["FAIL"], 1);
}

#[test]
fn figures_of_repeated_runs_are_a_median_and_a_range() {
    let with = |packets_lost: [i64; 3]| {
        packets_lost.map(|packets_lost| {
            let mut sample = Sample::good();
            sample.change_media("bob", MediaKind::Audio, |stats| {
                stats.packets_received = 100 - packets_lost.unsigned_abs();
                stats.packets_lost = packets_lost;
            });
            sample
        })
    };
    let comparison = compared(&with([0, 1, 0]), &with([9, 6, 7]));
    let mut changes = comparison.changes();
    let loss = changes
        .find(|(_, change)| change.kind == Kind::Loss)
        .unwrap();
    let Side::Figure { figure } = &loss.1.after else {
        panic!("{loss:#?}");
    };
    assert_eq!(
        *figure,
        Figure {
            median: 7.0,
            least: 6.0,
            most: 9.0,
            runs: 3
        }
    );
    // A single run that is as bad as one of those before is no change.
    let overlapping = compared(&with([0, 6, 0]), &with([9, 6, 7]));
    assert!(directions(&overlapping, Kind::Loss, "").is_empty());
}

#[test]
fn what_is_invalid_is_not_known() {
    let mut invalid = Sample::not_connected();
    invalid.add(1.0, "harness", Event::Interrupted);
    let mut unsupported = Sample::good();
    let reason = "no /dev/net/tun".to_owned();
    unsupported.add(1.0, "harness", Event::Unsupported { reason });
    for unknown in [invalid, unsupported] {
        let (good, unknown) = ([Sample::good()], [unknown]);
        for (before, after) in [(&good, &unknown), (&unknown, &good)] {
            let comparison = compared(before, after);
            assert!(!comparison.is_known() && !comparison.is_worse());
            assert_eq!(comparison.changes().count(), 0);
        }
        let [unknown] = unknown;
        // Beside runs of which something is known it does not count.
        let comparison = compared(&good, &[unknown, Sample::good()]);
        assert!(comparison.is_known());
        assert_eq!(comparison.changes().count(), 0, "{comparison:#?}");
    }
}

#[test]
fn what_has_no_counterpart_is_told() {
    let out = tempfile::tempdir().unwrap();
    let run = |scenario: &str, configuration: &str| {
        let mut about = about();
        about.scenario = scenario.into();
        about.ice_configuration = configuration.into();
        stored(&out, &about, &Sample::good())
    };
    let before = [run("a", "production"), run("b", "production")];
    let after = [run("b", "with-tls"), run("a", "production")];
    let comparison = compare(&before, &after);
    let names = |subjects: &[Subject]| subjects.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(names(&comparison.only_before), ["b with production"]);
    assert_eq!(names(&comparison.only_after), ["b with with-tls"]);
    assert_eq!(comparison.groups.len(), 1);
}

/// Everything that there is to say, of two scenarios.
fn eventful() -> Comparison {
    let out = tempfile::tempdir().unwrap();
    let run = |scenario: &str, sample: &Sample| {
        let mut about = about();
        about.scenario = scenario.into();
        let mut run = stored(&out, &about, sample);
        run.directory = Path::new("OUT").join(scenario);
        run
    };
    let mut invalid = Sample::good();
    invalid.add(1.0, "harness", Event::Interrupted);
    let before = [
        run("corporate-firewall", &Sample::good()),
        run("home-to-home", &changed(lose)),
        run("home-to-home", &changed(lose)),
        run("hotel", &Sample::good()),
        run("same-network", &Sample::good()),
    ];
    let after = [
        run("corporate-firewall", &Sample::not_connected()),
        run("home-to-home", &changed(connect_late)),
        run("home-to-home", &changed(expect_otherwise)),
        run("hotel", &invalid),
        run("vpn", &Sample::good()),
    ];
    compare(&before, &after)
}

#[test]
fn people_read_the_worst_first() {
    let mut text = Vec::new();
    let look = ComparisonText { colour: false };
    look.render(&eventful(), &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    for line in text.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_ticket_has_tables() {
    let mut text = Vec::new();
    comparison_markdown(&eventful(), &mut text).unwrap();
    insta::assert_snapshot!(String::from_utf8(text).unwrap());
}

/// With `FARCALL_UPDATE=1` in the environment, writes the file instead.
#[test]
fn the_json_is_as_its_schema_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/comparison.schema.json");
    let schema = comparison_schema();
    let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    if std::env::var_os("FARCALL_UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "out of date: FARCALL_UPDATE=1 cargo test -p farcall-report"
    );
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut json = serde_json::to_value(eventful()).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&json)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(json["schema_version"], COMPARISON_SCHEMA_VERSION);
    json["groups"][0]["changes"][0]["direction"] = "sideways".into();
    assert!(!validator.is_valid(&json));
}

/// Changes the `plan.json` of a run that was stored.
fn with_plan(
    sample: &Sample,
    change: impl Fn(&mut serde_json::Value),
) -> Result<StoredRun, ReportError> {
    let out = tempfile::tempdir().unwrap();
    let run = stored(&out, &about(), sample);
    let path = run.directory.join("plan.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut plan: serde_json::Value = serde_json::from_str(&text).unwrap();
    change(&mut plan);
    std::fs::write(&path, plan.to_string()).unwrap();
    StoredRun::load(&run.directory)
}

#[test]
fn a_run_of_an_earlier_farcall_is_judged_by_the_same_rules() {
    let earlier = with_plan(&Sample::good(), |plan| {
        plan.as_object_mut().unwrap().remove("topology");
        plan["about"].as_object_mut().unwrap().remove("written");
        plan["about"]["environment"]["farcall"] = "0.0.9".into();
    });
    let comparison = compare(&[earlier.unwrap()], &runs(&[Sample::good()]));
    assert_eq!(comparison.changes().count(), 0, "{comparison:#?}");
}

#[test]
fn a_run_that_cannot_be_judged_by_the_same_rules_is_refused() {
    let other = with_plan(&Sample::good(), |plan| plan["version"] = 99.into());
    assert!(matches!(
        other,
        Err(ReportError::Version { version: 99, .. })
    ));
}
