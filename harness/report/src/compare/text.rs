//! A comparison for people.

use super::model::{Comparison, Direction, Group};
use super::row::{Row, not_known, rows, rule, title};
use crate::format::{Paint, wrap};
use comfy_table::{ContentArrangement, Table, presets};
use farcall_verdict::Verdict;
use std::io::Write;

/// The widest table.
const COLUMNS: u16 = 100;

/// A comparison as text of at most 100 columns: what got worse, what got better, what is otherwise, and what cannot be
/// compared.
#[derive(Debug, Clone, Copy, Default)]
pub struct ComparisonText {
    /// Whether to add colours, which say nothing that the text does not.
    pub colour: bool,
}

impl ComparisonText {
    /// Writes a comparison.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn render(&self, comparison: &Comparison, out: &mut dyn Write) -> std::io::Result<()> {
        writeln!(out, "{}", title(comparison))?;
        for direction in Direction::ALL {
            for group in &comparison.groups {
                self.section(direction, group, out)?;
            }
        }
        let told = not_known(comparison);
        if !told.is_empty() {
            writeln!(out)?;
        }
        for line in told {
            writeln!(out, "{}", wrap("", &line))?;
        }
        writeln!(out, "\n{}", wrap("", &rule(comparison)))
    }

    fn section(
        &self,
        direction: Direction,
        group: &Group,
        out: &mut dyn Write,
    ) -> std::io::Result<()> {
        let rows = rows(group, direction);
        if rows.is_empty() {
            return Ok(());
        }
        let paint = Paint {
            colour: self.colour,
        };
        let word = match direction {
            Direction::Worse => paint.in_verdict(Verdict::Fail, "WORSE"),
            Direction::Better => paint.in_verdict(Verdict::Pass, "BETTER"),
            Direction::Other => paint.in_verdict(Verdict::Invalid, "OTHERWISE"),
        };
        let runs = format!("before {}, after {}", group.before, group.after);
        writeln!(out, "\n{word} {}: {runs}", group.subject)?;
        writeln!(out, "{}", table(rows))
    }
}

fn table(rows: Vec<Row>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(COLUMNS);
    for row in rows {
        table.add_row([row.kind, row.what, row.before, "->".to_owned(), row.after]);
    }
    table.trim_fmt()
}
