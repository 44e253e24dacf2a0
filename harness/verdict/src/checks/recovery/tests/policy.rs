//! Each attempt is told first, comes after its pause and does what the policy says.

use super::{RETRY, call_started, recovered, said, scheduled, started};
use crate::CheckVerdict::{Fail, Pass};
use farcall_scenario::{Recovery, RecoveryStrategy};
use farcall_timeline::{Event, RecoveryEvent};

#[test]
fn an_attempt_without_the_guides_line_fails() {
    let mut sample = recovered();
    sample.remove(|entry| entry.event == said(RETRY));
    assert_eq!(sample.check("recovery/log").verdict, Fail);
    let mut sample = recovered();
    sample.change(|event| {
        if *event == said(RETRY) {
            *event = said("Connection failed. Retrying... (2/3)");
        }
    });
    assert_eq!(sample.check("recovery/log").verdict, Fail);
}

#[test]
fn one_peer_may_tell_of_the_first_attempt_and_the_other_of_the_second() {
    const SECOND: &str = "Connection failed. Retrying... (2/3)";
    for (first, second) in [("bob", "alice"), ("alice", "bob")] {
        let mut sample = recovered();
        let expected = sample.declared.expect.recovery.as_mut().unwrap();
        expected.attempts = 2;
        sample.remove(|entry| entry.event == said(RETRY));
        sample.remove(|entry| entry.event == started(1));
        sample.add(7_450.0, first, said(RETRY));
        sample.add(7_500.0, first, started(1));
        sample.add(7_700.0, second, said(SECOND));
        sample.add(7_800.0, second, started(2));
        let check = sample.check("recovery/log");
        assert_eq!(check.verdict, Pass, "{check:?}");
    }
    let mut sample = recovered();
    sample.declared.expect.recovery.as_mut().unwrap().attempts = 2;
    sample.add(6_540.0, "bob", said(SECOND));
    sample.add(7_800.0, "bob", started(2));
    assert_eq!(sample.check("recovery/log").verdict, Fail);
}

#[test]
fn a_line_after_its_attempt_or_of_another_count_fails() {
    let mut sample = recovered();
    sample.remove(|entry| entry.event == said(RETRY));
    sample.add(7_700.0, "alice", said(RETRY));
    assert_eq!(sample.check("recovery/log").verdict, Fail);
    let mut sample = recovered();
    sample.change(|event| {
        if *event == said(RETRY) {
            *event = said("Connection failed. Retrying... (1/7)");
        }
    });
    let check = sample.check("recovery/log");
    assert_eq!(check.verdict, Fail, "{check:?}");
    assert!(check.evidence[0].contains("not so many"), "{check:?}");
}

#[test]
fn the_count_begins_anew_after_both_have_recovered() {
    const SECOND: &str = "Connection failed. Retrying... (2/3)";
    for (line, number, verdict) in [(RETRY, 1, Pass), (SECOND, 2, Fail)] {
        let mut sample = recovered();
        for peer in ["alice", "bob"] {
            let recovered = RecoveryEvent::Recovered { attempts: 1 };
            sample.add(8_000.0, peer, Event::Recovery(recovered));
        }
        sample.add(8_200.0, "alice", said(line));
        sample.add(9_300.0, "alice", started(number));
        let check = sample.check("recovery/log");
        assert_eq!(check.verdict, verdict, "{check:?}");
    }
}

#[test]
fn an_attempt_before_its_pause_is_over_fails() {
    assert_eq!(recovered().check("recovery/pauses").verdict, Pass);
    let with = |attempt: u32, delay_ms: f64, change: fn(&mut Recovery)| {
        let mut sample = recovered();
        change(sample.declared.call.recovery.as_mut().unwrap());
        sample.change(|event| {
            if let Event::Recovery(step) = event {
                match step {
                    RecoveryEvent::Scheduled {
                        attempt: number,
                        delay_ms: found_ms,
                        ..
                    } => (*number, *found_ms) = (attempt, delay_ms),
                    RecoveryEvent::Started {
                        attempt: number, ..
                    } => *number = attempt,
                    _ => {}
                }
            }
        });
        sample.check("recovery/pauses")
    };
    let as_it_is = |_: &mut Recovery| {};
    // No pause, one that is too long, and one that is not kept.
    for delay_ms in [0.0, 1_200.0, 1_700.0] {
        let check = with(1, delay_ms, as_it_is);
        assert_eq!(check.verdict, Fail, "{delay_ms}: {check:?}");
    }
    // Jitter makes pauses longer, and backoff those before further attempts.
    let jitter = |policy: &mut Recovery| policy.jitter = 0.5;
    assert_eq!(with(1, 1_200.0, jitter).verdict, Pass);
    assert_eq!(with(1, 1_700.0, jitter).verdict, Fail);
    let backoff = |policy: &mut Recovery| (policy.retry_delay_ms, policy.backoff) = (500, 2.0);
    assert_eq!(with(1, 1_000.0, backoff).verdict, Fail);
    assert_eq!(with(2, 1_000.0, backoff).verdict, Pass);
    let longest = |policy: &mut Recovery| {
        (policy.backoff, policy.max_retry_delay_ms) = (10.0, 1_000);
    };
    assert_eq!(with(2, 1_000.0, longest).verdict, Pass);

    let mut sample = recovered();
    sample.remove(|entry| entry.event == scheduled(1, 999.0));
    let check = sample.check("recovery/pauses");
    assert_eq!(check.verdict, Fail, "{check:?}");
}

#[test]
fn an_attempt_that_does_something_else_than_the_policy_says_fails() {
    use RecoveryStrategy::{IceRestart, Reset, ResetRelayed};

    let check = |strategies: &[RecoveryStrategy], said: &str, connections: &[&str]| {
        let mut sample = recovered();
        sample.declared.call.recovery.as_mut().unwrap().strategies = strategies.to_vec();
        sample.remove(|entry| entry.event == call_started("all") && entry.at_ms > 7_000.0);
        sample.change(|event| {
            if let Event::Recovery(RecoveryEvent::Started { strategy, .. }) = event {
                *strategy = said.to_owned();
            }
        });
        sample.add(4_050.0, "alice", call_started("all"));
        for policy in connections {
            sample.add(7_551.0, "alice", call_started(policy));
        }
        sample.check("recovery/strategies")
    };
    for (strategies, said, connections, verdict) in [
        (&[Reset][..], "reset", &["all"][..], Pass),
        // It says so and makes no new connection.
        (&[Reset], "reset", &[], Fail),
        (&[IceRestart], "reset", &["all"], Fail),
        (&[IceRestart], "ice-restart", &[], Pass),
        (&[IceRestart], "ice-restart", &["all"], Fail),
        (&[ResetRelayed], "reset-relayed", &["relay"], Pass),
        (&[ResetRelayed], "reset-relayed", &["all"], Fail),
        (&[Reset, IceRestart], "reset", &["all"], Pass),
        (&[IceRestart, Reset], "reset", &["all"], Fail),
    ] {
        let check = check(strategies, said, connections);
        assert_eq!(
            check.verdict, verdict,
            "{strategies:?} {said} {connections:?}: {check:?}"
        );
    }

    let mut sample = recovered();
    sample.declared.call.recovery.as_mut().unwrap().max_attempts = 4;
    assert_eq!(sample.check("recovery/strategies").verdict, Fail);
}
