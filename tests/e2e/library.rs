//! farcall as a library: what another project's `cargo test` can do, and the checks of a call failing
//! for the right reason.

use crate::support::{call, call_with, configuration, harness, out};
use farcall::lab::exec;
use farcall::lab::reap::{self, Leftover};
use farcall::scenario::{Account, IceTransportPolicy, Secret};
use farcall::timeline::{CandidateType, IceServerOutcome, IceServerReport};
use farcall::verdict::CheckVerdict;
use farcall::{Cause, IceConfiguration, RunOptions, Scenario, StoredRun, Verdict};
use rstest::rstest;

/// What is said of a run.
fn cause(run: &StoredRun) -> Option<Cause> {
    run.result.diagnosis.as_ref().map(|found| found.cause)
}

/// The names of the checks that came out like this.
fn checks(run: &StoredRun, verdict: CheckVerdict) -> Vec<&str> {
    run.result
        .checks
        .iter()
        .filter(|check| check.verdict == verdict)
        .map(|check| check.name.as_str())
        .collect()
}

#[rstest]
#[tokio::test]
async fn wrong_credentials_come_out_as_unauthorized(
    #[values("mobile-hotspot", "corporate-firewall")] name: &str,
) {
    refuses_wrong_credentials(name).await;
}

/// What the others cover in part.
#[rstest]
#[tokio::test]
#[ignore = "one of the long ones: just test-long"]
async fn wrong_credentials_come_out_as_unauthorized_too(
    #[values("open-internet", "same-network", "home-to-home", "corporate-tls-only")] name: &str,
) {
    refuses_wrong_credentials(name).await;
}

async fn refuses_wrong_credentials(name: &str) {
    let mut scenario = Scenario::builtin(name).unwrap();
    scenario.servers.account = Some(Account {
        username: "somebody".to_owned(),
        credential: Secret::new("else"),
    });
    let run = call(&scenario, &configuration("with-tls")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    // What a firewall stops does not come as far as the server.
    let stopped: &[&str] = match name {
        "corporate-firewall" => &["turn:turn.example.net:3478"],
        "corporate-tls-only" => &[
            "turn:turn.example.net:3478",
            "turn:turn.example.net:443?transport=tcp",
        ],
        _ => &[],
    };
    for (peer, stopped) in [("alice", stopped), ("bob", &[])] {
        let servers = run.result.peers[peer].ice_servers.iter();
        let refused: Vec<_> = servers
            .filter(|server| server.url.starts_with("turn"))
            .filter(|server| !stopped.contains(&server.url.as_str()))
            .map(|server| (server.url.as_str(), server.outcome))
            .collect();
        assert_eq!(refused.len(), 3 - stopped.len(), "{peer}\n{run}");
        for (url, outcome) in refused {
            assert_eq!(
                outcome,
                IceServerOutcome::Unauthorized,
                "{peer}: {url}\n{run}"
            );
            let check = format!("ice-server/{peer}/{url}");
            assert!(
                checks(&run, CheckVerdict::Fail).contains(&check.as_str()),
                "{check}\n{run}"
            );
        }
    }
    assert_eq!(cause(&run), Some(Cause::CredentialsWrong), "{run}");
}

#[tokio::test]
async fn a_forced_relay_is_used_even_where_a_direct_path_exists() {
    let mut scenario = Scenario::builtin("open-internet").unwrap();
    scenario.call.policy = IceTransportPolicy::Relay;
    scenario.expect.relayed = Some(true);
    scenario.expect.selected_pair.clear();
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Pass, "{run}");
    let asked_to = |outcome| {
        move |server: &&IceServerReport| {
            server.url.starts_with("stun:") && server.outcome == outcome
        }
    };
    let bob = &run.result.peers["bob"].ice_servers;
    let not_used = bob.iter().filter(asked_to(IceServerOutcome::NotUsed));
    assert_eq!(not_used.count(), 2, "{run}");
    let events = std::fs::read_to_string(run.directory.join("events.jsonl")).unwrap();
    assert!(events.contains("Forcing TURN relay for better cross-network connectivity"));
    for peer in run.result.peers.values() {
        let pair = peer.selected_pair.as_ref().unwrap();
        assert_eq!(pair.local.candidate_type, CandidateType::Relay);
        assert!(
            peer.candidates
                .iter()
                .all(|candidate| candidate.candidate_type == CandidateType::Relay)
        );
    }
}

