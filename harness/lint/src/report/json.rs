//! Findings for programs, in a documented and versioned form.

use crate::lint::{LintedConfiguration, LintedFile};
use crate::read::ReadError;
use crate::rule::Severity;
use schemars::JsonSchema;
use serde::Serialize;
use std::io::Write;

/// Goes up with each change that a reader must know of.
pub const SCHEMA_VERSION: u32 = 1;

/// What `farcall lint --format json` prints.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LintReport {
    /// The version of this form: 1.
    pub schema_version: u32,
    /// How many findings there are in all.
    pub totals: Totals,
    /// Each file in the order in which it was named.
    pub files: Vec<FileReport>,
}

/// How many findings there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Totals {
    /// Errors.
    pub errors: usize,
    /// Warnings.
    pub warnings: usize,
    /// Notes.
    pub notes: usize,
}

/// What is said of a file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FileReport {
    /// The file, as it was named.
    pub file: String,
    /// Why it could not be examined, if so.
    pub problem: Option<String>,
    /// The configurations in it.
    pub configurations: Vec<LintedConfiguration>,
}

impl FileReport {
    /// What is said of a file that was examined.
    #[must_use]
    pub fn examined(linted: LintedFile) -> Self {
        Self {
            file: linted.file,
            problem: None,
            configurations: linted.configurations,
        }
    }

    /// What is said of a file that could not be read, or of its text.
    #[must_use]
    pub fn failed(file: &str, problem: &str) -> Self {
        Self {
            file: file.to_owned(),
            problem: Some(problem.to_owned()),
            configurations: Vec::new(),
        }
    }

    /// What is said of a text.
    #[must_use]
    pub fn of(file: &str, linted: Result<LintedFile, ReadError>) -> Self {
        match linted {
            Ok(linted) => Self::examined(linted),
            Err(error) => Self::failed(file, &error.to_string()),
        }
    }
}

impl LintReport {
    /// A report of these files.
    #[must_use]
    pub fn new(files: Vec<FileReport>) -> Self {
        let mut totals = Totals::default();
        let configurations = files.iter().flat_map(|file| &file.configurations);
        for finding in configurations.flat_map(|configuration| &configuration.findings) {
            match finding.severity {
                Severity::Error => totals.errors += 1,
                Severity::Warning => totals.warnings += 1,
                Severity::Note => totals.notes += 1,
            }
        }
        Self {
            schema_version: SCHEMA_VERSION,
            totals,
            files,
        }
    }
}

/// Writes a report as JSON.
///
/// # Errors
/// When `out` cannot be written.
pub fn json(report: &LintReport, out: &mut dyn Write) -> std::io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    out.write_all(b"\n")
}

/// The JSON Schema of what [`json`] writes, generated from [`LintReport`].
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(LintReport).to_value()
}
