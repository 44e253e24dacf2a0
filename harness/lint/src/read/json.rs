//! JSON, with comments and trailing commas.

use super::{Broken, Reading};
use crate::configuration::Configuration;
use crate::mask::Mask;
use crate::place::Span;
use crate::tree::{Entry, Kind, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{
    CollectOptions, CommentCollectionStrategy, ParseOptions, ParseStringErrorKind, ast,
    parse_to_ast,
};

/// What a file must hold.
pub(super) const LOOKED_FOR: &str = "looked for an object with `iceServers`, at any depth, or a list of \
     entries with `urls`; write for example `{ \"iceServers\": [{ \"urls\": \"turn:turn.example.net\", \
     \"username\": \"...\", \"credential\": \"...\" }] }`";

/// What editors take as JSON with comments.
const WITH_COMMENTS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: false,
    allow_trailing_commas: true,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

pub(super) fn read(text: &str) -> Result<Reading, Broken> {
    let collect = CollectOptions {
        comments: CommentCollectionStrategy::Separate,
        tokens: false,
    };
    let parsed = parse_to_ast(text, &collect, &WITH_COMMENTS).map_err(|error| broken(&error))?;
    let mut mask = Mask::default();
    for comment in parsed
        .comments
        .iter()
        .flat_map(|map| map.values())
        .flat_map(|each| each.iter())
    {
        mask.hide(comment.start() + 2..comment.end());
    }
    let Some(found) = parsed.value else {
        return Err(Broken {
            message: "the file is empty".to_owned(),
            at: 0,
        });
    };
    let document = value(found, &mut mask);
    let mut configurations = Vec::new();
    find(&document, None, &mut configurations);
    for configuration in &configurations {
        mask.show(configuration);
    }
    Ok(Reading {
        configurations,
        computed: Vec::new(),
        mask,
    })
}

fn broken(error: &ParseError) -> Broken {
    let message = match error.kind() {
        // Its own message quotes the escape sequence, which may be part of a credential.
        ParseErrorKind::String(ParseStringErrorKind::InvalidUnicodeEscapeSequence(_)) => {
            "invalid unicode escape sequence".to_owned()
        }
        kind => kind.to_string(),
    };
    Broken {
        message,
        at: error.range().start,
    }
}

/// Configurations, wherever in the document they are: the whole, or under `iceServers`.
fn find(value: &Value, name: Option<&str>, found: &mut Vec<Configuration>) {
    match &value.kind {
        Kind::Table(entries) => {
            for entry in entries {
                let is_it = entry.key.as_deref() == Some("iceServers");
                if is_it && matches!(entry.value.kind, Kind::List(_)) {
                    let policy = value.get("iceTransportPolicy").map(|entry| &entry.value);
                    let (span, list) = (entry.key_span.clone(), &entry.value);
                    let name = name.map(str::to_owned);
                    found.push(Configuration::read(name, span, list, policy));
                } else {
                    find(&entry.value, entry.key.as_deref(), found);
                }
            }
        }
        Kind::List(values) if values.iter().any(has_urls) => {
            let span = value.span.start..value.span.start + 1;
            let name = name.map(str::to_owned);
            found.push(Configuration::read(name, span, value, None));
        }
        Kind::List(values) => {
            for value in values {
                find(value, name, found);
            }
        }
        _ => {}
    }
}

fn has_urls(value: &Value) -> bool {
    value.get("urls").is_some() || value.get("url").is_some() && value.get("credential").is_some()
}

fn value(found: ast::Value<'_>, mask: &mut Mask) -> Value {
    let span = found.start()..found.end();
    let kind = match found {
        ast::Value::StringLit(text) => {
            mask.hide(inside(&span));
            Kind::Text(text.value.into_owned())
        }
        ast::Value::NumberLit(_) => {
            mask.hide(span.clone());
            Kind::Other("a number")
        }
        ast::Value::BooleanLit(_) => Kind::Other("true or false"),
        ast::Value::Array(list) => {
            let members = list.elements.into_iter();
            Kind::List(members.map(|member| value(member, mask)).collect())
        }
        ast::Value::Object(object) => {
            let entries = object.properties.into_iter();
            Kind::Table(entries.map(|property| entry(property, mask)).collect())
        }
        ast::Value::NullKeyword(_) => Kind::Other("null"),
    };
    Value { kind, span }
}

fn entry(property: ast::ObjectProp<'_>, mask: &mut Mask) -> Entry {
    Entry {
        key_span: property.name.start()..property.name.end(),
        value: value(property.value, mask),
        key: Some(property.name.into_string()),
    }
}

/// A text without its quotes.
fn inside(span: &Span) -> Span {
    span.start + 1..span.end.saturating_sub(1).max(span.start + 1)
}
