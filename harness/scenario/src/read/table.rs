//! A table with known keys.

use super::nearest::nearest;
use super::{Finding, Node, Notes, Read, did_you_mean};
use crate::document::{Entry, Kind, Span};

/// A table that is being read. Each key is asked for by name; what nobody asked for is unknown.
pub(crate) struct Table<'a> {
    notes: &'a Notes,
    path: String,
    /// `None` where there is no table and that has been noted.
    entries: Option<&'a [Entry]>,
    known: Vec<&'static str>,
    /// Required keys that are not there.
    missing: Vec<(&'static str, Finding)>,
    /// Keys that are wrong here, with what to write instead.
    retired: Vec<(&'static str, &'static str)>,
}

impl<'a> Table<'a> {
    pub(super) fn new(notes: &'a Notes, path: String, entries: Option<&'a [Entry]>) -> Self {
        Self {
            notes,
            path,
            entries,
            known: Vec::new(),
            missing: Vec::new(),
            retired: Vec::new(),
        }
    }

    /// The value of a key that must be there. The example is what a person could write.
    pub fn required<T: Read>(&mut self, key: &'static str, example: &str) -> T {
        self.required_with(key, example, T::read)
    }

    /// As [`required`](Self::required), read in a particular way.
    pub fn required_with<T>(
        &mut self,
        key: &'static str,
        example: &str,
        read: impl FnOnce(Node<'a>) -> T,
    ) -> T {
        let mut node = self.node(key);
        let example = format!("write for example `{example}`");
        if !node.is_written() {
            let finding = Finding::new(node.path.clone(), format!("`{key}` is missing"));
            self.missing.push((key, finding.hint(example.clone())));
            self.notes.unread.borrow_mut().insert(node.path.clone());
        }
        node.example = Some(example);
        read(node)
    }

    /// The value of a key that may be left out.
    pub fn optional<T: Read>(&mut self, key: &'static str) -> Option<T> {
        self.optional_with(key, T::read)
    }

    /// As [`optional`](Self::optional), read in a particular way.
    pub fn optional_with<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(Node<'a>) -> T,
    ) -> Option<T> {
        let node = self.node(key);
        node.is_written().then(|| read(node))
    }

    /// Names a key that some people write here, and what to do instead.
    pub fn retired(&mut self, key: &'static str, hint: &'static str) {
        self.retired.push((key, hint));
    }

    /// The path of a key of this table.
    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    fn node(&mut self, key: &'static str) -> Node<'a> {
        self.known.push(key);
        let path = self.path_of(key);
        let entry = self
            .entries
            .and_then(|entries| entries.iter().find(|entry| entry.key == key));
        if let Some(entry) = entry {
            let place = match entry.value.kind {
                Kind::Table(_) | Kind::List(_) => &entry.key_span,
                _ => &entry.value.span,
            };
            self.notes
                .places
                .borrow_mut()
                .insert(path.clone(), place.clone());
        }
        Node {
            notes: self.notes,
            path,
            value: entry.map(|entry| &entry.value),
            example: None,
        }
    }

    /// Notes what nobody asked for, and what was asked for in vain.
    pub(super) fn finish(self) {
        let Some(entries) = self.entries else { return };
        let mut missing = self.missing.clone();
        let mut seen: Vec<&str> = Vec::new();
        for entry in entries {
            let key = entry.key.as_str();
            if seen.contains(&key) {
                let finding = Finding::new(self.path_of(key), format!("`{key}` is written twice"));
                self.note(entry.key_span.clone(), finding.hint("keep one of them"));
            } else if !self.known.contains(&key) {
                self.note(entry.key_span.clone(), self.unknown(key));
                // What is misspelt is not missing as well.
                let meant = nearest(key, self.known.iter().copied());
                missing.retain(|(missing, _)| Some(*missing) != meant);
            }
            seen.push(key);
        }
        for (_, finding) in missing {
            self.note(self.notes.place(&self.path), finding);
        }
    }

    fn note(&self, place: Span, finding: Finding) {
        self.notes.findings.borrow_mut().push((place, finding));
    }

    fn unknown(&self, key: &str) -> Finding {
        let retired = self.retired.iter().find(|(retired, _)| *retired == key);
        let hint = match retired {
            Some((_, hint)) => (*hint).to_owned(),
            None => did_you_mean(key, self.known.iter().copied()),
        };
        Finding::new(self.path_of(key), format!("unknown key `{key}`")).hint(hint)
    }
}
