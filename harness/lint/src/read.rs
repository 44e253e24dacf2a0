//! From the text of a file to the configurations in it.

mod json;
mod script;

use crate::configuration::Configuration;
use crate::mask::Mask;
use crate::place::{Lines, Span};
use oxc_span::SourceType;
use std::path::Path;

/// What stands in a file.
pub(crate) struct Reading {
    pub configurations: Vec<Configuration>,
    /// Places of what would be one, were it not computed when the program runs.
    pub computed: Vec<Span>,
    /// What of the text may not be shown.
    pub mask: Mask,
}

/// Why a text cannot be examined. Nothing of the text is repeated in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum ReadError {
    /// The text is not in the language that the file's name promises.
    #[error(
        "failed to read {file} at line {line}, column {column}: this is not {language}: {message}"
    )]
    #[diagnostic(help("{hint}"))]
    Syntax {
        /// The file, as it was named.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What it should be.
        language: &'static str,
        /// What the parser says.
        message: String,
        /// What to do.
        hint: &'static str,
    },
    /// There is no ICE configuration in it.
    #[error("failed to find an ICE configuration in {file}")]
    #[diagnostic(help("{hint}"))]
    NoConfiguration {
        /// The file, as it was named.
        file: String,
        /// What was looked for.
        hint: String,
    },
}

/// A parser did not get through the text.
pub(super) struct Broken {
    pub message: String,
    pub at: usize,
}

/// The languages that are read.
enum Language {
    Json,
    Script(SourceType),
}

const JSON: &str = "JSON";
const SCRIPT: &str = "JavaScript or TypeScript";

/// The configurations in a file, of which there is at least one. The file's name says its language.
pub(crate) fn read(file: &str, text: &str) -> Result<Reading, ReadError> {
    let reading = match language(file) {
        Some(Language::Json) => json::read(text).map_err(|broken| syntax(file, text, JSON, broken)),
        Some(Language::Script(source_type)) => {
            script::read(text, source_type).map_err(|broken| syntax(file, text, SCRIPT, broken))
        }
        None => json::read(text).or_else(|broken| {
            let either = script::read(text, SourceType::ts());
            either.map_err(|_| syntax(file, text, "JSON, JavaScript or TypeScript", broken))
        }),
    }?;
    if reading.configurations.is_empty() {
        return Err(ReadError::NoConfiguration {
            file: file.to_owned(),
            hint: looked_for(file, text, &reading.computed),
        });
    }
    Ok(reading)
}

/// What was looked for in vain, and what was found that cannot be read.
fn looked_for(file: &str, text: &str, computed: &[Span]) -> String {
    if let Some(first) = computed.first() {
        let line = Lines::new(text).place(first).line;
        return format!(
            "`iceServers` in line {line} is computed when the program runs, and only what is written in the \
             file can be examined: name the file in which its entries are written, or save what it comes to as JSON"
        );
    }
    match language(file) {
        Some(Language::Json) => json::LOOKED_FOR.to_owned(),
        Some(Language::Script(_)) => script::LOOKED_FOR.to_owned(),
        None => format!(
            "{}; then, as in JavaScript, {}",
            json::LOOKED_FOR,
            script::LOOKED_FOR
        ),
    }
}

fn language(file: &str) -> Option<Language> {
    let extension = Path::new(file).extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "json" | "jsonc" | "json5" => Some(Language::Json),
        // Both may hold JSX, and TypeScript reads all of JavaScript that is not JSX.
        other => SourceType::from_extension(other).ok().map(Language::Script),
    }
}

fn syntax(file: &str, text: &str, language: &'static str, broken: Broken) -> ReadError {
    let mut at = broken.at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let span: Span = at..at;
    let place = Lines::new(text).place(&span);
    ReadError::Syntax {
        file: file.to_owned(),
        line: place.line,
        column: place.column,
        language,
        message: broken.message,
        hint: "the text is not shown here, for it may hold credentials",
    }
}
