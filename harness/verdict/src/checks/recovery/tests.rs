#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use crate::CheckVerdict::{Fail, Invalid, Pass};
use crate::sample::Sample;
use crate::{Figures, Verdict};
use farcall_plan::ExpectedFault;
use farcall_scenario::{ExpectedRecovery, FaultKind, MediaQuality};
use farcall_timeline::{Event, FaultEdge, FaultEvent, Level, MediaKind, MediaStats, RecoveryEvent};

const RETRY: &str = "Connection failed. Retrying... (1/3)";

fn fault(edge: FaultEdge, dropped_packets: Option<u64>) -> Event {
    Event::Fault(FaultEvent {
        number: 1,
        what: "link-down at office".to_owned(),
        edge,
        late_ms: Some(3.0),
        dropped_packets,
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

fn said(message: &str) -> Event {
    Event::Log {
        level: Level::Info,
        target: "farcall_agent".to_owned(),
        message: message.to_owned(),
    }
}

/// A call whose link is down from 7 to 7.5 s, and that is connected again at 8 s after one attempt of alice.
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
    }];
    sample.add(7_000.0, "harness", fault(FaultEdge::Begun, None));
    sample.add(7_500.0, "harness", fault(FaultEdge::Mended, Some(40)));
    sample.add(7_450.0, "alice", said(RETRY));
    sample.add(7_600.0, "alice", started(1));
    for peer in ["alice", "bob"] {
        sample.add_state(7_400.0, peer, "connection", "failed");
        sample.add_state(8_000.0, peer, "connection", "connected");
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
    assert_eq!(outcome.observed, "both connected again after 1000 ms");
    let figures = Figures::of(&recovered().timeline(), &recovered().declared);
    assert_eq!(figures.recovered_after_ms, Some(1_000.0));
    assert_eq!(figures.attempts, Some(1));
}

#[test]
fn a_fault_that_dropped_nothing_is_no_fault() {
    let mut sample = recovered();
    sample.change(|event| {
        if let Event::Fault(fault) = event {
            fault.dropped_packets = fault.dropped_packets.map(|_| 0);
        }
    });
    assert_eq!(sample.check("faults/1").verdict, Invalid);
    assert_eq!(sample.judge().verdict, Verdict::Invalid);
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
        sample.add(7_450.0, first, said(RETRY));
        sample.add(7_700.0, second, said(SECOND));
        sample.add(7_800.0, second, started(2));
        let check = sample.check("recovery/log");
        assert_eq!(check.verdict, Pass, "{check:?}");
    }
    let mut sample = recovered();
    sample.declared.expect.recovery.as_mut().unwrap().attempts = 2;
    sample.add(7_440.0, "bob", said(SECOND));
    sample.add(7_800.0, "bob", started(2));
    assert_eq!(sample.check("recovery/log").verdict, Fail);
}

#[test]
fn a_late_recovery_fails() {
    let mut sample = recovered();
    let expected = sample.declared.expect.recovery.as_mut().unwrap();
    expected.within_ms = 999;
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
    let expected = sample.declared.expect.recovery.as_mut().unwrap();
    expected.within_ms = 1_900;
    assert_eq!(sample.check("recovery/outcome").verdict, Fail);
}
