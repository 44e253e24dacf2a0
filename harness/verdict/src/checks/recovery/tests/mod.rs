//! What is judged of faults and of the recovery from them.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod faults;
mod policy;

use crate::CheckVerdict::{Fail, Pass, Skipped};
use crate::sample::Sample;
use crate::{Figures, Verdict};
use farcall_plan::ExpectedFault;
use farcall_scenario::{ExpectedRecovery, FaultKind, MediaQuality, Recovery};
use farcall_timeline::{Event, FaultEdge, FaultEvent, Level, MediaKind, MediaStats, RecoveryEvent};

const RETRY: &str = "Connection failed. Retrying... (1/3)";

fn fault(edge: FaultEdge, dropped_packets: Option<u64>) -> Event {
    Event::Fault(FaultEvent {
        number: 1,
        what: "link-down at office".to_owned(),
        edge,
        late_ms: Some(3.0),
        dropped_packets,
        crossed: None,
    })
}

fn started(attempt: u32) -> Event {
    Event::Recovery(RecoveryEvent::Started {
        attempt,
        of: 3,
        trigger: "failed".to_owned(),
        strategy: "reset".to_owned(),
    })
}

fn scheduled(attempt: u32, delay_ms: f64) -> Event {
    Event::Recovery(RecoveryEvent::Scheduled {
        attempt,
        of: 3,
        trigger: "failed".to_owned(),
        delay_ms,
    })
}

fn call_started(policy: &str) -> Event {
    Event::CallStarted {
        configuration: "production".to_owned(),
        policy: policy.to_owned(),
    }
}

fn said(message: &str) -> Event {
    Event::Log {
        level: Level::Info,
        target: "farcall_agent".to_owned(),
        message: message.to_owned(),
    }
}

/// A call whose link is down from 6 to 7.4 s, and that is connected again at 8 s after one attempt of alice.
fn recovered() -> Sample {
    let mut sample = Sample::good();
    let expect = &mut sample.declared.expect;
    expect.recovery = Some(ExpectedRecovery {
        recovers: true,
        attempts: 1,
        within_ms: 3_000,
    });
    expect.faults = vec![ExpectedFault {
        what: "link-down at office".to_owned(),
        drops: true,
        kind: FaultKind::LinkDown,
        target: "office".to_owned(),
        least_delay: None,
    }];
    sample.add(6_000.0, "harness", fault(FaultEdge::Begun, None));
    sample.add(7_400.0, "harness", fault(FaultEdge::Mended, Some(40)));
    sample.declared.call.recovery = Some(Recovery {
        retry_delay_ms: 1_000,
        ..Recovery::default()
    });
    sample.add(6_550.0, "alice", said(RETRY));
    sample.add(6_551.0, "alice", scheduled(1, 999.0));
    sample.add(7_550.0, "alice", started(1));
    sample.add(7_551.0, "alice", call_started("all"));
    for peer in ["alice", "bob"] {
        sample.add_state(6_500.0, peer, "connection", "failed");
        sample.add_state(8_000.0, peer, "connection", "connected");
        sample.add_state(5_000.0, peer, "recovery", "connected");
        sample.add_state(6_550.0, peer, "recovery", "retrying");
        sample.add_state(8_001.0, peer, "recovery", "connected");
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let last = sample.timeline();
            let mut last = last.of(peer).filter_map(|event| match event {
                Event::Media { kind: of, stats } if *of == kind => Some(stats.clone()),
                _ => None,
            });
            let stats = MediaStats {
                frames_sent: 1,
                frames_intact: 1,
                ..last.next_back().unwrap()
            };
            sample.add(8_100.0, peer, Event::Media { kind, stats });
        }
    }
    sample
}

#[test]
fn a_recovery_as_expected_passes_every_check() {
    let judgement = recovered().judge();
    let bad: Vec<_> = judgement
        .checks
        .iter()
        .filter(|check| check.verdict != Pass)
        .collect();
    assert_eq!(judgement.verdict, Verdict::Pass, "{bad:#?}");
    let outcome = recovered().check("recovery/outcome");
    assert_eq!(outcome.observed, "both connected again after 2000 ms");
    let figures = Figures::of(&recovered().timeline(), &recovered().declared);
    assert_eq!(figures.recovered_after_ms, Some(2_000.0));
    assert_eq!(figures.attempts, Some(1));
}

#[test]
fn more_attempts_than_expected_fail() {
    let mut sample = recovered();
    sample.add(7_700.0, "bob", started(2));
    let check = sample.check("recovery/attempts");
    assert_eq!((check.verdict, &*check.observed), (Fail, "2 attempts"));
}

#[test]
fn no_attempt_where_one_is_expected_fails() {
    let mut sample = recovered();
    sample.remove(|entry| matches!(entry.event, Event::Recovery(_)));
    assert_eq!(sample.check("recovery/attempts").verdict, Fail);
}

#[test]
fn a_late_recovery_fails() {
    let mut sample = recovered();
    let expected = sample.declared.expect.recovery.as_mut().unwrap();
    expected.within_ms = 1_999;
    assert_eq!(sample.check("recovery/outcome").verdict, Fail);
}

#[test]
fn a_peer_that_stays_disconnected_has_not_recovered() {
    let mut sample = recovered();
    sample.add_state(8_500.0, "bob", "connection", "disconnected");
    let check = sample.check("recovery/outcome");
    assert_eq!(check.observed, "not both connected in the end");
    assert_eq!(check.verdict, Fail);
}

