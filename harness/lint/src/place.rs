//! Places in a text, as people and editors count them.

use farcall_literal::Span;
use schemars::JsonSchema;
use serde::Serialize;

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

/// Characters are counted once for each of so many bytes, so that a long line costs no more than others.
const BLOCK_BYTES: usize = 1024;

/// Where the lines of a text begin.
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    /// How many characters begin before each block.
    before_blocks: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Self {
        let after = |(at, _): (usize, &str)| at + 1;
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(after));
        let blocks = text.as_bytes().chunks(BLOCK_BYTES);
        let before_blocks = blocks.scan(0, |before, block| {
            let this = *before;
            *before += characters(block);
            Some(this)
        });
        Self {
            text,
            starts: starts.collect(),
            before_blocks: before_blocks.collect(),
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
        let end = self.starts.get(line + 1).copied();
        let end = end.unwrap_or(self.text.len());
        let without_end = self.text.get(start..end).unwrap_or_default();
        start..start + without_end.trim_end_matches(['\n', '\r']).len()
    }

    /// Line and column of a byte, from 1.
    pub fn line_and_column(&self, at: usize) -> (usize, usize) {
        let line = self.line_index(at);
        let start = self.starts.get(line).copied().unwrap_or_default();
        let column = self.characters_before(at) - self.characters_before(start);
        (line + 1, column + 1)
    }

    fn line_index(&self, at: usize) -> usize {
        self.starts
            .partition_point(|start| *start <= at)
            .saturating_sub(1)
    }

    fn characters_before(&self, at: usize) -> usize {
        let block = (at / BLOCK_BYTES).min(self.before_blocks.len().saturating_sub(1));
        let before = self.before_blocks.get(block).copied().unwrap_or_default();
        let rest = self.text.as_bytes().get(block * BLOCK_BYTES..at);
        before + rest.map_or(0, characters)
    }
}

/// How many characters begin in these bytes of UTF-8.
fn characters(bytes: &[u8]) -> usize {
    let is_beginning = |byte: &&u8| **byte & 0b1100_0000 != 0b1000_0000;
    bytes.iter().filter(is_beginning).count()
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

    #[test]
    fn columns_of_long_lines_are_right() {
        let text = format!("x\n{}ü{}", "ü".repeat(700), "y".repeat(3000));
        let lines = Lines::new(&text);
        for (at, _) in text.char_indices().skip(2) {
            let column = text[2..at].chars().count() + 1;
            assert_eq!(lines.line_and_column(at), (2, column));
        }
        assert_eq!(lines.line_and_column(text.len()), (2, 3702));
        assert_eq!(Lines::new("").line_and_column(0), (1, 1));
    }
}
