//! Requests, answers, events and logs.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use crate::support::{events_until, one_node, raise, two_peers};
use farcall_lab::{LabOptions, NodeError};
use farcall_protocol::{Command, Reply, SignalBody};
use farcall_timeline::Event;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn every_node_answers_and_reports_on_the_harness_s_clock() {
    let options = LabOptions::new();
    let time_zero = options.time_zero;
    let mut raised = raise(&two_peers(), options).await.unwrap();
    for name in ["alice", "bob", "gateway"] {
        let node = raised.lab.node(name).unwrap();
        let reply = node
            .request(Command::Collect { end_services: true }, SOON)
            .await
            .unwrap();
        assert!(matches!(reply, Reply::Done), "{reply:?}");
        let seen = events_until(&mut raised.events, |entry| {
            matches!(entry.event, Event::NodeReady { .. })
        })
        .await;
        let ready = seen.last().unwrap();
        let now_ms = time_zero.elapsed().as_secs_f64() * 1000.0;
        // The stand-in's clock ticks every 10 ms.
        assert!(
            ready.at_ms > -20.0 && ready.at_ms < now_ms + 20.0,
            "{} at {now_ms}",
            ready.at_ms
        );
    }
    let unknown = raised.lab.node("carol").unwrap_err();
    assert!(unknown.to_string().contains("alice, bob, gateway"));
    raised.lab.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered_by_their_id_in_any_order() {
    let raised = raise(&one_node("bob"), LabOptions::new()).await.unwrap();
    let bob = raised.lab.node("bob").unwrap();
    // The stand-in never answers this one.
    let unanswered = bob.request(Command::Counters, Duration::from_millis(500));
    let answered = bob.request(Command::Collect { end_services: true }, SOON);
    let (unanswered, answered) = tokio::join!(unanswered, answered);
    assert!(matches!(answered, Ok(Reply::Done)), "{answered:?}");
    let error = unanswered.unwrap_err();
    assert!(matches!(error, NodeError::Deadline { .. }));
    assert!(
        error.to_string().contains("no counters within 500 ms"),
        "{error}"
    );
    let goes_on = bob.stands_still(SOON).await;
    assert!(
        matches!(goes_on, Err(NodeError::GoesOn { .. })),
        "{goes_on:?}"
    );
    raised.lab.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_peers_say_to_each_other_is_no_log() {
    let mut raised = raise(&one_node("bob"), LabOptions::new()).await.unwrap();
    let bob = raised.lab.node("bob").unwrap();
    bob.request(Command::StopMedia, SOON).await.unwrap();
    let mut signals = bob.signals();
    let signal = tokio::time::timeout(SOON, signals.recv()).await;
    let signal = signal.unwrap().unwrap();
    assert!(matches!(signal.body, SignalBody::Answer { .. }));
    // What is no message is kept and reported, but ends nothing.
    events_until(&mut raised.events, |entry| {
        matches!(&entry.event, Event::Log { target, message, .. }
            if target == "stdout" && message == "no message at all")
    })
    .await;
    let log = raised.lab.node("bob").unwrap().log();
    assert!(log.contains("no message at all\n") && log.contains("node-ready"));
    assert!(!log.contains("secret"), "{log}");
    raised.lab.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_fetched_and_missing_ones_named() {
    let raised = raise(&one_node("bob"), LabOptions::new()).await.unwrap();
    let hostname = raised.lab.fetch_file("bob", "/etc/hostname").await.unwrap();
    assert_eq!(hostname, b"bob\n");
    for path in ["/nowhere.pcap", "/etc"] {
        let error = raised.lab.fetch_file("bob", path).await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("failed to fetch {path} from bob: ")),
            "{text}"
        );
    }
    raised.lab.remove().await.unwrap();
}
