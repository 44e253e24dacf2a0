//! A value of the document on the way to becoming a value of a type.

use super::{Finding, Notes, Table};
use crate::document::{Entry, Kind, Span, Value};
use std::collections::BTreeMap;

/// A type that can be read out of a document.
///
/// Reading always gives a value. What is wrong is noted, and a stand-in takes its place, so that
/// everything else is still read and checked.
pub(crate) trait Read {
    fn read(node: Node<'_>) -> Self;
}

/// A value at its path; or nothing, where it is missing and that has been noted.
pub(crate) struct Node<'a> {
    pub(super) notes: &'a Notes,
    pub(super) path: String,
    pub(super) value: Option<&'a Value>,
    /// A hint with what a person could write here.
    pub(super) example: Option<String>,
}

impl<'a> Node<'a> {
    pub(super) fn root(notes: &'a Notes, document: &'a Value) -> Self {
        Self {
            notes,
            path: String::new(),
            value: Some(document),
            example: None,
        }
    }

    /// Whether there is a value.
    pub fn is_written(&self) -> bool {
        self.value.is_some()
    }

    /// What the value is.
    pub fn kind(&self) -> Option<&'a Kind> {
        self.value.map(|value| &value.kind)
    }

    /// Notes that the value cannot be used.
    pub fn reject(&self, message: impl Into<String>, hint: impl Into<String>) {
        self.note_unread(Finding::new(&self.path, message).hint(hint));
    }

    /// Notes that the value is of the wrong type.
    pub fn reject_type(&self, expected: &str) {
        if let Some(kind) = self.kind() {
            let found = match kind {
                Kind::Table(_) => self.notes.table_name,
                other => other.name(),
            };
            let message = format!("expected {expected}, found {found}");
            let mut finding = Finding::new(&self.path, message);
            finding.hint.clone_from(&self.example);
            self.note_unread(finding);
        }
    }

    fn note_unread(&self, finding: Finding) {
        if self.value.is_some() {
            let place = self.notes.place(&self.path);
            self.notes.findings.borrow_mut().push((place, finding));
            self.notes.unread.borrow_mut().insert(self.path.clone());
        }
    }

    /// Reads a table with known keys. Whatever else stands in it is noted.
    pub fn table<T>(self, read: impl FnOnce(&mut Table<'a>) -> T) -> T {
        let entries = match self.kind() {
            Some(Kind::Table(entries)) => Some(entries.as_slice()),
            _ => {
                self.reject_type(self.notes.table_name);
                None
            }
        };
        let mut table = Table::new(self.notes, self.path, entries);
        let read = read(&mut table);
        table.finish();
        read
    }

    /// Reads a table whose keys are names.
    pub fn map<T: Read>(self) -> BTreeMap<String, T> {
        let Some(Kind::Table(entries)) = self.kind() else {
            self.reject_type(self.notes.table_name);
            return BTreeMap::new();
        };
        let member = |entry: &'a Entry| {
            let path = format!("{}.{}", self.path, entry.key);
            // A name is what most findings about a member are about.
            self.notes
                .places
                .borrow_mut()
                .insert(path.clone(), entry.key_span.clone());
            let node = Node {
                notes: self.notes,
                path,
                value: Some(&entry.value),
                example: None,
            };
            (entry.key.clone(), T::read(node))
        };
        entries.iter().map(member).collect()
    }

    /// Reads a list.
    pub fn list<T: Read>(self) -> Vec<T> {
        let Some(Kind::List(values)) = self.kind() else {
            self.reject_type("a list");
            return Vec::new();
        };
        let member = |(index, value): (usize, &'a Value)| {
            let path = format!("{}[{index}]", self.path);
            self.notes
                .places
                .borrow_mut()
                .insert(path.clone(), beginning(value));
            let member = T::read(Node {
                notes: self.notes,
                path: path.clone(),
                value: Some(value),
                example: None,
            });
            // A list with a stand-in in it is not what was meant.
            let mut unread = self.notes.unread.borrow_mut();
            if unread.contains(&path) {
                unread.insert(self.path.clone());
            }
            member
        };
        values.iter().enumerate().map(member).collect()
    }

    /// The same value under the path that it would have in a complete document.
    pub fn at(self, path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..self
        }
    }
}

/// What to point at to mean a member of a list: a table by its beginning, all else as a whole.
fn beginning(member: &Value) -> Span {
    let Span { start, end } = member.span;
    match &member.kind {
        Kind::Table(entries) => match entries.first() {
            // `[[peers]]` is a place by itself; its keys stand after it.
            Some(first) if first.key_span.start < end => start..start + 1,
            _ => start..end,
        },
        _ => start..end,
    }
}
