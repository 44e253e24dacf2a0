//! The timeline in memory and as `events.jsonl`.

use crate::{Entry, Event};
use std::io::{BufRead, Write};

/// A stored timeline could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Reading or writing failed.
    #[error(
        "failed to read or write the event log: {0}; check the directory's permissions and free space"
    )]
    Io(#[from] std::io::Error),
    /// A line is not an event that this version knows.
    #[error(
        "failed to read line {line} of the event log: {source}; it was perhaps written by another version of farcall"
    )]
    Format {
        /// The line's number, from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// All events of a run, ordered by time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timeline {
    entries: Vec<Entry>,
}

impl Timeline {
    /// A timeline of entries in any order.
    #[must_use]
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|left, right| left.at_ms.total_cmp(&right.at_ms));
        Self { entries }
    }

    /// The entries, ordered by time.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The events of one node, in order.
    pub fn of<'a>(&'a self, node: &'a str) -> impl DoubleEndedIterator<Item = &'a Event> + 'a {
        self.entries
            .iter()
            .filter(move |entry| entry.node == node)
            .map(|entry| &entry.event)
    }

    /// Writes one JSON object a line.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write_jsonl(&self, mut writer: impl Write) -> Result<(), StoreError> {
        for entry in &self.entries {
            serde_json::to_writer(&mut writer, entry).map_err(std::io::Error::from)?;
            writer.write_all(b"\n")?;
        }
        Ok(())
    }
}

/// Reads what [`Timeline::write_jsonl`] wrote.
///
/// # Errors
/// When reading fails or a line is no event.
pub fn read_events(reader: impl BufRead) -> Result<Timeline, StoreError> {
    let mut entries = Vec::new();
    for (index, line) in reader.lines().enumerate() {
        let line = line?;
        let entry = serde_json::from_str(&line).map_err(|source| StoreError::Format {
            line: index + 1,
            source,
        })?;
        entries.push(entry);
    }
    Ok(Timeline::new(entries))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn entry(at_ms: f64, node: &str) -> Entry {
        Entry {
            at_ms,
            node: node.into(),
            event: Event::Interrupted,
        }
    }

    #[test]
    fn entries_are_ordered_by_time() {
        let timeline = Timeline::new(vec![entry(2.0, "b"), entry(1.0, "a")]);
        assert_eq!(timeline.entries()[0].node, "a");
    }

    #[test]
    fn what_is_written_is_read_back() {
        let timeline = Timeline::new(vec![entry(1.5, "a"), entry(2.0, "b")]);
        let mut bytes = Vec::new();
        timeline.write_jsonl(&mut bytes).unwrap();
        assert_eq!(read_events(bytes.as_slice()).unwrap(), timeline);
    }

    #[test]
    fn a_line_that_is_no_event_is_named() {
        let error = read_events(&b"{\"at_ms\":1}\n"[..]).unwrap_err();
        assert!(error.to_string().contains("line 1"), "{error}");
    }
}
