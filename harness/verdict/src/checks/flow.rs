//! What becomes of media, stage by stage: whether ICE is connected, then DTLS, whether media are sent, and whether they
//! arrive. It tells "connected but no media" from "not connected" and from "the sender is silent", for each direction
//! and kind.

use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_scenario::{ExpectedFlows, MediaQuality};
use farcall_timeline::{Event, FaultEdge, Flow, MediaKind};

const KINDS: [MediaKind; 3] = [MediaKind::Audio, MediaKind::Video, MediaKind::Data];

/// Of what is sent at least this much arrives where it flows, in percent. In a lab without a link all does but what is
/// under way at the end.
const FLOWS_PERCENT: u64 = 80;

/// Of what is dropped no more than this arrives, in percent: what slips through at a fault's very end.
const DROPPED_PERCENT: u64 = 2;

/// Peers report about once a second: what arrived before a fault is in the receiver's first report after this time.
const REPORTED_WITHIN_MS: f64 = 1_500.0;

/// What was seen of one direction and kind.
pub(super) struct Seen {
    pub flow: Flow,
    /// What speaks for it.
    pub evidence: Vec<String>,
}

impl Seen {
    /// It all, line by line.
    pub fn in_words(self) -> impl Iterator<Item = String> {
        [self.flow.to_string()].into_iter().chain(self.evidence)
    }
}

/// One check for each direction and kind, where the scenario says what must become of media.
pub(crate) fn flows(case: &Case<'_>) -> Vec<Check> {
    let expected = &case.declared.expect.flows;
    let directions = case.directions();
    let directions =
        directions.filter_map(|(from, to)| Some((from, to, expected.get(from).copied()?)));
    directions
        .flat_map(|(from, to, expected)| KINDS.map(|kind| check(case, from, to, kind, expected)))
        .collect()
}

fn check(case: &Case<'_>, from: &str, to: &str, kind: MediaKind, expected: ExpectedFlows) -> Check {
    let expected = match kind {
        MediaKind::Audio => expected.audio,
        MediaKind::Video => expected.video,
        MediaKind::Data => expected.data,
    };
    let seen = seen(case, from, to, kind);
    // What is lost is sent again, together with what came after it: where media need not be good, how much of the data
    // comes is left open (seen where large packets are dropped: from all to nothing).
    let is_open = kind == MediaKind::Data
        && case.declared.expect.media == MediaQuality::Degraded
        && expected == Flow::Flows
        && matches!(seen.flow, Flow::Partly | Flow::Dropped);
    let verdict = match seen.flow == expected {
        true => CheckVerdict::Pass,
        false if is_open => CheckVerdict::Skipped,
        false => CheckVerdict::Fail,
    };
    let name = format!("flow/{kind}/{from}-to-{to}");
    let expected = format!("{kind} of {from} to {to}: {expected}");
    Check::new(name, verdict, expected, seen.flow.to_string()).with_evidence(seen.evidence)
}

/// What becomes of one kind of media in one direction, from the beginning of the last fault on, by what the two peers
/// tell of their states, of what they sent and of what came.
pub(super) fn seen(case: &Case<'_>, from: &str, to: &str, kind: MediaKind) -> Seen {
    let ended_ms = case.ended_ms();
    let state = |peer, machine| case.state_at(peer, machine, ended_ms).unwrap_or("new");
    let had = |machine, states: &[&str]| {
        let peers = [from, to].into_iter();
        let mut had = peers.map(|peer| {
            let mut reached = states.iter();
            reached.any(|state| {
                case.first_state(peer, machine, state)
                    .is_some_and(|at_ms| at_ms <= ended_ms)
            })
        });
        had.all(|had| had)
    };
    let is_lost = [from, to]
        .iter()
        .any(|peer| matches!(state(peer, "ice-connection"), "disconnected" | "failed"));
    let counts = Counts::of(case, from, to, kind);
    let flow = if !had("ice-connection", &["connected", "completed"]) {
        Flow::NotConnected
    } else if is_lost {
        Flow::ConsentLost
    } else if !had("connection", &["connected"]) {
        Flow::NoDtls
    } else {
        counts.flow()
    };
    let states = [from, to].map(|peer| {
        let (ice, connection) = (state(peer, "ice-connection"), state(peer, "connection"));
        format!("{peer}: ice-connection {ice}, connection {connection}")
    });
    let evidence = [counts.in_words(from, to)].into_iter().chain(states);
    Seen {
        flow,
        evidence: evidence.chain(dropped(case)).collect(),
    }
}

