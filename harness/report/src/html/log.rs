//! Every event on a line, which the page's script shows, filters and searches.

use crate::StoredRun;
use crate::words::{Kind, in_words};
use farcall_timeline::{Entry, Event, Level};
use maud::{Markup, html};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The longest line that is shown whole, in characters; all of it is in `events.jsonl`.
const LONGEST: usize = 300;
/// How many bytes all lines may have together, so that a page stays small. Debug lines are the first to be left out.
const MOST_BYTES: usize = 1_000_000;

/// The events and what to filter them by.
pub(super) fn log(run: &StoredRun) -> Markup {
    let entries = run.timeline.entries();
    let (text, left_out) = lines(entries, MOST_BYTES);
    let nodes: BTreeSet<&str> = entries.iter().map(|entry| entry.node.as_str()).collect();
    let kinds: BTreeSet<Kind> = entries.iter().map(|entry| Kind::of(&entry.event)).collect();
    html! {
        form #log-filter.filter {
            label { "node " select name="node" {
                option value="" { "all" }
                @for node in nodes { option { (node) } }
            } }
            label { "kind " select name="kind" {
                option value="" { "all but debug" }
                option value="*" { "all" }
                @for kind in kinds { option { (kind.name()) } }
            } }
            label { "text " input type="search" name="text" placeholder="any"; }
            output #log-count {}
        }
        @if left_out > 0 {
            p.none { (left_out) " lines are left out to keep this page small; all are in events.jsonl." }
        }
        div #log-lines.log-box tabindex="0" role="log" aria-label="Events" {
            // Time in seconds, node, kind, level, text.
            pre #log-text { (text) }
        }
    }
}

/// A line for each entry, as far as they go in `most_bytes`, and how many do not.
fn lines(entries: &[Entry], most_bytes: usize) -> (String, usize) {
    let lines: Vec<(u8, String)> = entries.iter().map(line).collect();
    // What each line takes in the page, where some characters are longer.
    let cost = |text: &str| {
        let longer = |letter: char| match letter {
            '"' => 5,
            '&' => 4,
            '<' | '>' => 3,
            _ => 0,
        };
        text.len() + text.chars().map(longer).sum::<usize>()
    };
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|index| lines[*index].0);
    let mut kept = BTreeSet::new();
    let mut bytes = 0;
    for index in order {
        bytes += cost(&lines[index].1);
        if bytes > most_bytes {
            break;
        }
        kept.insert(index);
    }
    let text: String = kept.iter().map(|index| lines[*index].1.as_str()).collect();
    (text, lines.len() - kept.len())
}

/// How soon a line is left out, later being sooner, and the line.
fn line(entry: &Entry) -> (u8, String) {
    let (rank, level) = match &entry.event {
        Event::Log { level, .. } => match level {
            Level::Error => (0, 'E'),
            Level::Warn => (1, 'W'),
            Level::Info => (2, 'I'),
            Level::Debug => (3, 'D'),
        },
        _ => (0, '-'),
    };
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "{:.3}\t{}\t{}\t{level}\t",
        entry.at_ms / 1e3,
        entry.node,
        Kind::of(&entry.event).name()
    );
    let words = in_words(&entry.event);
    let mut letters = words.chars().map(|letter| match letter.is_control() {
        true => ' ',
        false => letter,
    });
    text.extend(letters.by_ref().take(LONGEST));
    if letters.next().is_some() {
        text.push_str("...");
    }
    text.push('\n');
    (rank, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(level: Level, message: &str) -> Entry {
        Entry {
            at_ms: 1_500.0,
            node: "turn".into(),
            event: Event::Log {
                level,
                target: "t".into(),
                message: message.into(),
            },
        }
    }

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let (text, _) = lines(&[log(Level::Warn, "a\tb\nc")], 1_000);
        assert_eq!(text, "1.500\tturn\tlog\tW\tt: a b c\n");
    }

    #[test]
    fn debug_lines_are_left_out_before_others_and_the_order_is_kept() {
        let entries = [
            log(Level::Debug, "one"),
            log(Level::Error, "two"),
            log(Level::Info, "three"),
        ];
        let (text, left_out) = lines(&entries, 60);
        assert_eq!(left_out, 1);
        assert_eq!(
            text,
            "1.500\tturn\tlog\tE\tt: two\n1.500\tturn\tlog\tI\tt: three\n"
        );
    }
}
