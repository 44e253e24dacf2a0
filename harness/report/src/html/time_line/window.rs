//! What part of a run is shown, and when what was broken.

use crate::StoredRun;
use crate::words::fault_in_words;
use farcall_timeline::{Event, FaultEdge};
use std::collections::BTreeMap;

/// A part of a run's time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window {
    pub(crate) from_ms: f64,
    pub(crate) to_ms: f64,
    /// When the run ended.
    pub(crate) end_ms: f64,
}

/// When something was broken.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FaultWindow {
    pub(crate) from_ms: f64,
    pub(crate) until_ms: f64,
    pub(crate) what: String,
}

impl Window {
    /// The call, with a little before and after it; of a run without a call, all of it.
    pub(crate) fn of(run: &StoredRun) -> Self {
        let entries = run.timeline.entries();
        let end_ms = entries.last().map_or(0.0, |entry| entry.at_ms).max(1.0);
        let is_of_call =
            |event: &Event| matches!(event, Event::CallStarted { .. } | Event::State(_));
        let begin = entries.iter().find(|entry| is_of_call(&entry.event));
        let ended = entries
            .iter()
            .rfind(|entry| matches!(entry.event, Event::CallEnded { .. }));
        let Some(begin) = begin else {
            return Self {
                from_ms: 0.0,
                to_ms: end_ms,
                end_ms,
            };
        };
        let ended_ms = ended.map_or(end_ms, |entry| entry.at_ms);
        let margin_ms = (ended_ms - begin.at_ms).max(1.0) * 0.02;
        Self {
            from_ms: (begin.at_ms - margin_ms).max(0.0),
            to_ms: ended_ms + margin_ms,
            end_ms,
        }
    }

    /// Where a moment is, 0 being the beginning of the window and 1 its end.
    pub(crate) fn part(&self, at_ms: f64) -> f64 {
        (at_ms - self.from_ms) / (self.to_ms - self.from_ms)
    }
}

/// The faults by number; one that was never mended lasts to the end.
pub(crate) fn fault_windows(run: &StoredRun) -> Vec<FaultWindow> {
    let entries = run.timeline.entries();
    let end_ms = entries.last().map_or(0.0, |entry| entry.at_ms);
    let mut windows: BTreeMap<u32, FaultWindow> = BTreeMap::new();
    for entry in entries {
        let Event::Fault(fault) = &entry.event else {
            continue;
        };
        let window = windows.entry(fault.number).or_insert_with(|| FaultWindow {
            from_ms: entry.at_ms,
            until_ms: end_ms,
            what: String::new(),
        });
        window.what = format!("fault {}: {}", fault.number, fault_in_words(fault));
        if fault.edge == FaultEdge::Mended {
            window.until_ms = entry.at_ms;
        }
    }
    windows.into_values().collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::stored::tests::{about, stored};
    use farcall_verdict::sample::Sample;

    #[test]
    fn the_call_is_what_is_shown() {
        let out = tempfile::tempdir().unwrap();
        let window = Window::of(&stored(&out, &about(), &Sample::good()));
        assert!(window.part(4_000.0) > 0.0 && window.part(4_000.0) < 0.05);
        assert!(window.part(9_900.0) > 0.95 && window.part(9_900.0) < 1.0);
        assert!(window.part(1_000.0) < 0.0);
    }

    #[test]
    fn a_run_without_a_call_is_shown_whole() {
        let out = tempfile::tempdir().unwrap();
        let mut sample = Sample::good();
        sample.remove(|entry| entry.at_ms > 1_000.0);
        let window = Window::of(&stored(&out, &about(), &sample));
        assert_eq!((window.from_ms, window.to_ms), (0.0, window.end_ms));
    }
}