#[tokio::test]
async fn a_muted_sender_is_told_from_a_network_that_carries_nothing() {
    let mut scenario = Scenario::builtin("same-network").unwrap();
    scenario.peers[0].muted = true;
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Pass, "{run}");
    let bob = &run.result.peers["bob"]
        .media
        .audio
        .as_ref()
        .unwrap()
        .received;
    assert!(bob.frames_silent > 0 && bob.frames_intact == 0, "{run}");
    let alice = &run.result.peers["alice"]
        .media
        .audio
        .as_ref()
        .unwrap()
        .received;
    assert!(alice.frames_intact > 0 && alice.frames_silent == 0, "{run}");
}

#[tokio::test]
async fn a_call_that_connects_where_none_can_is_the_failure() {
    let mut scenario = Scenario::builtin("same-network").unwrap();
    scenario.expect.connects = false;
    scenario.expect.relayed = None;
    scenario.expect.selected_pair.clear();
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    assert_eq!(cause(&run), Some(Cause::ExpectationDiffers), "{run}");
}

#[tokio::test]
async fn a_pair_of_another_type_than_expected_is_the_failure() {
    let mut scenario = Scenario::builtin("same-network").unwrap();
    scenario.expect.relayed = Some(true);
    let run = call(&scenario, &configuration("production")).await;
    assert_eq!(run.result.verdict, Verdict::Fail, "{run}");
    assert_eq!(cause(&run), Some(Cause::ExpectationDiffers), "{run}");
    let failed = checks(&run, CheckVerdict::Fail);
    assert!(
        failed.iter().all(|name| name.contains("pair")),
        "{failed:?}\n{run}"
    );
    assert!(!failed.is_empty(), "{run}");
}

#[tokio::test]
async fn a_run_leaves_its_results_where_they_are_said_to_be() {
    let out = tempfile::tempdir().unwrap();
    let options = RunOptions {
        out: out.path().to_owned(),
        ..RunOptions::default()
    };
    let scenario = Scenario::builtin("same-network").unwrap();
    let run = call_with(&scenario, &IceConfiguration::production(), &options).await;
    assert_eq!(run.result.verdict, Verdict::Pass, "{run}");
    let directory = out.path().join("latest");
    for file in ["events.jsonl", "result.json", "plan.json", "logs/alice.log"] {
        assert!(directory.join(file).is_file(), "{file} is missing");
    }
    let events = std::fs::read_to_string(directory.join("events.jsonl")).unwrap();
    for line in [
        "Initializing WebRTC with config: production",
        "Generated ICE candidate: relay tcp",
        "ICE gathering state: complete",
        "ICE connection state: connected",
        "WebRTC connection established successfully!",
    ] {
        assert!(events.contains(line), "the log line is missing: {line}");
    }
    for file in &run.result.files {
        let content = std::fs::read(run.directory.join(file)).unwrap();
        let content = String::from_utf8_lossy(&content);
        assert!(
            !content.contains("openrelayproject"),
            "{file} has a credential"
        );
    }
}

#[tokio::test]
async fn a_lab_that_is_kept_goes_on_with_its_services() {
    let options = RunOptions {
        out: out(),
        keep: true,
        ..RunOptions::default()
    };
    let scenario = Scenario::builtin("same-network").unwrap();
    let harness = harness().await;
    let run = harness
        .run(&scenario, &configuration("with-tls"), &options)
        .await
        .unwrap();
    let engine = harness.engine();
    let labs = reap::kept_labs(engine).await.unwrap();
    let kept: Vec<Leftover> = labs
        .into_iter()
        .filter(|lab| lab.session.as_str() == run.result.session)
        .collect();
    assert_eq!(kept.len(), 1, "{run}");
    // By name, so that the site's resolver is asked too.
    let ask = ["turnutils_stunclient", "turn.example.net"].map(str::to_owned);
    let answered = exec::exec(engine, &kept[0].session, "alice", &ask).await;
    reap::remove(engine, &kept).await.unwrap();
    assert_eq!(run.result.verdict, Verdict::Pass, "{run}");
    assert_eq!(answered.unwrap(), 0, "resolver or server is gone");
}
