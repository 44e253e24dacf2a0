//! A written document, TOML or JSON, as one kind of tree in which everything has its place.

mod redact;
mod toml;

pub(crate) use farcall_literal::Span;
pub(crate) use redact::{mask_comments, mask_literals, mask_values};
pub(crate) use toml::parse_toml;

/// A value and its place.
pub(crate) struct Value {
    pub kind: Kind,
    pub span: Span,
}

/// What a value is.
pub(crate) enum Kind {
    Text(String),
    Integer(i128),
    Fraction(f64),
    Bool(bool),
    List(Vec<Value>),
    Table(Vec<Entry>),
    /// What no configuration of ours holds, by its name: a date, `null`.
    Other(&'static str),
}

/// A key with its value.
pub(crate) struct Entry {
    pub key: String,
    pub key_span: Span,
    pub value: Value,
}

/// The text is not in the document's language.
pub(crate) struct SyntaxError {
    pub message: String,
    pub hint: &'static str,
    pub span: Span,
}

impl Kind {
    /// What it is called in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "a string",
            Self::Integer(_) => "a number",
            Self::Fraction(_) => "a fraction",
            Self::Bool(_) => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table of keys",
            Self::Other(name) => name,
        }
    }
}
