//! A comparison as Markdown, for a comment or a ticket.

use super::model::{Comparison, Direction};
use super::row::{not_known, rows, rule, title};
use crate::format::Document;
use std::io::Write;

/// Writes a comparison as Markdown (CommonMark, with GitHub's tables).
///
/// # Errors
/// When `out` fails.
pub fn comparison_markdown(comparison: &Comparison, out: &mut dyn Write) -> std::io::Result<()> {
    let mut document = Document::default();
    document.heading(1, &title(comparison));
    for direction in Direction::ALL {
        let rows = comparison.groups.iter().flat_map(|group| {
            let rows = rows(group, direction).into_iter();
            rows.map(|row| {
                vec![
                    group.subject.to_string(),
                    row.kind,
                    row.what,
                    row.before,
                    row.after,
                ]
            })
        });
        let rows: Vec<Vec<String>> = rows.collect();
        if !rows.is_empty() {
            document.heading(
                2,
                match direction {
                    Direction::Worse => "Worse",
                    Direction::Better => "Better",
                    Direction::Other => "Otherwise",
                },
            );
            document.table(&["scenario", "", "what", "before", "after"], rows);
        }
    }
    document.list(&not_known(comparison));
    document.paragraph(&rule(comparison));
    out.write_all(document.text()?.as_bytes())
}
