//! `farcall gate` and `farcall merge` as a pipeline meets them.

use crate::support::executable;
use rstest::rstest;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn command(arguments: &[&str], directory: &Path) -> Command {
    let mut command = Command::new(executable());
    command
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null());
    command
}

fn farcall(arguments: &[&str], directory: &Path) -> Output {
    command(arguments, directory).output().unwrap()
}

fn without_docker(arguments: &[&str], directory: &Path) -> Output {
    command(arguments, directory)
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A directory with this baseline in it.
fn directory(baseline: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("farcall-baseline.toml"), baseline).unwrap();
    directory
}

/// The directory of the only gate in `out`.
fn gate_in(out: &Path) -> PathBuf {
    let mut found = std::fs::read_dir(out).unwrap();
    found.next().unwrap().unwrap().path()
}

fn gate_json(directory: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(directory.join("gate.json")).unwrap()).unwrap()
}

const ONE: &str = "[[networks]]\nscenario = \"same-network\"\n";

#[rstest]
#[case::an_unknown_scenario("[[networks]]\nscenario = \"same-netwrk\"\n", &["gate"], "farcall-baseline.toml:2:12")]
#[case::an_unknown_key("[[networks]]\nscenario = \"same-network\"\ncolour = 1\n", &["gate"], "farcall-baseline.toml:3:1")]
#[case::no_baseline(ONE, &["gate", "--baseline", "none.toml"], "farcall gate --bless")]
#[case::a_network_without_bless(ONE, &["gate", "home-to-home"], "--bless")]
#[case::no_shard(ONE, &["gate", "--shard", "3/2"], "write K/N")]
#[case::bless_of_a_shard(ONE, &["gate", "--bless", "--shard", "1/2"], "--shard")]
#[case::another_configuration("[[networks]]\nscenario = \"same-network\"\nice = \"ours\"\n", &["gate"], "farcall-baseline.toml:1")]
#[case::a_report_that_cannot_be_written(ONE, &["gate", "--report", "junit=no/such/x.xml"], "no/such/x.xml")]
#[case::a_merge_of_nothing(ONE, &["merge", "."], "gate.json")]
fn wrong_usage_exits_with_2_and_starts_nothing(
    #[case] baseline: &str,
    #[case] arguments: &[&str],
    #[case] said: &str,
) {
    let directory = directory(baseline);
    let output = without_docker(arguments, directory.path());
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains(said), "{stderr}");
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
}

#[test]
fn findings_of_lint_come_first_and_a_missing_docker_is_no_answer() {
    let directory = directory(ONE);
    let output = without_docker(&["gate"], directory.path());
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.starts_with("production:"), "{stderr}");
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
}

#[test]
fn a_shard_to_which_nothing_falls_needs_no_docker_and_its_merge_alone_is_no_yes() {
    let directory = directory(ONE);
    let gate = &["gate", "--shard", "2/2", "--out", "gates"];
    let output = without_docker(gate, directory.path());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let merge = [
        "merge",
        "gates",
        "--report",
        "junit=junit.xml",
        "--report",
        "html=index.html",
        "--report",
        "github=summary.md",
    ];
    let merged = without_docker(&merge, directory.path());
    let stdout = text(&merged.stdout);
    assert_eq!(merged.status.code(), Some(3), "{stdout}");
    assert!(stdout.starts_with("UNDECIDED: "), "{stdout}");
    assert!(stdout.contains("missing: shard 1"), "{stdout}");
    let annotation = "::warning title=NO RESULT same-network with production::";
    assert!(stdout.contains(annotation), "{stdout}");
    for (file, said) in [
        (
            "junit.xml",
            "tests=\"1\" skipped=\"0\" failures=\"0\" errors=\"1\"",
        ),
        ("junit.xml", "no result: shard 1 is missing"),
        ("index.html", "shard 1 is missing"),
        ("summary.md", "NO RESULT same-network with production"),
    ] {
        let report = std::fs::read_to_string(directory.path().join(file)).unwrap();
        assert!(report.contains(said), "{said} is missing:\n{report}");
    }
}

