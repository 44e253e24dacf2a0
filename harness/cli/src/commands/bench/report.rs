//! How long it takes to judge a long stored run and to write each report of it.

use super::targets::{Bound, Target};
use super::{median, milliseconds};
use crate::exit::Failure;
use farcall_report::{Call, ReportFormat, StoredRun};
use farcall_timeline::{Entry, Event};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

/// How many events the measured run has.
const EVENTS: usize = 10_000;

/// How often each figure is measured.
const MEASUREMENTS: usize = 20;

/// How long judging it and writing any one report may take together, in milliseconds.
const MOST_MS: f64 = 500.0;

/// How large the page may be, in bytes.
const MOST_HTML_BYTES: f64 = 1_500_000.0;

/// The figures of reports; times are medians in milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    /// Which run it was that was made longer.
    scenario: String,
    events: usize,
    /// Reading, judging and diagnosing.
    judge_ms: f64,
    /// Writing each format, judging not included.
    render_ms: BTreeMap<&'static str, f64>,
    html_bytes: usize,
    /// Whether all measurements gave the same bytes in every format.
    identical: bool,
}

impl Figures {
    pub(super) fn targets(&self) -> Vec<Target> {
        let slowest_ms = self.render_ms.values().copied().fold(0.0, f64::max);
        #[expect(clippy::cast_precision_loss, reason = "no page has 2^53 bytes")]
        let html_bytes = self.html_bytes as f64;
        vec![
            Target::new(
                "judge_and_render_ms",
                self.judge_ms + slowest_ms,
                Bound::AtMost(MOST_MS),
            ),
            Target::new("html_bytes", html_bytes, Bound::AtMost(MOST_HTML_BYTES)),
        ]
    }
}

/// Measures with a stored run, whose log lines are repeated until it has as many events as are wanted.
pub(super) fn measure(run: &Path) -> Result<Figures, Failure> {
    let stored = StoredRun::load(run).map_err(Failure::usage)?;
    let long = tempfile::tempdir().map_err(Failure::infrastructure)?;
    lengthen(&stored, run, long.path()).map_err(Failure::infrastructure)?;
    let formats = [
        ("html", ReportFormat::Html),
        ("junit", ReportFormat::Junit),
        ("markdown", ReportFormat::Markdown),
        ("json", ReportFormat::Json),
        ("dump", ReportFormat::Dump),
        ("trace", ReportFormat::Trace),
        ("mermaid", ReportFormat::Mermaid),
    ];
    let mut judged = Vec::new();
    let mut rendered: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    let mut first: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    let (mut events, mut identical) = (0, true);
    for _ in 0..MEASUREMENTS {
        let began = Instant::now();
        let run = StoredRun::load(long.path()).map_err(Failure::infrastructure)?;
        judged.push(Some(milliseconds(began)));
        events = run.timeline.entries().len();
        let call = [Call::from(run)];
        for (name, format) in formats {
            let mut bytes = Vec::new();
            let began = Instant::now();
            format
                .render(&call, &mut bytes)
                .map_err(Failure::infrastructure)?;
            rendered.entry(name).or_default().push(milliseconds(began));
            identical &= *first.entry(name).or_insert_with(|| bytes.clone()) == bytes;
        }
    }
    Ok(Figures {
        scenario: stored.about.scenario,
        events,
        judge_ms: median(judged.into_iter()),
        render_ms: rendered
            .into_iter()
            .map(|(name, times)| (name, median(times.into_iter().map(Some))))
            .collect(),
        html_bytes: first.get("html").map_or(0, Vec::len),
        identical,
    })
}

fn lengthen(stored: &StoredRun, from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::copy(from.join("plan.json"), to.join("plan.json"))?;
    let mut events = std::io::BufWriter::new(std::fs::File::create(to.join("events.jsonl"))?);
    for entry in longer(stored.timeline.entries()) {
        serde_json::to_writer(&mut events, entry)?;
        events.write_all(b"\n")?;
    }
    events.flush()
}

/// All entries, and log lines again and again.
fn longer(entries: &[Entry]) -> impl Iterator<Item = &Entry> {
    let lines = entries
        .iter()
        .filter(|entry| matches!(entry.event, Event::Log { .. }));
    let missing = EVENTS.saturating_sub(entries.len());
    entries.iter().chain(lines.cycle().take(missing))
}

#[cfg(test)]
mod tests {
    use super::*;
    use farcall_timeline::Level;

    fn entry(event: Event) -> Entry {
        Entry {
            at_ms: 1.0,
            node: "alice".to_owned(),
            event,
        }
    }

    #[test]
    fn a_run_is_made_longer_by_its_log_lines_alone() {
        let line = Event::Log {
            level: Level::Info,
            target: "farcall_agent".to_owned(),
            message: "so and so".to_owned(),
        };
        let entries = [entry(Event::Interrupted), entry(line)];
        assert_eq!(longer(&entries).count(), EVENTS);
        let others = longer(&entries).filter(|entry| matches!(entry.event, Event::Interrupted));
        assert_eq!(others.count(), 1);
        assert_eq!(longer(&entries[..1]).count(), 1);
    }
}
