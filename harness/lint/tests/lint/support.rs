//! What the tests of the linter share.

use farcall_lint::{LintedFile, Look, Rule, brief, human, lint};
use time::OffsetDateTime;
use time::macros::datetime;

/// When the tests are, in seconds: 1767225600.
pub const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

/// What is found in a text that can be examined.
pub fn linted(file: &str, text: &str) -> LintedFile {
    lint(file, text, NOW).unwrap_or_else(|error| panic!("{error:?}"))
}

/// The rules that say something, in the order of the file.
pub fn rules(file: &str, text: &str) -> Vec<Rule> {
    linted(file, text)
        .findings()
        .map(|finding| finding.rule)
        .collect()
}

/// What a person without colours sees.
pub fn shown(file: &str, text: &str) -> String {
    let linted = linted(file, text);
    let look = Look {
        colour: false,
        width: 100,
    };
    let mut out = Vec::new();
    human(&linted, look, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The lines that a run prints first.
pub fn short(file: &str, text: &str) -> String {
    brief(&linted(file, text), "farcall lint FILE").join("\n")
}
