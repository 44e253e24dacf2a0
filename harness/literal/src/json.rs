//! JSON, with comments and trailing commas.

use crate::read::{Broken, Document, Language, Written};
use crate::{Entry, Kind, Span, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{
    CollectOptions, CommentCollectionStrategy, ParseOptions, ParseStringErrorKind, ast,
    parse_to_ast,
};

/// What a file must hold.
pub(crate) const LOOKED_FOR: &str = "looked for an object with `iceServers`, at any depth, or a list of \
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

pub(crate) fn read(text: &str) -> Result<Document, Broken> {
    let collect = CollectOptions {
        comments: CommentCollectionStrategy::Separate,
        tokens: false,
    };
    let parsed = parse_to_ast(text, &collect, &WITH_COMMENTS).map_err(|error| broken(&error))?;
    let comments = parsed.comments.iter().flat_map(|map| map.values());
    let comments = comments.flat_map(|each| each.iter());
    let mut literals: Vec<Span> = comments
        .map(|comment| comment.start() + 2..comment.end())
        .collect();
    let Some(found) = parsed.value else {
        return Err(Broken {
            message: "the file is empty".to_owned(),
            span: 0..0,
        });
    };
    let root = value(found, &mut literals);
    // A comment is listed by what stands before it and by what stands after it.
    literals.sort_by_key(|span| span.start);
    literals.dedup();
    let mut configurations = Vec::new();
    find(&root, None, &mut configurations);
    Ok(Document {
        language: Language::Json,
        root: Some(root),
        configurations,
        computed: Vec::new(),
        literals,
    })
}

fn broken(error: &ParseError) -> Broken {
    let message = match error.kind() {
        // Its own message quotes the escape sequence, which may be part of a credential.
        ParseErrorKind::String(ParseStringErrorKind::InvalidUnicodeEscapeSequence(_)) => {
            "Invalid unicode escape sequence".to_owned()
        }
        kind => kind.to_string(),
    };
    Broken {
        message,
        span: error.range().start..error.range().end,
    }
}

/// Configurations, wherever in the document they are: the whole, or under `iceServers`.
fn find(value: &Value, name: Option<&str>, found: &mut Vec<Written>) {
    match &value.kind {
        Kind::Table(entries) => {
            for entry in entries {
                let is_it = entry.key.as_deref() == Some("iceServers");
                if is_it && matches!(entry.value.kind, Kind::List(_)) {
                    found.push(Written {
                        name: name.map(str::to_owned),
                        span: entry.key_span.clone(),
                        servers: entry.value.clone(),
                        object: Some(value.clone()),
                        decided: Vec::new(),
                    });
                } else {
                    find(&entry.value, entry.key.as_deref(), found);
                }
            }
        }
        Kind::List(values) if values.iter().any(has_urls) => {
            found.push(Written {
                name: name.map(str::to_owned),
                span: value.span.start..value.span.start + 1,
                servers: value.clone(),
                object: None,
                decided: Vec::new(),
            });
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

fn value(found: ast::Value<'_>, literals: &mut Vec<Span>) -> Value {
    let span = found.start()..found.end();
    let kind = match found {
        ast::Value::StringLit(text) => {
            literals.push(inside(&span));
            Kind::Text(text.value.into_owned())
        }
        ast::Value::NumberLit(number) => {
            literals.push(span.clone());
            Kind::Number(number.value.to_owned())
        }
        ast::Value::BooleanLit(truth) => Kind::Bool(truth.value),
        ast::Value::Array(list) => {
            let members = list.elements.into_iter();
            Kind::List(members.map(|member| value(member, literals)).collect())
        }
        ast::Value::Object(object) => {
            let entries = object.properties.into_iter();
            Kind::Table(entries.map(|property| entry(property, literals)).collect())
        }
        ast::Value::NullKeyword(_) => Kind::Null("null"),
    };
    Value { kind, span }
}

fn entry(property: ast::ObjectProp<'_>, literals: &mut Vec<Span>) -> Entry {
    Entry {
        key_span: property.name.start()..property.name.end(),
        value: value(property.value, literals),
        key: Some(property.name.into_string()),
    }
}

/// A text without its quotes.
fn inside(span: &Span) -> Span {
    span.start + 1..span.end.saturating_sub(1).max(span.start + 1)
}
