//! The course of a call in which something breaks: faults, states, attempts and media on one time line.

use crate::StoredRun;
use crate::words::fault_in_words;
use farcall_timeline::{Entry, Event, MediaKind, MediaStats, RecoveryEvent, SignallingEvent};
use std::collections::BTreeMap;

/// What happened when, in seconds since the first peer began the call; nothing where nothing broke.
pub(super) fn lines(run: &StoredRun) -> Vec<String> {
    let entries = run.timeline.entries();
    let is_broken = |entry: &Entry| matches!(entry.event, Event::Fault(_) | Event::Recovery(_));
    let began = entries
        .iter()
        .find(|entry| matches!(entry.event, Event::CallStarted { .. }));
    let (true, Some(began)) = (entries.iter().any(is_broken), began) else {
        return Vec::new();
    };
    let peers = run.result.peers.keys().map(String::len);
    let width = peers.chain(["fault 1".len()]).max().unwrap_or(0);
    let ended = entries
        .iter()
        .find(|entry| matches!(entry.event, Event::CallEnded { .. }));
    let ended_ms = ended.map_or(f64::INFINITY, |entry| entry.at_ms);
    let mut media: BTreeMap<&str, Incoming> = BTreeMap::new();
    let mut lines = Vec::new();
    for entry in entries {
        // Peers that have stopped to send are no news.
        if matches!(entry.event, Event::Media { .. }) && entry.at_ms > ended_ms {
            continue;
        }
        let Some((who, what)) = told(entry, &mut media) else {
            continue;
        };
        let at_s = (entry.at_ms - began.at_ms) / 1e3;
        lines.push(format!("{at_s:>6.1} s  {who:width$}  {what}"));
    }
    lines
}

/// How media come in at a peer.
#[derive(Debug, Clone, Copy, Default)]
struct Incoming {
    audio: Flow,
    video: Flow,
    /// Whether audio, and whether video, flowed when that was told last.
    told: (bool, bool),
}

/// How a kind of media comes in.
#[derive(Debug, Clone, Copy, Default)]
struct Flow {
    frames: u64,
    is_flowing: bool,
}

impl Flow {
    fn take(&mut self, stats: &MediaStats) {
        let frames = stats.frames_intact + stats.frames_silent;
        *self = Self {
            frames,
            is_flowing: frames > self.frames,
        };
    }
}

/// Who and what, if the event belongs on the time line.
fn told<'a>(entry: &'a Entry, media: &mut BTreeMap<&'a str, Incoming>) -> Option<(String, String)> {
    let of_peer = |what: String| Some((entry.node.clone(), what));
    match &entry.event {
        Event::Fault(fault) => Some((format!("fault {}", fault.number), fault_in_words(fault))),
        // What else comes of an attempt is told by the next line.
        Event::Recovery(RecoveryEvent::Ended { outcome, .. }) if outcome != "replaced" => None,
        Event::Recovery(step) => of_peer(step.to_string()),
        Event::Signalling(SignallingEvent::Open { .. }) => of_peer("signalling is open".to_owned()),
        Event::Signalling(SignallingEvent::Failed { reason, .. }) => {
            of_peer(format!("signalling does not open: {reason}"))
        }
        Event::Signalling(SignallingEvent::Closed { reason }) => {
            of_peer(format!("signalling is lost: {reason}"))
        }
        Event::CallStarted { policy, .. } => {
            media.insert(&entry.node, Incoming::default());
            of_peer(match policy.as_str() {
                "relay" => "new connection, relay only".to_owned(),
                _ => "new connection".to_owned(),
            })
        }
        Event::State(state) if state.machine == "connection" => match state.state.as_str() {
            "connected" | "disconnected" | "failed" | "closed" => of_peer(state.state.clone()),
            _ => None,
        },
        Event::Media {
            kind: MediaKind::Audio,
            stats,
        } => {
            media.entry(&entry.node).or_default().audio.take(stats);
            None
        }
        // A peer tells of its video right after its audio.
        Event::Media {
            kind: MediaKind::Video,
            stats,
        } => {
            let incoming = media.entry(&entry.node).or_default();
            incoming.video.take(stats);
            let now = (incoming.audio.is_flowing, incoming.video.is_flowing);
            let before = std::mem::replace(&mut incoming.told, now);
            let words = match now {
                (true, true) => "receives media",
                (false, false) => "receives no more media",
                (true, false) => "receives audio, no video",
                (false, true) => "receives video, no audio",
            };
            (now != before).then(|| (entry.node.clone(), words.to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::stored::tests::{about, stored};
    use farcall_timeline::{FaultEdge, FaultEvent};
    use farcall_verdict::sample::Sample;

    /// A call with a fault, in which Bob tells at this time that nothing more has come in.
    fn nothing_more_at(at_ms: f64) -> Vec<String> {
        let mut sample = Sample::good();
        let fault = Event::Fault(FaultEvent {
            number: 1,
            what: "link-down at office".to_owned(),
            edge: FaultEdge::Begun,
            late_ms: None,
            dropped_packets: None,
            crossed: None,
        });
        let started = Event::CallStarted {
            configuration: "production".to_owned(),
            policy: "all".to_owned(),
        };
        sample.add(4_000.0, "bob", started);
        sample.add(6_400.0, "harness", fault);
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let stats = MediaStats::default();
            sample.add(at_ms, "bob", Event::Media { kind, stats });
        }
        let out = tempfile::tempdir().unwrap();
        lines(&stored(&out, &about(), &sample))
    }

    #[test]
    fn what_no_longer_comes_in_when_the_call_is_over_is_no_news() {
        let is_told = |lines: &[String]| lines.iter().any(|line| line.contains("no more media"));
        // The sample's call ends at 9,900 ms.
        let before = nothing_more_at(9_890.0);
        assert!(is_told(&before), "{before:#?}");
        let after = nothing_more_at(9_910.0);
        assert!(!is_told(&after), "{after:#?}");
    }
}
