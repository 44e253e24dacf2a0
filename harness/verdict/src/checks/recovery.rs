//! What broke in the call took effect, and the peers made of it what is expected.

use super::media::{MIN_ARRIVED_DEGRADED_PERCENT, MIN_ARRIVED_PERCENT};
use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_plan::ExpectedFault;
use farcall_scenario::{ExpectedRecovery, MediaQuality};
use farcall_timeline::{Event, FaultEdge, FaultEvent, MediaKind, MediaStats, RecoveryEvent};
use std::collections::BTreeSet;

/// Every fault took effect: what drops packets has dropped some.
pub(crate) fn faults(case: &Case<'_>) -> Vec<Check> {
    let faults = case.declared.expect.faults.iter().enumerate();
    faults
        .map(|(index, fault)| took_effect(case, index + 1, fault))
        .collect()
}

fn took_effect(case: &Case<'_>, number: usize, fault: &ExpectedFault) -> Check {
    let edges: Vec<(f64, &FaultEvent)> = of_fault(case, number).collect();
    let name = format!("faults/{number}");
    let expected = match fault.drops {
        true => format!("{} drops packets", fault.what),
        false => format!("{} happens", fault.what),
    };
    let find = |edge| edges.iter().find(|(_, event)| event.edge == edge);
    let (Some((begun_ms, begun)), Some((mended_ms, mended))) =
        (find(FaultEdge::Begun), find(FaultEdge::Mended))
    else {
        // The first is due whatever the peers do; another may wait for what they never did.
        let verdict = match number {
            1 => CheckVerdict::Invalid,
            _ => CheckVerdict::Skipped,
        };
        return Check::new(name, verdict, expected, "its moment never came");
    };
    let evidence = format!(
        "from {begun_ms:.0} ms ({:.0} ms late) to {mended_ms:.0} ms ({:.0} ms late)",
        begun.late_ms, mended.late_ms
    );
    let (verdict, observed) = match (fault.drops, mended.dropped_packets) {
        (false, _) => (CheckVerdict::Pass, "it happened".to_owned()),
        (true, Some(packets @ 1..)) => (CheckVerdict::Pass, format!("{packets} packets dropped")),
        (true, _) => (CheckVerdict::Invalid, "no packet dropped".to_owned()),
    };
    Check::new(name, verdict, expected, observed).with_evidence([evidence])
}

/// As many attempts as expected, and each told as the guide has it.
pub(crate) fn attempts(case: &Case<'_>) -> Vec<Check> {
    let Some(expected) = &case.declared.expect.recovery else {
        return Vec::new();
    };
    let made = numbers_of_attempts(case);
    let most = attempts_made(case);
    let is_right = most == expected.attempts && made.iter().copied().eq(1..=most);
    let evidence =
        steps(case).map(|(peer, at_ms, step)| format!("{peer} at {at_ms:.0} ms: {step}"));
    let attempts = Check::new(
        "recovery/attempts",
        pass_if(is_right),
        count(expected.attempts),
        count(most),
    );
    vec![attempts.with_evidence(evidence), log_lines(case, most)]
}

/// How many attempts were made: the number of the last.
pub(crate) fn attempts_made(case: &Case<'_>) -> u32 {
    numbers_of_attempts(case).last().copied().unwrap_or(0)
}

fn numbers_of_attempts(case: &Case<'_>) -> BTreeSet<u32> {
    let numbers = steps(case).filter_map(|(_, _, step)| match step {
        RecoveryEvent::Started { attempt, .. } => Some(*attempt),
        _ => None,
    });
    numbers.collect()
}

/// The peers' logs tell of the attempts in the guide's words and in their order: `Connection failed. Retrying... (1/3)`.
fn log_lines(case: &Case<'_>, attempts: u32) -> Check {
    let mut told = BTreeSet::new();
    let mut in_order = true;
    let mut evidence = Vec::new();
    for peer in &case.peers {
        let mut last = 0;
        for (at_ms, event) in case.of(peer) {
            match event {
                Event::Log { message, .. } => {
                    if let Some(number) = retrying(message) {
                        in_order &= number == last + 1 || told.contains(&(number - 1));
                        last = number;
                        told.insert(number);
                        evidence.push(format!("{peer} at {at_ms:.0} ms: {message}"));
                    }
                }
                Event::Recovery(RecoveryEvent::Recovered { .. }) => last = 0,
                _ => {}
            }
        }
    }
    let all = (1..=attempts).all(|number| told.contains(&number));
    let expected =
        "each attempt is told by a peer as `Connection failed. Retrying... (N/M)`, in order";
    let observed = format!("{} of {attempts} told", told.range(..=attempts).count());
    Check::new("recovery/log", pass_if(all && in_order), expected, observed).with_evidence(evidence)
}