#[test]
fn what_was_blessed_is_a_yes_and_so_are_its_shards_wherever_they_are_moved() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let bless = farcall(&["gate", "--bless", "same-network", "open-internet"], at);
    assert_eq!(bless.status.code(), Some(0), "{}", text(&bless.stderr));
    let baseline = std::fs::read_to_string(at.join("farcall-baseline.toml")).unwrap();
    assert!(baseline.starts_with("# The networks"), "{baseline}");
    assert_eq!(baseline.matches(" # measured ").count(), 2, "{baseline}");

    for (shard, out) in [("1/2", "one"), ("2/2", "two")] {
        let arguments = ["gate", "--shard", shard, "--out", out, "--retries", "1"];
        let gate = farcall(&arguments, at);
        let stdout = text(&gate.stdout);
        assert_eq!(
            gate.status.code(),
            Some(0),
            "{stdout}{}",
            text(&gate.stderr)
        );
        assert!(stdout.starts_with("YES: the one call is"), "{stdout}");
        let json = gate_json(&gate_in(&at.join(out)));
        assert_eq!(json["answer"], "yes");
        assert_eq!(json["entries"].as_array().unwrap().len(), 1);
        assert_eq!(json["calls"].as_array().unwrap().len(), 2);
    }

    std::fs::create_dir(at.join("artifacts")).unwrap();
    std::fs::rename(at.join("one"), at.join("artifacts/gate-1")).unwrap();
    std::fs::rename(at.join("two"), at.join("artifacts/gate-2")).unwrap();
    let arguments = [
        "merge",
        "artifacts",
        "--out",
        "artifacts/gate.json",
        "--report",
        "junit=junit.xml",
    ];
    let merged = without_docker(&arguments, at);
    let stdout = text(&merged.stdout);
    assert_eq!(
        merged.status.code(),
        Some(0),
        "{stdout}{}",
        text(&merged.stderr)
    );
    assert!(stdout.starts_with("YES: all 2 calls are"), "{stdout}");
    let junit = std::fs::read_to_string(at.join("junit.xml")).unwrap();
    assert!(
        junit.contains("tests=\"2\" skipped=\"0\" failures=\"0\""),
        "{junit}"
    );
    let json = gate_json(&at.join("artifacts"));
    for entry in json["entries"].as_array().unwrap() {
        let run = entry["runs"][0]["directory"].as_str().unwrap();
        let result = at.join("artifacts").join(run).join("result.json");
        assert!(result.is_file(), "{run}");
    }

    // Another result of the same shard is refused.
    let again = gate_in(&at.join("artifacts/gate-1"));
    let path = again.join("gate.json");
    let id = gate_json(&again)["id"].as_str().unwrap().to_owned();
    let other = std::fs::read_to_string(&path)
        .unwrap()
        .replace(&id, "another");
    std::fs::create_dir(at.join("other")).unwrap();
    std::fs::write(at.join("other/gate.json"), other).unwrap();
    let arguments = ["merge", "artifacts/gate-1", "artifacts/gate-2", "other"];
    let doubled = without_docker(&arguments, at);
    assert_eq!(doubled.status.code(), Some(2));
    assert!(
        text(&doubled.stderr).contains("doubled"),
        "{}",
        text(&doubled.stderr)
    );
}

#[test]
fn a_no_says_what_was_expected_what_came_why_and_what_to_do() {
    let directory = directory(
        "[[networks]]\nscenario = \"same-network\"\npath.alice = { local = [\"relay\"] }\n\
         [[networks]]\nscenario = \"mobile-hotspot\"\n\
         [[networks]]\nscenario = \"open-internet\"\nconnect_within_ms = 1\n\
         quarantine = { reason = \"nothing is so fast\", until = 9999-12-31 }\n",
    );
    let arguments = [
        "gate",
        "--config",
        "development",
        "--report",
        "junit=junit.xml",
    ];
    let gate = farcall(&arguments, directory.path());
    let stdout = text(&gate.stdout);
    assert_eq!(
        gate.status.code(),
        Some(1),
        "{stdout}{}",
        text(&gate.stderr)
    );
    assert!(
        stdout.starts_with("NO: all 2 calls fall short of the baseline; 1 quarantined\n"),
        "{stdout}"
    );
    for said in [
        "path.alice: expected local relay, remote any",
        "cause   no-turn-server: ",
        "quarantined until 9999-12-31, so it does not decide: nothing is so fast",
        "farcall gate --bless",
    ] {
        assert!(stdout.contains(said), "{said} is missing:\n{stdout}");
    }
    let junit = std::fs::read_to_string(directory.path().join("junit.xml")).unwrap();
    assert!(
        junit.contains("tests=\"3\" skipped=\"1\" failures=\"2\" errors=\"0\""),
        "{junit}"
    );
    for said in [
        "baseline/path.alice",
        "message=\"quarantined until 9999-12-31, so it does not decide: nothing is so fast\"",
    ] {
        assert!(junit.contains(said), "{said} is missing:\n{junit}");
    }
}
