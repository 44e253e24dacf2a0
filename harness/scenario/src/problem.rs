//! What is wrong with a file, all of it at once.

use crate::document::Span;
use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong with a scenario or an ICE configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where, as a path of keys such as `sites.office.lan` or `peers[1].site`; empty for the whole.
    pub key: String,
    /// What is wrong. Never contains a credential.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// The place in the file; `None` for what was never written in one.
    pub place: Option<Place>,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The bytes in the file.
    pub span: Span,
}

/// Everything that is wrong with one scenario or ICE configuration.
///
/// Rendered by `miette` it shows each problem with the lines that it is about, in which credentials
/// are replaced by asterisks; its `Debug` is one line for each problem.
pub struct Problems {
    subject: String,
    list: Vec<Problem>,
    text: Option<NamedSource<String>>,
}

/// A scenario or ICE configuration could not be had.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum InputError {
    /// No scenario has that name.
    #[error("failed to find a scenario called `{name}`")]
    #[diagnostic(help("{hint}"))]
    UnknownScenario {
        /// The name that was asked for.
        name: String,
        /// The nearest names, or all.
        hint: String,
    },
    /// A file could not be read.
    #[error("failed to read {path}: {source}")]
    #[diagnostic(help(
        "check that the path is right and the file is text (UTF-8) that you may read"
    ))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A trace was read and is none.
    #[error("failed to read {path}: {source}")]
    Trace {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: crate::TraceError,
    },
    /// A file was read and is wrong.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Invalid(#[from] Problems),
    /// Several files are wrong.
    #[error("failed to read {} scenario files", .0.len())]
    Several(#[related] Vec<InputError>),
}

impl Problems {
    /// `subject` completes "failed to read": `scenario office.toml`.
    pub(crate) fn new(
        subject: String,
        list: Vec<Problem>,
        text: Option<NamedSource<String>>,
    ) -> Self {
        Self {
            subject,
            list,
            text,
        }
    }

    /// The problems in the order of the file. There is at least one.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.list.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(
            formatter,
            "failed to read {}: {count} problem{plural}",
            self.subject
        )
    }
}

impl fmt::Debug for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{self}")?;
        for problem in &self.list {
            write!(formatter, "\n  ")?;
            if let Some(place) = &problem.place {
                write!(formatter, "{place}: ")?;
            }
            write!(formatter, "{problem}")?;
            if let Some(hint) = &problem.hint {
                write!(formatter, "; hint: {hint}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl Diagnostic for Problems {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.text.as_ref().map(|text| text as &dyn SourceCode)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(
            self.list.iter().map(|problem| problem as &dyn Diagnostic),
        ))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl Place {
    pub(crate) fn new(file: &str, text: &str, span: Span) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before.chars().count() - before[..line_start].chars().count() + 1,
            span,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_none() && !self.key.is_empty() {
            write!(formatter, "{}: ", self.key)?;
        }
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let hint = self.hint.as_ref()?;
        Some(Box::new(hint))
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.place.as_ref()?;
        let label = LabeledSpan::new_with_span(None, place.span.clone());
        Some(Box::new(std::iter::once(label)))
    }
}
