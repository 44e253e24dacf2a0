//! Baselines, and what a person reads after each kind of mistake in one.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use farcall_scenario::{Baseline, InputError, Scenario};
use farcall_timeline::{CandidateType, IceTransport};
use rstest::{Context, rstest};
use support::render;
use time::macros::date;

/// A baseline without mistakes.
const GOOD: &str = r#"# ours
[[networks]]
scenario = "corporate-firewall"
ice = "production"
connects = true
path.alice = { local = ["relay"], relay_protocol = ["tcp"] }
connect_within_ms = 5000

[[networks]]
scenario = "recovery-attempt-1"
recover_within_ms = 20_000
max_attempts = 1
quarantine = { reason = "it is being mended", until = 2026-12-31 }
"#;

fn parse(text: &str) -> Result<Baseline, InputError> {
    Baseline::parse("baseline.toml", text, &|name| Scenario::find(name, None))
}

#[test]
fn a_baseline_says_what_it_expects() {
    let baseline = parse(GOOD).unwrap();
    let [office, outage] = baseline.networks.as_slice() else {
        panic!("{baseline:?}");
    };
    assert_eq!((office.line, outage.line), (2, 9));
    assert_eq!(office.scenario.name, "corporate-firewall");
    assert_eq!(office.expected.ice.as_deref(), Some("production"));
    let alice = &office.expected.path["alice"];
    assert_eq!(alice.local, [CandidateType::Relay]);
    assert_eq!(alice.relay_protocol, [IceTransport::Tcp]);
    assert_eq!(office.expected.connect_within_ms, Some(5_000));
    let quarantine = outage.expected.quarantine.as_ref().unwrap();
    assert_eq!(quarantine.until, date!(2026 - 12 - 31));
    assert_eq!(outage.expected.max_attempts, Some(1));
}

/// Each case replaces a part of the good baseline.
#[rstest]
#[case::unknown_key("connects =", "conects =")]
#[case::unknown_section("# ours", "[[network]]\nscenario = \"open-internet\"")]
#[case::unknown_scenario("\"corporate-firewall\"", "\"corporate-firewal\"")]
#[case::no_scenario("scenario = \"corporate-firewall\"\n", "")]
#[case::no_network(GOOD, "networks = []")]
#[case::unknown_peer("path.alice", "path.alise")]
#[case::unknown_candidate_type("[\"relay\"]", "[\"relais\"]")]
#[case::transport_of_no_relay("[\"relay\"]", "[\"host\"]")]
#[case::path_of_no_call("connects = true", "connects = false")]
#[case::out_of_range("5000", "0")]
#[case::negative("5000", "-1")]
#[case::recovery_of_nothing("connect_within_ms = 5000", "recover_within_ms = 1\nmax_attempts = 0")]
#[case::quarantine_without_a_reason("reason = \"it is being mended\", ", "")]
#[case::quarantine_without_a_date(", until = 2026-12-31", "")]
#[case::quarantine_with_an_empty_reason("\"it is being mended\"", "\" \"")]
#[case::a_date_in_quotes("2026-12-31", "\"2026-12-31\"")]
#[case::a_time_of_day("2026-12-31", "2026-12-31T10:00:00Z")]
#[case::no_such_day("2026-12-31", "2026-02-30")]
#[case::written_twice(
    "\"recovery-attempt-1\"\nrecover_within_ms = 20_000\nmax_attempts = 1",
    "\"corporate-firewall\""
)]
#[case::not_toml("connects = true", "connects = yes")]
fn a_mistake_is_reported_at_its_place(
    #[context] context: Context,
    #[case] part: &str,
    #[case] replacement: &str,
) {
    assert!(GOOD.contains(part), "{part}");
    let error = parse(&GOOD.replacen(part, replacement, 1)).unwrap_err();
    let InputError::Invalid(problems) = &error else {
        panic!("{error:?}");
    };
    assert!(problems.iter().all(|problem| problem.place.is_some()));
    insta::assert_snapshot!(context.description.unwrap(), render(&error));
}

#[test]
fn the_same_network_with_two_configurations_is_not_written_twice() {
    let other = "[[networks]]\nscenario = \"corporate-firewall\"\nice = \"with-tls\"\n";
    assert_eq!(
        parse(&format!("{GOOD}\n{other}")).unwrap().networks.len(),
        3
    );
}

#[test]
fn scenario_files_are_found_beside_the_baseline_and_their_mistakes_told() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    std::fs::create_dir(directory.path().join("networks")).unwrap();
    let scenario = include_str!("../../../scenarios/same-network.toml");
    write("networks/ours.toml", scenario);
    write(
        "baseline.toml",
        "[[networks]]\nscenario = \"networks/ours.toml\"\n",
    );
    let path = directory.path().join("baseline.toml");
    let baseline = Baseline::load(&path, None).unwrap();
    assert_eq!(baseline.networks[0].scenario.name, "ours");

    write(
        "networks/ours.toml",
        &scenario.replacen("[expect]", "[expct]", 1),
    );
    let error = format!("{:?}", Baseline::load(&path, None).unwrap_err());
    assert!(error.contains("ours.toml:"), "{error}");
    std::fs::remove_file(directory.path().join("networks/ours.toml")).unwrap();
    let error = Baseline::load(&path, None).unwrap_err().to_string();
    assert!(error.contains("ours.toml"), "{error}");
}
