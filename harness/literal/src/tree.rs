//! What was written, JSON or JavaScript, as one kind of tree in which everything has its place.

use std::ops::Range;

/// A place in the text, in bytes.
pub type Span = Range<usize>;

/// Stands in a text for a part that is computed when the program runs.
pub const HOLE: char = '\u{fffc}';

/// A value and its place.
#[derive(Debug, Clone)]
pub struct Value {
    /// What it is.
    pub kind: Kind,
    /// Where it is written.
    pub span: Span,
}

/// What a value is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// A text, with [`HOLE`] for each part that is computed.
    Text(String),
    /// A number, in its own digits.
    Number(String),
    /// `true` or `false`.
    Bool(bool),
    /// Nothing, by its name: `null` or `undefined`.
    Null(&'static str),
    /// A list, or an array.
    List(Vec<Value>),
    /// An object.
    Table(Vec<Entry>),
    /// One or the other, as the program decides when it runs.
    Either(Vec<Value>),
    /// What only the running program knows.
    Computed,
}

/// A key with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// `None` for what a spread brings in that cannot be followed.
    pub key: Option<String>,
    /// The place of the key.
    pub key_span: Span,
    /// What stands under it.
    pub value: Value,
}

impl Value {
    pub(crate) fn new(kind: Kind, span: Span) -> Self {
        Self { kind, span }
    }

    pub(crate) fn computed(span: Span) -> Self {
        Self::new(Kind::Computed, span)
    }

    /// The value under a key, the last one where the key is written more than once; what is not written
    /// may be in a spread that cannot be followed.
    #[must_use]
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
    #[must_use]
    pub fn members(&self) -> Vec<&Value> {
        match &self.kind {
            Kind::List(values) | Kind::Either(values) => {
                values.iter().flat_map(Value::alternatives).collect()
            }
            _ => vec![self],
        }
    }

    /// Whether it is nothing, or `true`, `false` or a number, which stand for something that is left out.
    pub(crate) fn is_scalar(&self) -> bool {
        matches!(self.kind, Kind::Number(_) | Kind::Bool(_) | Kind::Null(_))
    }

    fn alternatives(&self) -> Vec<&Value> {
        match &self.kind {
            // `condition ? entry : null` is an entry or none.
            Kind::Either(values) => values
                .iter()
                .filter(|value| !value.is_scalar())
                .flat_map(Value::alternatives)
                .collect(),
            _ => vec![self],
        }
    }
}
