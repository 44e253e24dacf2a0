//! From TOML to the tree.

use super::{Entry, Kind, SyntaxError, Value};
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue, Error};

/// Reads TOML.
pub(crate) fn parse_toml(text: &str) -> Result<Value, Vec<SyntaxError>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(Value {
            kind: table(document.get_ref()),
            span: 0..0,
        });
    }
    let mut errors: Vec<SyntaxError> = errors.iter().map(syntax_error).collect();
    errors.sort_by_key(|error| error.span.start);
    Err(errors)
}

fn syntax_error(error: &Error) -> SyntaxError {
    let message = error.message();
    let hint = if message == "duplicate key" {
        "keep one of them"
    } else {
        "texts, words and addresses stand in double quotes; see https://toml.io for all else"
    };
    SyntaxError {
        message: format!("this is not TOML: {message}"),
        hint,
        span: error.span().unwrap_or_default(),
    }
}

fn table(entries: &DeTable<'_>) -> Kind {
    let entry = |(key, found): (&Spanned<_>, &Spanned<DeValue<'_>>)| Entry {
        key: String::from(std::borrow::Cow::as_ref(key.get_ref())),
        key_span: key.span(),
        value: value(found),
    };
    Kind::Table(entries.iter().map(entry).collect())
}

fn value(found: &Spanned<DeValue<'_>>) -> Value {
    let kind = match found.get_ref() {
        DeValue::String(text) => Kind::Text(text.as_ref().to_owned()),
        DeValue::Integer(number) => integer(number),
        DeValue::Boolean(truth) => Kind::Bool(*truth),
        DeValue::Array(values) => Kind::List(values.iter().map(value).collect()),
        DeValue::Table(entries) => table(entries),
        DeValue::Float(number) => number
            .as_str()
            .replace('_', "")
            .parse()
            .map_or(Kind::Other("no number"), Kind::Fraction),
        DeValue::Datetime(moment) => date(moment),
    };
    Value {
        kind,
        span: found.span(),
    }
}

fn integer(number: &DeInteger<'_>) -> Kind {
    i128::from_str_radix(number.as_str(), number.radix())
        .map_or(Kind::Other("a number beyond all bounds"), Kind::Integer)
}

/// A date alone; of nothing of ours does a time of day matter.
fn date(moment: &toml::value::Datetime) -> Kind {
    let (Some(date), None, None) = (moment.date, moment.time, moment.offset) else {
        return Kind::Other("a time");
    };
    let month = time::Month::try_from(date.month).ok();
    let date = month.and_then(|month| {
        time::Date::from_calendar_date(i32::from(date.year), month, date.day).ok()
    });
    date.map_or(Kind::Other("no day of any calendar"), Kind::Date)
}
