//! From JSON to the tree.

use super::{Entry, Kind, SyntaxError, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::{ParseError, ParseErrorKind};
use jsonc_parser::{CollectOptions, ParseOptions, ParseStringErrorKind, ast, parse_to_ast};

/// JSON as RFC 8259 has it, without the extensions that the parser knows.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Reads JSON. The error never repeats anything from the text.
pub(crate) fn parse_json(text: &str) -> Result<Value, SyntaxError> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &STRICT);
    let parsed = parsed.map_err(|error| syntax_error(&error))?;
    parsed.value.map(value).ok_or_else(|| SyntaxError {
        message: "the file is empty".to_owned(),
        hint: "write `{ \"iceServers\": [] }`, with the servers of the application in the brackets",
        span: 0..0,
    })
}

fn syntax_error(error: &ParseError) -> SyntaxError {
    let message = match error.kind() {
        // Its own message quotes the escape sequence, which may be part of a credential.
        ParseErrorKind::String(ParseStringErrorKind::InvalidUnicodeEscapeSequence(_)) => {
            "Invalid unicode escape sequence".to_owned()
        }
        kind => kind.to_string(),
    };
    SyntaxError {
        message: format!("this is not JSON: {message}"),
        hint: "the text is not shown here, for it may hold credentials",
        span: error.range().start..error.range().end,
    }
}

fn value(found: ast::Value<'_>) -> Value {
    let span = found.start()..found.end();
    let kind = match found {
        ast::Value::StringLit(text) => Kind::Text(text.value.into_owned()),
        ast::Value::NumberLit(number) => number
            .value
            .parse()
            .map(Kind::Integer)
            .or_else(|_| number.value.parse().map(Kind::Fraction))
            .unwrap_or(Kind::Other("no number")),
        ast::Value::BooleanLit(truth) => Kind::Bool(truth.value),
        ast::Value::Array(list) => Kind::List(list.elements.into_iter().map(value).collect()),
        ast::Value::Object(object) => {
            Kind::Table(object.properties.into_iter().map(entry).collect())
        }
        ast::Value::NullKeyword(_) => Kind::Other("null"),
    };
    Value { kind, span }
}

fn entry(property: ast::ObjectProp<'_>) -> Entry {
    Entry {
        key_span: property.name.start()..property.name.end(),
        value: value(property.value),
        key: property.name.into_string(),
    }
}
