//! What each gateway's rules counted, as a table.

use farcall_timeline::{Event, RuleCounter, Timeline};
use std::collections::BTreeMap;
use std::fmt::Write;

/// A table for each gateway: every moment at which it was read, rule by rule.
pub(crate) fn tables(timeline: &Timeline) -> BTreeMap<String, String> {
    let mut tables: BTreeMap<String, String> = BTreeMap::new();
    for entry in timeline.entries() {
        if let Event::Counters { moment, rules } = &entry.event {
            let table = tables.entry(entry.node.clone()).or_default();
            if !table.is_empty() {
                table.push('\n');
            }
            append(table, &format!("{moment} ({:.0} ms)", entry.at_ms), rules);
        }
    }
    tables
}

fn append(table: &mut String, title: &str, rules: &[RuleCounter]) {
    let width = rules
        .iter()
        .map(|counter| counter.rule.len())
        .chain([title.len()])
        .max()
        .unwrap_or(0);
    // Writing to a string cannot fail.
    let _ = writeln!(table, "{title:width$} {:>10} {:>12}", "packets", "bytes");
    for counter in rules {
        let _ = writeln!(
            table,
            "{:width$} {:>10} {:>12}",
            counter.rule, counter.packets, counter.bytes
        );
    }
}