/// What was sent and what came, in frames or messages.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    sent: u64,
    intact: u64,
    silent: u64,
}

impl Counts {
    fn of(case: &Case<'_>, from: &str, to: &str, kind: MediaKind) -> Self {
        let since_ms = last_fault(case).map_or(f64::MIN, |begun_ms| begun_ms + REPORTED_WITHIN_MS);
        match kind {
            MediaKind::Data => {
                let sent = |peer| {
                    let reports = case.data_reports(peer);
                    grown(
                        reports.map(|(at_ms, stats)| (at_ms, stats.messages_sent)),
                        since_ms,
                    )
                };
                let intact = |peer| {
                    let reports = case.data_reports(peer);
                    grown(
                        reports.map(|(at_ms, stats)| (at_ms, stats.messages_intact)),
                        since_ms,
                    )
                };
                Self {
                    sent: sent(from),
                    intact: intact(to),
                    silent: 0,
                }
            }
            MediaKind::Audio | MediaKind::Video => {
                let of = |peer, total: fn(&farcall_timeline::MediaStats) -> u64| {
                    let reports = case.media_reports(peer, kind);
                    grown(
                        reports.map(|(at_ms, stats)| (at_ms, total(stats))),
                        since_ms,
                    )
                };
                Self {
                    sent: of(from, |stats| stats.frames_sent),
                    intact: of(to, |stats| stats.frames_intact),
                    silent: of(to, |stats| stats.frames_silent),
                }
            }
        }
    }

    fn flow(self) -> Flow {
        let arrived = self.intact + self.silent;
        if self.sent == 0 {
            Flow::NotSent
        } else if arrived.saturating_mul(100) <= self.sent.saturating_mul(DROPPED_PERCENT) {
            Flow::Dropped
        } else if self.silent > self.intact {
            Flow::Silent
        } else if arrived.saturating_mul(100) >= self.sent.saturating_mul(FLOWS_PERCENT) {
            Flow::Flows
        } else {
            Flow::Partly
        }
    }

    fn in_words(self, from: &str, to: &str) -> String {
        let Self {
            sent,
            intact,
            silent,
        } = self;
        format!("{from} sent {sent}, of which {intact} came intact to {to} and {silent} as silence")
    }
}

/// By how much a total has grown since a time: by all of it where there is no such time.
fn grown(reports: impl Iterator<Item = (f64, u64)>, since_ms: f64) -> u64 {
    let (mut before, mut last) = (0, 0);
    let mut is_first = since_ms > f64::MIN;
    for (at_ms, total) in reports {
        if is_first && at_ms >= since_ms {
            (before, is_first) = (total, false);
        }
        last = total;
    }
    match is_first {
        // No report since.
        true => 0,
        false => last.saturating_sub(before),
    }
}

/// When the last fault began that did so in the middle of the call.
fn last_fault(case: &Case<'_>) -> Option<f64> {
    let connected = case
        .peers
        .iter()
        .filter_map(|peer| case.first_state(peer, "connection", "connected"));
    let connected_ms = connected.min_by(f64::total_cmp)?;
    let begun = case.all().filter_map(|(_, at_ms, event)| match event {
        Event::Fault(fault) if fault.edge == FaultEdge::Begun => Some(at_ms),
        _ => None,
    });
    let in_mid_call = begun.filter(|at_ms| *at_ms > connected_ms);
    in_mid_call.max_by(f64::total_cmp)
}

