//! Runs in Chrome's trace event format, for Perfetto and chrome://tracing: a process for each node, a track for each
//! thing that goes on at it.
//!
//! The format is that of "Trace Event Format" by the Chromium authors: `X` is a slice with a duration, `i` a moment,
//! `C` a counter, `M` the name of a process or track. Times are microseconds.

mod event;

use crate::StoredRun;
use crate::flow::{Direction, flows};
use crate::place::nodes;
use crate::words::{Kind, fault_in_words, in_words};
use event::{TraceEvent, Tracks};
use farcall_timeline::{Entry, Event, FaultEdge, RecoveryEvent};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

/// Writes runs as one trace. The time of each begins at the same zero where several are compared.
pub(crate) fn trace(runs: &[&StoredRun], out: &mut dyn Write) -> std::io::Result<()> {
    let mut events = Vec::new();
    let mut next_process = 1;
    for run in runs {
        let prefix = match runs {
            [_] => String::new(),
            _ => format!(
                "{} with {}: ",
                run.result.scenario, run.result.ice_configuration
            ),
        };
        let mut tracks = Tracks::new(next_process, &nodes(run), &prefix);
        of_run(run, &mut tracks);
        next_process = tracks.next_process();
        events.extend(tracks.into_events());
    }
    let file = TraceFile {
        trace_events: events,
        display_time_unit: "ms",
    };
    serde_json::to_writer(&mut *out, &file)?;
    out.write_all(b"\n")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TraceFile {
    trace_events: Vec<TraceEvent>,
    display_time_unit: &'static str,
}

fn of_run(run: &StoredRun, tracks: &mut Tracks) {
    let entries = run.timeline.entries();
    let end_ms = entries.last().map_or(0.0, |entry| entry.at_ms);
    let mut open = Open::default();
    for entry in entries {
        let closed = open.take_over(entry);
        closed.into_iter().for_each(|slice| slice.write(tracks));
        if !is_slice(&entry.event) {
            let kind = Kind::of(&entry.event).name();
            tracks.moment(&entry.node, kind, entry.at_ms, &in_words(&entry.event));
        }
    }
    let rest = open.slices.into_values();
    for slice in rest {
        let until = Slice {
            until_ms: end_ms,
            ..slice
        };
        until.write(tracks);
    }
    for entry in entries {
        if let Event::RoundTrip { rtt_ms } = entry.event {
            tracks.counter(&entry.node, entry.at_ms, "round trip, ms", rtt_ms);
        }
    }
    for flow in flows(run) {
        let way = match flow.direction {
            Direction::Sent => "sent",
            Direction::Received => "received",
        };
        for point in &flow.points {
            let name = format!("{} {way}, kbit/s", flow.kind);
            tracks.counter(&flow.peer, point.at_ms, &name, point.kbit_per_s);
        }
    }
}

/// Whether an event is shown as the beginning or end of a slice alone.
fn is_slice(event: &Event) -> bool {
    matches!(
        event,
        Event::PhaseStarted { .. }
            | Event::PhaseEnded { .. }
            | Event::State(_)
            | Event::Fault(_)
            | Event::Recovery(RecoveryEvent::Started { .. })
            | Event::Media { .. }
            | Event::Data { .. }
            | Event::RoundTrip { .. }
    )
}

/// Something that lasted.
struct Slice {
    node: String,
    track: String,
    name: String,
    from_ms: f64,
    until_ms: f64,
}

impl Slice {
    fn write(self, tracks: &mut Tracks) {
        tracks.slice(
            &self.node,
            &self.track,
            self.from_ms,
            self.until_ms,
            &self.name,
        );
    }
}

/// What has begun and not ended, by node and track.
#[derive(Default)]
struct Open {
    slices: BTreeMap<(String, String), Slice>,
}

impl Open {
    /// Begins and ends slices by an event; gives what ended.
    fn take_over(&mut self, entry: &Entry) -> Option<Slice> {
        let at_ms = entry.at_ms;
        let begin = |track: String, name: String| Slice {
            node: entry.node.clone(),
            track,
            name,
            from_ms: at_ms,
            until_ms: at_ms,
        };
        match &entry.event {
            Event::PhaseStarted { phase } => self.begin(begin("phase".into(), phase.to_string())),
            Event::PhaseEnded { .. } => self.end(&entry.node, "phase", at_ms),
            Event::State(state) => {
                let track = format!("{} state", state.machine);
                self.begin(begin(track, state.state.clone()))
            }
            Event::Fault(fault) => {
                let track = format!("fault {}", fault.number);
                match fault.edge {
                    FaultEdge::Begun => self.begin(begin(track, fault.what.clone())),
                    FaultEdge::Mended => {
                        let ended = self.end(&entry.node, &track, at_ms);
                        ended.map(|slice| Slice {
                            name: fault_in_words(fault),
                            ..slice
                        })
                    }
                }
            }
            Event::Recovery(step) => match step {
                RecoveryEvent::Started { .. } => {
                    self.begin(begin("attempts".into(), step.to_string()))
                }
                RecoveryEvent::Ended { .. }
                | RecoveryEvent::Recovered { .. }
                | RecoveryEvent::GaveUp { .. } => self.end(&entry.node, "attempts", at_ms),
                RecoveryEvent::Scheduled { .. } => None,
            },
            _ => None,
        }
    }

    /// A slice ends the one before it on its track.
    fn begin(&mut self, slice: Slice) -> Option<Slice> {
        let from_ms = slice.from_ms;
        let key = (slice.node.clone(), slice.track.clone());
        let before = self.slices.insert(key, slice);
        before.map(|slice| Slice {
            until_ms: from_ms,
            ..slice
        })
    }

    fn end(&mut self, node: &str, track: &str, until_ms: f64) -> Option<Slice> {
        let slice = self.slices.remove(&(node.to_owned(), track.to_owned()))?;
        Some(Slice { until_ms, ..slice })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::stored::tests::{about, stored};
    use farcall_timeline::FaultEvent;
    use farcall_verdict::sample::Sample;
    use serde_json::Value;

    fn render(samples: &[Sample]) -> Vec<Value> {
        let out = tempfile::tempdir().unwrap();
        let runs = samples.iter().map(|sample| stored(&out, &about(), sample));
        let runs: Vec<StoredRun> = runs.collect();
        let mut bytes = Vec::new();
        trace(&runs.iter().collect::<Vec<_>>(), &mut bytes).unwrap();
        let file: Value = serde_json::from_slice(&bytes).unwrap();
        file["traceEvents"].as_array().unwrap().clone()
    }

    fn with_a_fault() -> Sample {
        let mut sample = Sample::good();
        for (at_ms, edge) in [(7_000.0, FaultEdge::Begun), (7_500.0, FaultEdge::Mended)] {
            let fault = FaultEvent {
                number: 1,
                what: "link-down at office".into(),
                edge,
                late_ms: Some(0.0),
                dropped_packets: Some(9),
                crossed: None,
            };
            sample.add(at_ms, "harness", Event::Fault(fault));
        }
        sample
    }

    fn find<'a>(events: &'a [Value], name: &str) -> &'a Value {
        let mut found = events.iter().filter(|event| event["name"] == name);
        found.next().unwrap_or_else(|| panic!("no {name}"))
    }

    #[test]
    fn every_node_is_a_process_and_what_lasts_is_a_slice() {
        let events = render(&[with_a_fault()]);
        let processes = events
            .iter()
            .filter(|event| event["name"] == "process_name");
        let names: Vec<&str> = processes
            .map(|event| event["args"]["name"].as_str().unwrap())
            .collect();
        for node in ["alice", "bob", "office-gateway", "turn", "harness"] {
            assert!(names.contains(&node), "{names:?}");
        }
        let call = find(&events, "call");
        assert_eq!(
            (&call["ph"], &call["ts"], &call["dur"]),
            (&"X".into(), &4e6.into(), &6e6.into())
        );
        let fault = find(&events, "link-down at office is mended, 9 dropped");
        assert_eq!((&fault["ts"], &fault["dur"]), (&7e6.into(), &5e5.into()));
    }

    /// What the readers of the format reject or misplace.
    #[test]
    fn every_event_is_of_a_named_track_and_slices_of_one_track_do_not_overlap() {
        let events = render(&[with_a_fault(), Sample::not_connected()]);
        let mut named = std::collections::BTreeSet::new();
        let mut ends: BTreeMap<(u64, u64), f64> = BTreeMap::new();
        let mut slices: Vec<_> = events.iter().filter(|event| event["ph"] == "X").collect();
        slices.sort_by(|a, b| {
            a["ts"]
                .as_f64()
                .unwrap()
                .total_cmp(&b["ts"].as_f64().unwrap())
        });
        for event in &events {
            let track = (
                event["pid"].as_u64().unwrap(),
                event["tid"].as_u64().unwrap(),
            );
            match event["ph"].as_str().unwrap() {
                "M" => assert!(event["args"].is_object()),
                "X" => assert!(event["dur"].as_f64().unwrap() >= 0.0),
                "i" => assert_eq!(event["s"], "t"),
                "C" => assert!(
                    event["args"]
                        .as_object()
                        .unwrap()
                        .values()
                        .all(Value::is_number)
                ),
                other => panic!("{other}"),
            }
            if event["name"] == "thread_name" {
                assert!(named.insert(track), "{track:?} is named twice");
            } else if matches!(event["ph"].as_str(), Some("X" | "i")) {
                assert!(named.contains(&track), "{event} is before its track's name");
            }
        }
        for slice in slices {
            let track = (
                slice["pid"].as_u64().unwrap(),
                slice["tid"].as_u64().unwrap(),
            );
            let from = slice["ts"].as_f64().unwrap();
            let end = ends.entry(track).or_default();
            assert!(*end <= from, "{slice}");
            *end = from + slice["dur"].as_f64().unwrap();
        }
    }
}