/// The number in the guide's line.
fn retrying(message: &str) -> Option<u32> {
    let (_, rest) = message.split_once("Connection failed. Retrying... (")?;
    rest.split_once('/')?.0.parse().ok()
}

/// Both peers are connected again, or both have given up, in time.
pub(crate) fn outcome(case: &Case<'_>) -> Vec<Check> {
    let (Some(expected), Some(begun_ms)) = (&case.declared.expect.recovery, first_fault(case))
    else {
        return Vec::new();
    };
    let name = "recovery/outcome";
    let within = expected.within_ms;
    if expected.recovers {
        let again_ms = connected_again(case);
        let after_ms = again_ms.map(|again_ms| (again_ms - begun_ms).max(0.0));
        let in_time = after_ms.is_some_and(|after_ms| after_ms <= f64::from(within));
        let observed = match after_ms {
            None => "not both connected in the end".to_owned(),
            Some(0.0) => "the connection was never lost".to_owned(),
            Some(after_ms) => format!("both connected again after {after_ms:.0} ms"),
        };
        let expected = format!("both peers connected again within {within} ms of the first fault");
        return vec![Check::new(name, pass_if(in_time), expected, observed)];
    }
    let gave_up: Vec<Option<(f64, u32)>> =
        case.peers.iter().map(|peer| gave_up(case, peer)).collect();
    let in_time = gave_up
        .iter()
        .all(|gave_up| gave_up.is_some_and(|(at_ms, _)| at_ms - begun_ms <= f64::from(within)));
    let observed: Vec<String> = case
        .peers
        .iter()
        .zip(&gave_up)
        .map(|(peer, gave_up)| match gave_up {
            Some((at_ms, attempts)) => {
                format!(
                    "{peer} gave up after {:.0} ms and {}",
                    at_ms - begun_ms,
                    count(*attempts)
                )
            }
            None => format!("{peer} did not give up"),
        })
        .collect();
    let expected = format!("both peers give up within {within} ms of the first fault");
    vec![Check::new(
        name,
        pass_if(in_time),
        expected,
        observed.join(", "),
    )]
}

/// Audio and video flow again in both directions: of what is sent from then on as much arrives as in any call. The two
/// peers report about once a second, so the two spans differ by as much.
pub(crate) fn media_again(case: &Case<'_>) -> Vec<Check> {
    let is_expected = |expected: &ExpectedRecovery| expected.recovers;
    let expected = case.declared.expect.recovery.as_ref();
    let Some(again_ms) = expected
        .filter(|expected| is_expected(expected))
        .and_then(|_| connected_again(case))
    else {
        return Vec::new();
    };
    let percent = match case.declared.expect.media {
        MediaQuality::Good => MIN_ARRIVED_PERCENT,
        MediaQuality::Degraded => MIN_ARRIVED_DEGRADED_PERCENT,
    };
    // A link that is bad may deliver packets twice.
    let may_repeat = case.declared.expect.media == MediaQuality::Degraded;
    // What is mended at the call's end lets through what is sent again after it.
    let ended_ms = case.call_ended().map_or(f64::MAX, |(at_ms, _)| at_ms);
    let mut checks = Vec::new();
    for kind in [MediaKind::Audio, MediaKind::Video] {
        for (from, to) in case.directions() {
            let grown = |peer: &str, total: fn(&MediaStats) -> u64| {
                let reports = case.media_reports(peer, kind);
                let mut after = reports.filter(|(at_ms, _)| (again_ms..=ended_ms).contains(at_ms));
                let first = total(after.next()?.1);
                after
                    .next_back()
                    .map(|(_, last)| total(last).saturating_sub(first))
            };
            let sent = grown(from, |stats| stats.frames_sent);
            let intact = grown(to, |stats| stats.frames_intact + stats.frames_silent);
            let twice = grown(to, |stats| stats.frames_duplicate).unwrap_or(0);
            let flows = sent.zip(intact).is_some_and(|(sent, intact)| {
                intact > 0 && intact.saturating_mul(100) >= sent.saturating_mul(percent)
            });
            let observed = match sent.zip(intact) {
                None => "fewer than two reports since then".to_owned(),
                Some((sent, intact)) => {
                    format!("{intact} frames received, {twice} of them twice, {sent} sent")
                }
            };
            checks.push(Check::new(
                format!("recovery/media/{kind}/{from}-to-{to}"),
                pass_if(flows && (twice == 0 || may_repeat)),
                format!("at least {percent} % of the {kind} that {from} sends once both are connected again arrives at {to}, and once"),
                observed,
            ));
        }
    }
    checks
}

