//! Removal: asked for, by panic, by interruption, and not at all.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use crate::support::{engine, left, raise, stand_in, two_peers};
use farcall_lab::{Lab, LabOptions, reap};
use farcall_timeline::Event;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::unbounded_channel;

const NOTHING: [&str; 0] = [];

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_lab_leaves_nothing_and_no_fault() {
    let mut raised = raise(&two_peers(), LabOptions::new()).await.unwrap();
    assert_eq!(left(&raised.engine, &raised.session).await.len(), 5);
    raised.lab.remove().await.unwrap();
    assert_eq!(left(&raised.engine, &raised.session).await, NOTHING);
    // The channel closes, since nobody is left who could send.
    while let Some(entry) = raised.events.recv().await {
        assert!(matches!(entry.event, Event::NodeReady { .. }), "{entry:?}");
    }
}

#[tokio::test]
async fn a_panic_removes_the_lab() {
    let options = LabOptions::new();
    let session = options.session.clone();
    let doomed = tokio::spawn(async move {
        let raised = raise(&two_peers(), options).await.unwrap();
        assert_eq!(left(&raised.engine, &raised.session).await, NOTHING);
    });
    assert!(doomed.await.unwrap_err().is_panic());
    assert_eq!(left(&engine().await, &session).await, NOTHING);
}

/// A raising is dropped at any moment: nothing that Docker was just making may be forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_raising_leaves_nothing() {
    let engine = engine().await;
    let image = stand_in(&engine).await;
    for after_ms in [0, 30, 100, 200, 350, 500, 700, 1000] {
        let options = LabOptions::new();
        let session = options.session.clone();
        let (events, _unwatched) = unbounded_channel();
        let plan = two_peers();
        let raising = Lab::raise(&engine, &image, &plan, options, events);
        let after = Duration::from_millis(after_ms);
        let began = Instant::now();
        drop(tokio::time::timeout(after, raising).await);
        let took = began.elapsed() - after.min(began.elapsed());
        assert_eq!(
            left(&engine, &session).await,
            NOTHING,
            "after {after_ms} ms"
        );
        assert!(
            took < Duration::from_secs(4),
            "{took:?} after {after_ms} ms"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_lab_stays_until_it_is_taken_down() {
    let options = LabOptions {
        keep: true,
        ..LabOptions::new()
    };
    let raised = raise(&two_peers(), options).await.unwrap();
    raised.lab.remove().await.unwrap();
    assert_eq!(left(&raised.engine, &raised.session).await.len(), 5);

    let kept = reap::kept_labs(&raised.engine).await.unwrap();
    let kept: Vec<_> = kept
        .into_iter()
        .filter(|lab| lab.session == raised.session)
        .collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].scenario, "hand-made");
    assert_eq!(kept[0].nodes, ["alice", "bob", "gateway"]);
    assert_eq!(kept[0].networks, 2);
    reap::remove(&raised.engine, &kept).await.unwrap();
    assert_eq!(left(&raised.engine, &raised.session).await, NOTHING);
    // Once more is no error.
    reap::remove(&raised.engine, &kept).await.unwrap();
}
