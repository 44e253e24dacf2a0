//! What one node did when.

use crate::StoredRun;
use crate::words::{Kind, in_words};
use farcall_timeline::{Entry, Event, Level, RecoveryEvent};

/// How many marks a lane has at most; every event is in the log below.
const MOST_MARKS: usize = 500;

/// A node's lane.
pub(super) struct Lane {
    pub(super) node: String,
    pub(super) bars: Vec<Bar>,
    pub(super) marks: Vec<Mark>,
}

/// A state or a phase that lasted.
pub(super) struct Bar {
    pub(super) from_ms: f64,
    pub(super) until_ms: f64,
    pub(super) name: String,
    /// By which it is coloured.
    pub(super) class: String,
}

/// A moment.
pub(super) struct Mark {
    pub(super) at_ms: f64,
    pub(super) kind: Kind,
    pub(super) what: String,
    /// Of an attempt.
    pub(super) number: Option<u32>,
    pub(super) is_bad: bool,
}

impl Lane {
    pub(super) fn is_empty(&self) -> bool {
        self.bars.is_empty() && self.marks.is_empty()
    }
}

pub(super) fn lane(run: &StoredRun, node: &str) -> Lane {
    let entries = run.timeline.entries();
    let end_ms = entries.last().map_or(0.0, |entry| entry.at_ms);
    let own = || entries.iter().filter(|entry| entry.node == node);
    let marks = own().filter(|entry| is_marked(&entry.event)).map(mark);
    let mut marks: Vec<Mark> = marks.take(MOST_MARKS).collect();
    // Numbers are drawn last, so that nothing hides them.
    marks.sort_by_key(|mark| mark.number.is_some());
    Lane {
        node: node.to_owned(),
        bars: bars(own(), end_ms),
        marks,
    }
}

/// Phases and connection states, each to the next.
fn bars<'a>(own: impl Iterator<Item = &'a Entry>, end_ms: f64) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    let mut open: Option<Bar> = None;
    for entry in own {
        let next = match &entry.event {
            Event::PhaseStarted { phase } => Some((phase.to_string(), "phase".to_owned())),
            Event::PhaseEnded { .. } => None,
            Event::State(state) if state.machine == "connection" => {
                Some((state.state.clone(), format!("connection-{}", state.state)))
            }
            _ => continue,
        };
        let ended = open.take().map(|bar| Bar {
            until_ms: entry.at_ms,
            ..bar
        });
        bars.extend(ended);
        open = next.map(|(name, class)| Bar {
            from_ms: entry.at_ms,
            until_ms: end_ms,
            name,
            class,
        });
    }
    bars.extend(open);
    bars
}

/// Media are in the plots, measurements and checked pairs in their tables, and of logs only what went wrong is marked.
fn is_marked(event: &Event) -> bool {
    match event {
        Event::Log { level, .. } => matches!(level, Level::Error | Level::Warn),
        Event::Attested(measured) => !measured.holds,
        Event::Media { .. }
        | Event::Data { .. }
        | Event::RoundTrip { .. }
        | Event::CandidatePair(_)
        | Event::PhaseStarted { .. }
        | Event::PhaseEnded { .. }
        | Event::Resources { .. } => false,
        _ => true,
    }
}

fn mark(entry: &Entry) -> Mark {
    let number = match &entry.event {
        Event::Recovery(RecoveryEvent::Started { attempt, .. }) => Some(*attempt),
        _ => None,
    };
    Mark {
        at_ms: entry.at_ms,
        kind: Kind::of(&entry.event),
        what: in_words(&entry.event),
        number,
        is_bad: is_bad(&entry.event),
    }
}

fn is_bad(event: &Event) -> bool {
    match event {
        Event::IceServer(report) => !report.outcome.is_success(),
        Event::State(state) => matches!(state.state.as_str(), "failed" | "disconnected"),
        Event::Recovery(step) => matches!(step, RecoveryEvent::GaveUp { .. }),
        Event::CallEnded { reason } => reason.is_some(),
        Event::Attested(_)
        | Event::Log { .. }
        | Event::NodeExited { .. }
        | Event::HarnessFault { .. }
        | Event::Unsupported { .. }
        | Event::ConfigurationUnsupported { .. }
        | Event::Interrupted => true,
        _ => false,
    }
}