/// When the two peers were last both connected after not having been, if they are in the end: at the beginning of the
/// first fault if the connection was never lost.
pub(crate) fn connected_again(case: &Case<'_>) -> Option<f64> {
    let begun_ms = first_fault(case)?;
    let ended_ms = case.call_ended().map_or(f64::MAX, |(at_ms, _)| at_ms);
    let mut again_ms = begun_ms;
    for peer in &case.peers {
        let mut since = None;
        for (at_ms, event) in case.of(peer).iter().filter(|(at_ms, _)| *at_ms <= ended_ms) {
            match event {
                Event::CallStarted { .. } => since = None,
                Event::State(state) if state.machine == "connection" => {
                    since = match state.state.as_str() {
                        "connected" => since.or(Some(*at_ms)),
                        _ => None,
                    };
                }
                _ => {}
            }
        }
        again_ms = f64::max(again_ms, since?);
    }
    Some(again_ms)
}

fn gave_up(case: &Case<'_>, peer: &str) -> Option<(f64, u32)> {
    case.of(peer).iter().find_map(|(at_ms, event)| match event {
        Event::Recovery(RecoveryEvent::GaveUp { attempts, .. }) => Some((*at_ms, *attempts)),
        _ => None,
    })
}

pub(crate) fn first_fault(case: &Case<'_>) -> Option<f64> {
    of_fault(case, 1)
        .find(|(_, event)| event.edge == FaultEdge::Begun)
        .map(|(at_ms, _)| at_ms)
}

fn of_fault<'a>(case: &Case<'a>, number: usize) -> impl Iterator<Item = (f64, &'a FaultEvent)> {
    let wanted = u32::try_from(number).ok();
    let events: Vec<_> = case
        .all()
        .filter_map(|(_, at_ms, event)| match event {
            Event::Fault(fault) if Some(fault.number) == wanted => Some((at_ms, fault)),
            _ => None,
        })
        .collect();
    events.into_iter()
}

fn steps<'a>(case: &Case<'a>) -> impl Iterator<Item = (&'a str, f64, &'a RecoveryEvent)> {
    let mut steps: Vec<_> = case
        .all()
        .filter_map(|(peer, at_ms, event)| match event {
            Event::Recovery(step) => Some((peer, at_ms, step)),
            _ => None,
        })
        .collect();
    steps.sort_by(|left, right| left.1.total_cmp(&right.1));
    steps.into_iter()
}

fn count(attempts: u32) -> String {
    match attempts {
        0 => "no attempt".to_owned(),
        1 => "1 attempt".to_owned(),
        several => format!("{several} attempts"),
    }
}

fn pass_if(is_right: bool) -> CheckVerdict {
    match is_right {
        true => CheckVerdict::Pass,
        false => CheckVerdict::Fail,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use crate::CheckVerdict::{Fail, Invalid, Pass};
    use crate::sample::Sample;
    use crate::{Figures, Verdict};
    use farcall_plan::ExpectedFault;
    use farcall_scenario::{ExpectedRecovery, FaultKind, MediaQuality};
    use farcall_timeline::{
        Event, FaultEdge, FaultEvent, Level, MediaKind, MediaStats, RecoveryEvent,
    };

    const RETRY: &str = "Connection failed. Retrying... (1/3)";

    fn fault(edge: FaultEdge, dropped_packets: Option<u64>) -> Event {
        Event::Fault(FaultEvent {
            number: 1,
            what: "link-down at office".to_owned(),
            edge,
            late_ms: 3.0,
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
}
