#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use crate::CheckVerdict::{Fail, Invalid, Pass, Skipped};
use crate::sample::Sample;
use crate::{Figures, Verdict};
use farcall_plan::{ExpectedFault, LeastDelay};
use farcall_scenario::{ExpectedRecovery, FaultKind, MediaQuality, Recovery, RecoveryStrategy};
use farcall_timeline::{
    Crossed, Crossing, Event, FaultEdge, FaultEvent, Level, MediaKind, MediaStats, RecoveryEvent,
};

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

/// The link is changed to one whose packets take 250 ms and more up and 40 and more down.
fn changed(crossed: Option<Crossed>) -> Sample {
    let mut sample = recovered();
    let fault = &mut sample.declared.expect.faults[0];
    fault.drops = false;
    fault.least_delay = Some(LeastDelay {
        up_us: 250_000,
        down_us: 40_000,
    });
    sample.change(|event| {
        if let Event::Fault(fault) = event
            && fault.edge == FaultEdge::Mended
        {
            fault.crossed = crossed;
        }
    });
    sample
}

#[test]
fn a_changed_link_that_packets_cross_too_fast_or_not_at_all_was_not_changed() {
    let crossing = |packets, shortest_ms| Crossing {
        packets,
        shortest_ms,
    };
    let check = |up, down| changed(Some(Crossed { up, down })).check("faults/1");
    let (slow, as_slow) = (crossing(90, Some(250.0)), crossing(80, Some(41.5)));
    let right = check(slow, as_slow);
    assert_eq!(right.verdict, Pass, "{right:?}");
    assert_eq!(
        right.observed,
        "up 90 packets, the fastest in 250.0 ms; down 80 packets, the fastest in 41.5 ms"
    );
    assert_eq!(check(crossing(90, Some(249.0)), as_slow).verdict, Invalid);
    assert_eq!(check(slow, crossing(80, Some(39.0))).verdict, Invalid);
    assert_eq!(check(crossing(0, None), as_slow).verdict, Pass);
    assert_eq!(check(crossing(0, None), crossing(0, None)).verdict, Invalid);
    // A link that loses everything delays nothing.
    assert_eq!(check(crossing(90, None), as_slow).verdict, Pass);
    assert_eq!(changed(None).check("faults/1").verdict, Invalid);
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