/// What faults dropped.
fn dropped(case: &Case<'_>) -> Vec<String> {
    let faults = case.all().filter_map(|(_, _, event)| match event {
        Event::Fault(fault) => Some((fault, fault.dropped_packets?)),
        _ => None,
    });
    faults
        .map(|(fault, packets)| {
            format!(
                "fault {}, {}: {packets} packets dropped",
                fault.number, fault.what
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::CheckVerdict::{Fail, Pass, Skipped};
    use crate::Verdict;
    use crate::sample::Sample;
    use farcall_scenario::ExpectedFlows;
    use farcall_scenario::MediaQuality;
    use farcall_timeline::{Event, FaultEdge, FaultEvent, Flow, MediaKind, MediaStats};

    const AUDIO: &str = "flow/audio/alice-to-bob";

    /// A good call of which it is said what becomes of alice's media: this of audio, and they flow else.
    fn expecting(audio: Flow) -> Sample {
        let mut sample = Sample::good();
        let alice = ExpectedFlows {
            audio,
            ..ExpectedFlows::default()
        };
        let flows = &mut sample.declared.expect.flows;
        flows.insert("alice".to_owned(), alice);
        flows.insert("bob".to_owned(), ExpectedFlows::default());
        sample
    }

    /// The check passes with what is expected, and fails by these words with anything else.
    fn only(change: impl Fn(&mut Sample), flow: Flow) {
        for expected in [
            Flow::Flows,
            Flow::Partly,
            Flow::Dropped,
            Flow::Silent,
            Flow::NotSent,
            Flow::ConsentLost,
            Flow::NoDtls,
            Flow::NotConnected,
        ] {
            let mut sample = expecting(expected);
            change(&mut sample);
            let check = sample.check(AUDIO);
            let verdict = if expected == flow { Pass } else { Fail };
            assert_eq!(check.verdict, verdict, "{expected:?}: {check:#?}");
            assert_eq!(check.observed, flow.to_string());
        }
    }

    fn received(sample: &mut Sample, intact: u64, silent: u64) {
        sample.change_of("bob", |event| {
            if let Event::Media {
                kind: MediaKind::Audio,
                stats,
            } = event
            {
                (stats.frames_intact, stats.frames_silent) = (intact, silent);
            }
        });
    }

    #[test]
    fn where_media_need_not_be_good_it_is_left_open_how_much_of_the_data_comes() {
        for (intact, media, verdict) in [
            (6, MediaQuality::Good, Fail),
            (6, MediaQuality::Degraded, Skipped),
            (0, MediaQuality::Degraded, Skipped),
            (0, MediaQuality::Good, Fail),
        ] {
            let mut sample = expecting(Flow::Flows);
            sample.declared.expect.media = media;
            sample.change_data("bob", |stats| stats.messages_intact = intact);
            let check = sample.check("flow/data/alice-to-bob");
            assert_eq!(check.verdict, verdict, "{check:#?}");
        }
    }

    #[test]
    fn each_stage_is_told_from_every_other() {
        only(|_| {}, Flow::Flows);
        only(|sample| received(sample, 60, 0), Flow::Partly);
        only(|sample| received(sample, 0, 0), Flow::Dropped);
        only(|sample| received(sample, 0, 149), Flow::Silent);
        only(
            |sample| {
                sample.change_of("alice", |event| {
                    if let Event::Media { stats, .. } = event {
                        stats.frames_sent = 0;
                    }
                });
            },
            Flow::NotSent,
        );
        only(
            |sample| sample.add_state(9_000.0, "bob", "ice-connection", "disconnected"),
            Flow::ConsentLost,
        );
        only(
            |sample| sample.remove_state("bob", "connection", "connected"),
            Flow::NoDtls,
        );
        only(
            |sample| {
                *sample = Sample {
                    declared: sample.declared.clone(),
                    ..Sample::not_connected()
                }
            },
            Flow::NotConnected,
        );
    }

    #[test]
    fn another_direction_or_kind_is_judged_by_itself() {
        let mut sample = expecting(Flow::Dropped);
        received(&mut sample, 0, 0);
        let judgement = sample.judge();
        assert_eq!(judgement.verdict, Verdict::Pass, "{judgement:#?}");
        for name in [
            "flow/video/alice-to-bob",
            "flow/audio/bob-to-alice",
            "flow/data/alice-to-bob",
        ] {
            assert_eq!(sample.check(name).observed, "flows");
        }
    }

    #[test]
    fn what_came_before_a_fault_does_not_count() {
        let mut sample = expecting(Flow::Dropped);
        let begun_ms = 7_000.0;
        sample.add(
            begun_ms,
            "harness",
            Event::Fault(FaultEvent {
                number: 1,
                what: "drop-rtp at office".to_owned(),
                edge: FaultEdge::Begun,
                late_ms: Some(0.0),
                dropped_packets: None,
                crossed: None,
            }),
        );
        sample.remove(|entry| entry.at_ms > begun_ms && matches!(entry.event, Event::Media { .. }));
        for (at_ms, sent) in [(8_600.0, 80), (9_600.0, 130)] {
            for peer in ["alice", "bob"] {
                let stats = MediaStats {
                    frames_sent: sent,
                    // As many as before the fault.
                    frames_intact: 70,
                    ..MediaStats::default()
                };
                let kind = MediaKind::Audio;
                sample.add(at_ms, peer, Event::Media { kind, stats });
            }
        }
        assert_eq!(sample.check(AUDIO).verdict, Pass);
    }
}
