//! What was written, JSON or JavaScript, as one kind of tree in which everything has its place.

use crate::place::Span;

/// Stands in a text for a part that is computed when the program runs.
pub(crate) const HOLE: char = '\u{fffc}';

/// A value and its place.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub kind: Kind,
    pub span: Span,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// A text, with [`HOLE`] for each part that is computed.
    Text(String),
    List(Vec<Value>),
    Table(Vec<Entry>),
    /// One or the other, as the program decides when it runs.
    Either(Vec<Value>),
    /// What only the running program knows.
    Computed,
    /// What no part of an ICE configuration is, by its name: a number, `null`.
    Other(&'static str),
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// `None` for what a spread brings in that cannot be followed.
    pub key: Option<String>,
    pub key_span: Span,
    pub value: Value,
}

impl Value {
    pub fn new(kind: Kind, span: Span) -> Self {
        Self { kind, span }
    }

    pub fn computed(span: Span) -> Self {
        Self::new(Kind::Computed, span)
    }

    /// The value under a key, the last one where the key is written more than once; what is not written
    /// may be in a spread that cannot be followed.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        let Kind::Table(entries) = &self.kind else {
            return None;
        };
        let last = |wanted| {
            entries
                .iter()
                .rev()
                .find(|one| one.key.as_deref() == wanted)
        };
        last(Some(key)).or_else(|| last(None))
    }

    /// The values of a list, each possible one, with [`Kind::Computed`] for what cannot be followed.
    pub fn members(&self) -> Vec<&Value> {
        match &self.kind {
            Kind::List(values) | Kind::Either(values) => {
                values.iter().flat_map(Value::alternatives).collect()
            }
            _ => vec![self],
        }
    }

    fn alternatives(&self) -> Vec<&Value> {
        match &self.kind {
            // `condition ? entry : null` is an entry or none.
            Kind::Either(values) => values
                .iter()
                .filter(|value| !matches!(value.kind, Kind::Other(_)))
                .flat_map(Value::alternatives)
                .collect(),
            _ => vec![self],
        }
    }
}
