//! Fitting text into lines.

/// The widest line.
pub(super) const COLUMNS: usize = 100;

/// Cuts a text that is wider than `width`; the whole is in `result.json`.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    if textwrap::core::display_width(text) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for letter in text.chars() {
        if textwrap::core::display_width(&kept) + 4 > width {
            break;
        }
        kept.push(letter);
    }
    kept + "..."
}

/// How texts are wrapped, whatever features of the crate others turn on.
pub(crate) fn wrapping(width: usize) -> textwrap::Options<'static> {
    textwrap::Options::new(width).wrap_algorithm(textwrap::WrapAlgorithm::FirstFit)
}

/// Wraps a text into lines that begin with `first` and, from the second on, as many blanks.
#[must_use]
pub fn wrap(first: &str, text: &str) -> String {
    let blanks = " ".repeat(textwrap::core::display_width(first));
    let options = wrapping(COLUMNS)
        // Names and URLs have hyphens, and must not be cut there.
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .initial_indent(first)
        .subsequent_indent(&blanks);
    textwrap::fill(text, options)
}

/// A time for people: milliseconds below ten seconds of waiting, else seconds.
#[must_use]
pub fn duration(ms: f64) -> String {
    if ms < 1_000.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.1} s", ms / 1_000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_not_cut() {
        assert_eq!(cut("twelve chars", 12), "twelve chars");
        assert_eq!(cut("thirteen char", 12), "thirteen ...");
    }

    #[test]
    fn wrapped_lines_are_indented() {
        let text = "word ".repeat(40);
        for line in wrap("  observed  ", &text).lines() {
            assert!(line.len() <= COLUMNS, "{line}");
        }
    }

    #[test]
    fn short_times_are_in_milliseconds() {
        assert_eq!(duration(24.4), "24 ms");
        assert_eq!(duration(5_000.0), "5.0 s");
    }
}
