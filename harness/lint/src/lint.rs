//! A file's configurations with all that is found in them.

use crate::configuration::Configuration;
use crate::excerpt::Excerpt;
use crate::finding::{Draft, Finding};
use crate::mask::Mask;
use crate::place::{Lines, Place};
use crate::read::{self, ReadError};
use crate::rule::Severity;
use crate::rules;
use schemars::JsonSchema;
use serde::Serialize;
use time::OffsetDateTime;

/// What is found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LintedFile {
    /// The file, as it was named.
    pub file: String,
    /// The configurations in it, in its order. There is at least one.
    pub configurations: Vec<LintedConfiguration>,
}

/// What is found in a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LintedConfiguration {
    /// The function, method or variable that it stands in.
    pub name: Option<String>,
    /// Where it begins.
    pub place: Place,
    /// What is found, in the order of the file.
    pub findings: Vec<Finding>,
}

/// Examines the text of a file, of which the name says the language: JSON (`.json`, `.jsonc`),
/// JavaScript or TypeScript (`.js`, `.ts`, `.mjs`, `.tsx` and so on), or, for other names, whichever
/// of them it is. `now` decides which time-limited accounts are over.
///
/// # Errors
/// When the text is not in that language, or holds no ICE configuration.
pub fn lint(file: &str, text: &str, now: OffsetDateTime) -> Result<LintedFile, ReadError> {
    let reading = read::read(file, text)?;
    let lines = Lines::new(text);
    let linted = |configuration: &Configuration| {
        let drafts = rules::examine(configuration, now).into_iter();
        LintedConfiguration {
            name: configuration.name.clone(),
            place: lines.place(&configuration.span),
            findings: drafts
                .map(|draft| finding(draft, text, &lines, &reading.mask))
                .collect(),
        }
    };
    Ok(LintedFile {
        file: file.to_owned(),
        configurations: reading.configurations.iter().map(linted).collect(),
    })
}

fn finding(draft: Draft, text: &str, lines: &Lines<'_>, mask: &Mask) -> Finding {
    let place = lines.place(&draft.span);
    Finding {
        rule: draft.rule,
        severity: draft.severity,
        entry: draft.entry,
        message: draft.message,
        consequence: draft.consequence,
        replacement: draft.replacement,
        scenarios: draft
            .scenarios
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        excerpt: Excerpt::new(text, lines, mask, &place),
        place,
    }
}

impl LintedFile {
    /// All findings of all configurations.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.configurations
            .iter()
            .flat_map(|configuration| &configuration.findings)
    }

    /// How bad the worst finding is.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings().map(|finding| finding.severity).max()
    }
}
