//! What goes wrong in a lab is told, and leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use crate::support::{engine, events_until, left, one_node, raise, two_peers};
use farcall_lab::bollard::query_parameters::KillContainerOptions;
use farcall_lab::{LabOptions, NodeError, RaiseError, Step};
use farcall_protocol::Command;
use farcall_timeline::Event;
use std::time::Duration;

/// The error of raising a lab in which one node behaves as its name says.
async fn failure(name: &str, deadline: Duration) -> RaiseError {
    let options = LabOptions {
        deadline,
        ..LabOptions::new()
    };
    let session = options.session.clone();
    let error = match raise(&one_node(name), options).await {
        Ok(_) => panic!("the lab was raised"),
        Err(error) => error,
    };
    assert_eq!(left(&engine().await, &session).await, [""; 0]);
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_at_start_is_named_with_its_last_lines() {
    let text = failure("dies", LabOptions::DEADLINE).await.to_string();
    assert!(text.starts_with("failed to set up dies: "), "{text}");
    assert!(text.contains("it exited with status 3"), "{text}");
    assert!(text.contains("\n  cannot go on\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_refuses_is_named_with_its_reason() {
    let error = failure("refuses", LabOptions::DEADLINE).await;
    let text = error.to_string();
    assert!(matches!(error, RaiseError::SetUp { .. }));
    assert!(text.contains("no rules"), "{text}");
    assert!(text.contains("\n  nft: syntax error"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_does_not_answer_is_named_at_the_deadline() {
    let text = failure("sulks", Duration::from_secs(4)).await.to_string();
    assert!(text.contains("set up sulks"), "{text}");
    assert!(!text.contains("alice"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_docker_refuses_is_told_with_the_step() {
    let mut plan = one_node("bob");
    plan.nodes[1]
        .sysctls
        .insert("kernel.panic".to_owned(), "1".to_owned());
    let options = LabOptions::new();
    let session = options.session.clone();
    let Err(error) = raise(&plan, options).await else {
        panic!("the lab was raised");
    };
    assert!(
        matches!(&error, RaiseError::Container { node, step: Step::Create | Step::Start, .. }
            if node == "bob"),
        "{error}"
    );
    assert_eq!(left(&engine().await, &session).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_ends_by_itself_is_a_fault_and_fails_what_is_asked_of_it() {
    let mut raised = raise(&two_peers(), LabOptions::new()).await.unwrap();
    let bob = raised.lab.node("bob").unwrap();
    // The stand-in never answers this, and ends on the second.
    let pending = bob.request(Command::Counters, Duration::from_secs(20));
    let deadly = bob.request(Command::EndCall, Duration::from_secs(20));
    let (pending, deadly) = tokio::join!(pending, deadly);
    for error in [pending.unwrap_err(), deadly.unwrap_err()] {
        assert!(matches!(error, NodeError::Gone { .. }), "{error}");
        assert!(error.to_string().contains("it exited with status 4"));
    }
    let later = bob.request(Command::Clock, Duration::from_secs(20)).await;
    assert!(matches!(later, Err(NodeError::Gone { .. })));
    let seen = events_until(&mut raised.events, |entry| {
        matches!(entry.event, Event::HarnessFault { .. })
    })
    .await;
    assert!(seen.iter().any(|entry| {
        entry.node == "bob" && entry.event == Event::NodeExited { exit_code: Some(4) }
    }));
    raised.lab.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_killed_tells_by_which_signal() {
    let mut raised = raise(&one_node("bob"), LabOptions::new()).await.unwrap();
    let container = format!("farcall-{}-bob", raised.session);
    raised
        .engine
        .docker
        .kill_container(&container, None::<KillContainerOptions>)
        .await
        .unwrap();
    let seen = events_until(&mut raised.events, |entry| {
        matches!(entry.event, Event::HarnessFault { .. })
    })
    .await;
    let Event::HarnessFault { message } = &seen.last().unwrap().event else {
        panic!("the last event is a fault");
    };
    assert!(message.contains("bob ended by itself: it was ended by signal 9"));
    raised.lab.remove().await.unwrap();
}
