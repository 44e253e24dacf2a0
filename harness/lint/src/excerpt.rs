//! The line that a finding is about, without what may be a credential.

use crate::mask::Mask;
use crate::place::{Lines, Place};
use farcall_literal::Span;
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// Longer lines are shown in part.
const LONG_LINE_BYTES: usize = 160;

/// How much of a long line is shown before and after what is meant, in bytes.
const AROUND_BYTES: usize = 60;

/// A line as it may be shown, or a piece of it where it is long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excerpt {
    text: String,
    /// Where it begins, in bytes from the beginning of the file.
    start: usize,
    /// In which line and column what is meant begins, from 0.
    line: usize,
    column: usize,
    /// In which column the piece begins, from 0.
    first_column: usize,
}

impl Excerpt {
    pub fn new(text: &str, lines: &Lines<'_>, mask: &Mask, place: &Place) -> Self {
        let line = lines.line_around(place.byte_offset);
        let piece = if line.len() <= LONG_LINE_BYTES {
            line
        } else {
            let end = place.byte_offset + place.byte_length.min(LONG_LINE_BYTES) + AROUND_BYTES;
            let start = place.byte_offset.saturating_sub(AROUND_BYTES);
            boundary(text, start.max(line.start))..boundary(text, end.min(line.end))
        };
        let (_, first_column) = lines.line_and_column(piece.start);
        Self {
            text: mask.apply(text, &piece),
            start: piece.start,
            line: place.line.saturating_sub(1),
            column: place.column.saturating_sub(1),
            first_column: first_column - 1,
        }
    }

    /// The part of a place that is in the excerpt.
    pub fn label(&self, place: &Place) -> Span {
        let end = self.start + self.text.len();
        let label_end = place.byte_offset + place.byte_length;
        place.byte_offset.min(end)..label_end.clamp(place.byte_offset.min(end), end)
    }
}

/// What is read is the line, whatever span is asked for: nothing else of the file is at hand.
impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        context_lines_before: usize,
        _context_lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        // Without context the question is where the span itself begins.
        let (column, skip) = if context_lines_before == 0 {
            (self.column, span.offset().saturating_sub(self.start))
        } else {
            (self.first_column, 0)
        };
        let data = self.text.as_bytes().get(skip..).unwrap_or_default();
        let start = self.start + skip;
        let place = SourceSpan::from(start..start + data.len());
        let contents = MietteSpanContents::new(data, place, self.line, column, 1);
        Ok(Box::new(contents))
    }
}

/// The last beginning of a character up to this byte.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
