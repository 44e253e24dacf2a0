//! Reading a document into a type, with all that is wrong noted instead of stopping at the first.

mod firewall;
mod leaf;
mod link;
mod nearest;
mod node;
mod scenario;
mod table;

pub(crate) use firewall::port;
pub(crate) use nearest::{did_you_mean, likeness};
pub(crate) use node::{Node, Read};
pub(crate) use table::Table;

use crate::document::{Span, SyntaxError, Value};
use crate::problem::{Place, Problem, Problems};
use miette::NamedSource;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Something wrong with what was read, by its path of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The path of what is wrong.
    pub key: String,
    /// The paths of the other values without which this would not be wrong.
    pub because_of: Vec<String>,
    pub message: String,
    pub hint: Option<String>,
}

impl Finding {
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            because_of: Vec::new(),
            message: message.into(),
            hint: None,
        }
    }

    pub fn because_of(mut self, key: impl Into<String>) -> Self {
        self.because_of.push(key.into());
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn into_problem(self, place: Option<Place>) -> Problem {
        Problem {
            key: self.key,
            message: self.message,
            hint: self.hint,
            place,
        }
    }
}

/// What is noted while a document is read.
pub(crate) struct Notes {
    /// What a table is called in the document's language.
    table_name: &'static str,
    findings: RefCell<Vec<(Span, Finding)>>,
    places: RefCell<BTreeMap<String, Span>>,
    /// Paths whose value could not be read and was replaced by a stand-in.
    unread: RefCell<BTreeSet<String>>,
}

impl Notes {
    /// The place of a path, or of the nearest thing above it that is written down.
    fn place(&self, key: &str) -> Span {
        let places = self.places.borrow();
        let mut key = key;
        loop {
            if let Some(span) = places.get(key) {
                return span.clone();
            }
            match key.rfind(['.', '[']) {
                Some(end) => key = &key[..end],
                None => return 0..0,
            }
        }
    }

    /// Whether the value at this path, or one that contains it, could not be read.
    fn is_unread(&self, key: &str) -> bool {
        let is_within = |whole: &String| {
            key.strip_prefix(whole.as_str()).is_some_and(|rest| {
                whole.is_empty() || rest.is_empty() || rest.starts_with(['.', '['])
            })
        };
        self.unread.borrow().iter().any(is_within)
    }
}

/// What a document is called, and its text for messages.
pub(crate) struct Source<'a> {
    /// Completes "failed to read": `scenario`.
    pub kind: &'static str,
    /// What a table is called in its language.
    pub table_name: &'static str,
    pub name: &'a str,
    pub text: &'a str,
}

impl Source<'_> {
    /// Reads the document into a `T` and checks it, with every finding at its place. What `check`
    /// finds about a value that could not be read is left out: it is about a stand-in.
    pub fn read<T: Read>(
        &self,
        document: &Value,
        shown: impl FnOnce() -> String,
        check: impl FnOnce(&mut T) -> Vec<Finding>,
    ) -> Result<T, Problems> {
        let notes = Notes {
            table_name: self.table_name,
            findings: RefCell::default(),
            places: RefCell::default(),
            unread: RefCell::default(),
        };
        let mut read = T::read(Node::root(&notes, document));
        let mut findings = notes.findings.take();
        for finding in check(&mut read) {
            let involved = || finding.because_of.iter().chain([&finding.key]);
            if !involved().any(|key| notes.is_unread(key)) {
                findings.push((notes.place(&finding.key), finding));
            }
        }
        if findings.is_empty() {
            return Ok(read);
        }
        Err(self.problems(findings, Some(shown())))
    }

    /// The errors of a text that is not even in its language. Where the text may not be shown, the
    /// messages say where in it they are.
    pub fn syntax(&self, errors: Vec<SyntaxError>, may_show: bool) -> Problems {
        let finding = |error: SyntaxError| {
            let mut message = error.message;
            if !may_show {
                let Place { line, column, .. } = Place::new("", self.text, error.span.clone());
                message.push_str(&format!(" at line {line}, column {column}"));
            }
            (error.span, Finding::new("", message).hint(error.hint))
        };
        let shown = may_show.then(|| self.text.to_owned());
        self.problems(errors.into_iter().map(finding).collect(), shown)
    }

    /// What is wrong, each at its place, with the text as it may be shown.
    pub fn problems(&self, mut findings: Vec<(Span, Finding)>, shown: Option<String>) -> Problems {
        findings.sort_by_key(|(span, _)| span.start);
        let problem = |(span, finding): (Span, Finding)| {
            finding.into_problem(Some(Place::new(self.name, self.text, span)))
        };
        let list = findings.into_iter().map(problem).collect();
        let shown = shown.map(|text| NamedSource::new(self.name, text));
        Problems::new(format!("{} {}", self.kind, self.name), list, shown)
    }
}

/// The findings about something that was never written in a file.
pub(crate) fn unplaced(subject: String, findings: Vec<Finding>) -> Result<(), Problems> {
    if findings.is_empty() {
        return Ok(());
    }
    let problem = |finding: Finding| finding.into_problem(None);
    Err(Problems::new(
        subject,
        findings.into_iter().map(problem).collect(),
        None,
    ))
}

/// What to say of a number that is not in a range: message and hint.
pub(crate) fn out_of_range(
    number: impl std::fmt::Display,
    range: &std::ops::RangeInclusive<u32>,
) -> (String, String) {
    (
        format!("{number} is out of range"),
        format!("write {} to {}", range.start(), range.end()),
    )
}