#[test]
fn media_that_do_not_flow_again_fail() {
    let mut sample = recovered();
    sample.change_of("bob", |event| {
        if let Event::Media {
            kind: MediaKind::Video,
            stats,
        } = event
        {
            stats.frames_intact = 1;
        }
    });
    let failed = sample.check("recovery/media/video/alice-to-bob");
    assert_eq!(failed.verdict, Fail, "{failed:?}");
    let other_way = sample.check("recovery/media/video/bob-to-alice");
    assert_eq!(other_way.verdict, Pass, "{other_way:?}");
}

#[test]
fn media_that_come_twice_fail_unless_the_link_may_repeat_them() {
    for (media, verdict) in [(MediaQuality::Good, Fail), (MediaQuality::Degraded, Pass)] {
        let mut sample = recovered();
        sample.declared.expect.media = media;
        sample.change_of("bob", |event| {
            if let Event::Media {
                kind: MediaKind::Video,
                stats,
            } = event
            {
                stats.frames_duplicate = stats.frames_intact;
            }
        });
        let check = sample.check("recovery/media/video/alice-to-bob");
        assert_eq!(check.verdict, verdict, "{check:?}");
        let other_way = sample.check("recovery/media/video/bob-to-alice");
        assert_eq!(other_way.verdict, Pass, "{other_way:?}");
    }
}

#[test]
fn giving_up_is_judged_by_both_peers_and_their_time() {
    let mut sample = recovered();
    sample.declared.expect.recovery = Some(ExpectedRecovery {
        recovers: false,
        attempts: 1,
        within_ms: 5_000,
    });
    assert_eq!(sample.check("recovery/outcome").verdict, Fail);
    for peer in ["alice", "bob"] {
        let gave_up = RecoveryEvent::GaveUp {
            attempts: 1,
            trigger: "failed".to_owned(),
        };
        sample.add(9_000.0, peer, Event::Recovery(gave_up));
    }
    assert_eq!(sample.check("recovery/outcome").verdict, Pass);
    let mut late = sample.clone();
    late.declared.expect.recovery.as_mut().unwrap().within_ms = 2_900;
    assert_eq!(late.check("recovery/outcome").verdict, Fail);
    // After fewer attempts than there are.
    sample.change_of("bob", |event| {
        if let Event::Recovery(RecoveryEvent::GaveUp { attempts, .. }) = event {
            *attempts = 0;
        }
    });
    assert_eq!(sample.check("recovery/outcome").verdict, Fail);
}

#[test]
fn a_client_that_gave_up_is_failed_in_the_end_and_one_that_did_not_is_connected() {
    let mut sample = recovered();
    assert_eq!(sample.check("recovery/final-state").verdict, Pass);
    let mut hopeless = recovered();
    hopeless.declared.expect.recovery.as_mut().unwrap().recovers = false;
    let check = hopeless.check("recovery/final-state");
    assert_eq!(check.verdict, Fail);
    assert_eq!(check.observed, "alice connected, bob connected");
    for peer in ["alice", "bob"] {
        hopeless.add_state(9_000.0, peer, "recovery", "failed");
    }
    assert_eq!(hopeless.check("recovery/final-state").verdict, Pass);
    sample.add_state(9_000.0, "bob", "recovery", "retrying");
    let check = sample.check("recovery/final-state");
    assert_eq!(check.verdict, Fail);
    assert_eq!(check.observed, "alice connected, bob retrying");
    sample
        .remove(|entry| matches!(&entry.event, Event::State(state) if state.machine == "recovery"));
    assert_eq!(sample.check("recovery/final-state").verdict, Skipped);
}

#[test]
fn it_is_told_when_it_was_noticed_and_for_how_long_media_stood_still() {
    let mut sample = recovered();
    let outcome = sample.check("recovery/outcome");
    let noticed = "alice noticed 500 ms after the first fault: failed";
    assert!(
        outcome.evidence.contains(&noticed.to_owned()),
        "{outcome:?}"
    );
    let timeline = sample.timeline();
    let mut any = timeline.of("alice").filter_map(|event| match event {
        Event::Media { stats, .. } => Some(stats.clone()),
        _ => None,
    });
    let any = any.next().unwrap();
    let totals = |frames_sent, frames_intact| MediaStats {
        frames_sent,
        frames_intact,
        frames_silent: 0,
        ..any.clone()
    };
    sample.remove(|entry| matches!(entry.event, Event::Media { .. }));
    for (at_ms, alice, bob) in [
        (5_000.0, (10, 0), (0, 10)),
        (5_900.0, (20, 0), (0, 20)),
        (6_900.0, (30, 0), (0, 20)),
        (8_100.0, (1, 0), (0, 1)),
        (9_000.0, (11, 0), (0, 11)),
    ] {
        for (peer, (sent, intact)) in [("alice", alice), ("bob", bob)] {
            let (kind, stats) = (MediaKind::Video, totals(sent, intact));
            sample.add(at_ms, peer, Event::Media { kind, stats });
        }
    }
    sample.add(7_551.0, "bob", call_started("all"));
    let check = sample.check("recovery/media/video/alice-to-bob");
    assert_eq!(
        check.evidence,
        [
            "bob received video until 5900 ms and again at 8100 ms, 2100 ms after the first fault; alice sent 10 frames meanwhile"
        ]
    );
}
