//! Events of a trace, and the processes and tracks that they are on.

use serde::Serialize;
use std::collections::BTreeMap;

/// An event of the trace event format.
#[derive(Debug, Clone, Serialize)]
pub(super) struct TraceEvent {
    name: String,
    ph: &'static str,
    ts: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<f64>,
    pid: u64,
    tid: u64,
    /// The scope of a moment: its track.
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<&'static str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    args: BTreeMap<String, serde_json::Value>,
}

/// The processes, one a node, and the tracks of each.
pub(super) struct Tracks {
    prefix: String,
    nodes: BTreeMap<String, u64>,
    tracks: BTreeMap<(u64, String), u64>,
    next_process: u64,
    events: Vec<TraceEvent>,
}

impl Tracks {
    /// Processes for these nodes, in their order, with numbers from `first` on.
    pub(super) fn new(first: u64, nodes: &[&str], prefix: &str) -> Self {
        let mut tracks = Self {
            prefix: prefix.to_owned(),
            nodes: BTreeMap::new(),
            tracks: BTreeMap::new(),
            next_process: first,
            events: Vec::new(),
        };
        for node in nodes {
            tracks.process(node);
        }
        tracks
    }

    /// The first number that no process has.
    pub(super) fn next_process(&self) -> u64 {
        self.next_process
    }

    pub(super) fn into_events(self) -> Vec<TraceEvent> {
        self.events
    }

    pub(super) fn slice(
        &mut self,
        node: &str,
        track: &str,
        from_ms: f64,
        until_ms: f64,
        name: &str,
    ) {
        let (pid, tid) = self.track(node, track);
        let ts = micros(from_ms);
        self.events.push(TraceEvent {
            dur: Some((micros(until_ms) - ts).max(0.0)),
            ts,
            ..event("X", name, pid, tid)
        });
    }

    pub(super) fn moment(&mut self, node: &str, track: &str, at_ms: f64, name: &str) {
        let (pid, tid) = self.track(node, track);
        self.events.push(TraceEvent {
            ts: micros(at_ms),
            s: Some("t"),
            ..event("i", name, pid, tid)
        });
    }

    pub(super) fn counter(&mut self, node: &str, at_ms: f64, name: &str, value: f64) {
        let pid = self.process(node);
        self.events.push(TraceEvent {
            ts: micros(at_ms),
            args: [(name.to_owned(), value.into())].into(),
            ..event("C", name, pid, 0)
        });
    }

    fn process(&mut self, node: &str) -> u64 {
        if let Some(pid) = self.nodes.get(node) {
            return *pid;
        }
        let pid = self.next_process;
        self.next_process += 1;
        self.nodes.insert(node.to_owned(), pid);
        let name = format!("{}{node}", self.prefix);
        self.events.push(named("process_name", pid, 0, &name));
        self.events.push(TraceEvent {
            args: [("sort_index".to_owned(), pid.into())].into(),
            ..event("M", "process_sort_index", pid, 0)
        });
        pid
    }

    fn track(&mut self, node: &str, track: &str) -> (u64, u64) {
        let pid = self.process(node);
        let key = (pid, track.to_owned());
        if let Some(tid) = self.tracks.get(&key) {
            return (pid, *tid);
        }
        let of_process = self.tracks.keys().filter(|(of, _)| *of == pid);
        let tid = (1..)
            .zip(of_process)
            .last()
            .map_or(1, |(number, _)| number + 1);
        self.tracks.insert(key, tid);
        self.events.push(named("thread_name", pid, tid, track));
        (pid, tid)
    }
}

/// Whole microseconds, so that the end of one slice is the beginning of the next.
fn micros(ms: f64) -> f64 {
    (ms * 1e3).round()
}

fn named(what: &str, pid: u64, tid: u64, name: &str) -> TraceEvent {
    TraceEvent {
        args: [("name".to_owned(), name.into())].into(),
        ..event("M", what, pid, tid)
    }
}

fn event(ph: &'static str, name: &str, pid: u64, tid: u64) -> TraceEvent {
    TraceEvent {
        name: name.to_owned(),
        ph,
        ts: 0.0,
        dur: None,
        pid,
        tid,
        s: None,
        args: BTreeMap::new(),
    }
}
