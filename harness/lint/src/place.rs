//! Places in a text, as people and editors count them.

use schemars::JsonSchema;
use serde::Serialize;
use std::ops::Range;

/// A place in the text, in bytes.
pub type Span = Range<usize>;

/// A place in a file. Lines and columns count from 1, columns in characters; the end is the first
/// character after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Place {
    /// The line in which it begins.
    pub line: usize,
    /// The column in which it begins.
    pub column: usize,
    /// The line in which it ends.
    pub end_line: usize,
    /// The column after its last character.
    pub end_column: usize,
    /// Where it begins, in bytes from the beginning of the file.
    pub byte_offset: usize,
    /// How long it is, in bytes.
    pub byte_length: usize,
}

/// Where the lines of a text begin.
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Self {
        let after = |(at, _): (usize, &str)| at + 1;
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(after));
        Self {
            text,
            starts: starts.collect(),
        }
    }

    pub fn place(&self, span: &Span) -> Place {
        let (line, column) = self.line_and_column(span.start);
        let (end_line, end_column) = self.line_and_column(span.end);
        Place {
            line,
            column,
            end_line,
            end_column,
            byte_offset: span.start,
            byte_length: span.len(),
        }
    }

    /// The bytes of the line in which this byte is, without its end.
    pub fn line_around(&self, at: usize) -> Span {
        let line = self.line_index(at);
        let start = self.starts.get(line).copied().unwrap_or_default();
        let rest = self.text.get(start..).unwrap_or_default();
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        start..start + end
    }

    fn line_index(&self, at: usize) -> usize {
        self.starts
            .partition_point(|start| *start <= at)
            .saturating_sub(1)
    }

    fn line_and_column(&self, at: usize) -> (usize, usize) {
        let line = self.line_index(at);
        let start = self.starts.get(line).copied().unwrap_or_default();
        let before = self.text.get(start..at).unwrap_or_default();
        (line + 1, before.chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one_in_characters() {
        let text = "a\r\nüb\n";
        let lines = Lines::new(text);
        let at = |byte| {
            let Place { line, column, .. } = lines.place(&(byte..byte));
            (line, column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(3), (2, 1));
        assert_eq!(at(5), (2, 2));
        assert_eq!(at(text.len()), (3, 1));
        assert_eq!(lines.line_around(5), 3..6);
        assert_eq!(lines.line_around(0), 0..1);
        assert_eq!(lines.line_around(7), 7..7);
    }
}
