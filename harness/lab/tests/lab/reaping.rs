//! What a process left that was killed is found, and told from what others still use.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use crate::support::{engine, left, raise, stand_in, two_peers};
use farcall_lab::{Lab, LabOptions, OwnerState, SessionId, reap};
use std::process::{Command, Stdio};
use tokio::sync::mpsc::unbounded_channel;

/// The session that the victim below raises. A variable, since the test runner owns the arguments.
const SESSION: &str = "FARCALL_TEST_VICTIM_SESSION";

/// Not a test of its own: the process that is killed. It runs only when the test below starts it.
#[tokio::test(flavor = "multi_thread")]
async fn victim() {
    let Ok(session) = std::env::var(SESSION) else {
        return;
    };
    let options = LabOptions {
        session: session.parse().unwrap(),
        ..LabOptions::new()
    };
    let engine = engine().await;
    let image = stand_in(&engine).await;
    let (events, _unwatched) = unbounded_channel();
    let _lab = Lab::raise(&engine, &image, &two_peers(), options, events)
        .await
        .unwrap();
    nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn labs_of_dead_processes_are_reaped_and_those_of_living_ones_left_alone() {
    let session = SessionId::random();
    let killed = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "reaping::victim"])
        .env(SESSION, session.as_str())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(!killed.success());
    let alive = raise(&two_peers(), LabOptions::new()).await.unwrap();
    let engine = &alive.engine;
    assert_eq!(left(engine, &session).await.len(), 5);

    let leftovers = reap::leftovers(engine).await.unwrap();
    let of = |session: &SessionId| leftovers.iter().find(|lab| lab.session == *session);
    assert!(of(&alive.session).is_none(), "its process lives");
    let dead = of(&session).unwrap();
    assert_eq!(dead.owner, OwnerState::Dead);
    assert!(
        dead.to_string().contains("3 containers, 2 networks"),
        "{dead}"
    );

    reap::remove(engine, std::slice::from_ref(dead))
        .await
        .unwrap();
    assert_eq!(left(engine, &session).await, [""; 0]);
    assert_eq!(left(engine, &alive.session).await.len(), 5);
    alive.lab.remove().await.unwrap();
}
