//! From the text of a file to the configurations in it.

use crate::{Span, Value, json, script};
use oxc_span::SourceType;
use std::fmt;
use std::path::Path;

/// A text that was read.
#[derive(Debug)]
pub struct Document {
    /// What it is written in.
    pub language: Language,
    /// The whole, where it is JSON.
    pub root: Option<Value>,
    /// The configurations in it, in the order of the text.
    pub configurations: Vec<Written>,
    /// Places of what would be one, were it not computed when the program runs.
    pub computed: Vec<Span>,
    /// Literals and comments: whatever may be or hold a credential.
    pub literals: Vec<Span>,
}

/// An ICE configuration as it is written.
#[derive(Debug, Clone)]
pub struct Written {
    /// The function, method or variable that it stands in, or the key that it stands under.
    pub name: Option<String>,
    /// The place of `iceServers`, or of the list.
    pub span: Span,
    /// Its servers.
    pub servers: Value,
    /// The object in which the servers stand under `iceServers`, if they do.
    pub object: Option<Value>,
    /// Places at which the program decides when it runs: choices, and changes of a list.
    pub decided: Vec<Span>,
}

impl Written {
    /// What stands under `iceTransportPolicy`.
    #[must_use]
    pub fn policy(&self) -> Option<&Value> {
        let entry = self.object.as_ref()?.get("iceTransportPolicy")?;
        Some(&entry.value)
    }
}

/// A text is not in its language. Nothing of its literals is repeated in the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// What it should be.
    pub language: Language,
    /// What the parser says.
    pub message: String,
    /// The bytes that it says it of.
    pub span: Span,
}

/// `this is not JSON: Unterminated string literal`.
impl fmt::Display for SyntaxError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "this is not {}: {}", self.language, self.message)
    }
}

impl std::error::Error for SyntaxError {}

/// What a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// JSON, with comments and trailing commas or without.
    Json,
    /// JavaScript or TypeScript.
    Script,
    /// One of these: the file's name does not say which.
    Either,
}

impl Language {
    /// What was looked for in a text of this language, for a message that says that there is none.
    #[must_use]
    pub fn looked_for(self) -> String {
        match self {
            Self::Json => json::LOOKED_FOR.to_owned(),
            Self::Script => script::LOOKED_FOR.to_owned(),
            Self::Either => format!(
                "{}; then, as in JavaScript, {}",
                json::LOOKED_FOR,
                script::LOOKED_FOR
            ),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Json => "JSON",
            Self::Script => "JavaScript or TypeScript",
            Self::Either => "JSON, JavaScript or TypeScript",
        })
    }
}

/// A parser did not get through the text.
pub(crate) struct Broken {
    pub message: String,
    pub span: Span,
}

impl Broken {
    fn in_language(self, language: Language, text: &str) -> SyntaxError {
        let boundary = |at: usize| {
            let mut at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        SyntaxError {
            language,
            message: self.message,
            span: boundary(self.span.start)..boundary(self.span.end),
        }
    }
}

/// The configurations in a text, of which there may be none. The file's name says its language: JSON (`.json`, `.jsonc`,
/// `.json5`), JavaScript or TypeScript (`.js`, `.ts`, `.mjs`, `.tsx` and so on), or, for other names, whichever of them it
/// is.
///
/// # Errors
/// When the text is not in that language.
pub fn read(file: &str, text: &str) -> Result<Document, SyntaxError> {
    match of_name(file) {
        Some(Source::Json) => {
            json::read(text).map_err(|broken| broken.in_language(Language::Json, text))
        }
        Some(Source::Script(source_type)) => script::read(text, source_type)
            .map_err(|broken| broken.in_language(Language::Script, text)),
        None => {
            let read = json::read(text).or_else(|broken| {
                let either = script::read(text, SourceType::ts());
                either.map_err(|_| broken.in_language(Language::Either, text))
            });
            read.map(|document| Document {
                language: Language::Either,
                ..document
            })
        }
    }
}

/// How a file is read.
enum Source {
    Json,
    Script(SourceType),
}

fn of_name(file: &str) -> Option<Source> {
    let extension = Path::new(file).extension()?.to_str()?.to_ascii_lowercase();
    match extension.as_str() {
        "json" | "jsonc" | "json5" => Some(Source::Json),
        // Both may hold JSX, and TypeScript reads all of JavaScript that is not JSX.
        other => SourceType::from_extension(other).ok().map(Source::Script),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use rstest::rstest;

    /// What is hidden of a text, in its order.
    fn literals<'t>(file: &str, text: &'t str) -> Vec<&'t str> {
        let mut literals = read(file, text).unwrap().literals;
        literals.sort_by_key(|span| span.start);
        let texts = literals.into_iter().map(|span| &text[span]);
        texts.collect()
    }

    #[test]
    fn literals_and_comments_are_told_in_both_languages() {
        let json = r#"{ "a": "x", /* y */ "b": [12, true] }"#;
        assert_eq!(literals("a.json", json), ["x", " y */", "12"]);
        let script = "const a = { b: 'x', c: `y${d}z` }; // w";
        assert_eq!(literals("a.ts", script), ["x", "y", "z", " w"]);
    }

    #[rstest]
    #[case::json("ice.json", Language::Json)]
    #[case::json_with_comments("ICE.JSONC", Language::Json)]
    #[case::neither("ice", Language::Either)]
    fn the_name_says_the_language(#[case] file: &str, #[case] language: Language) {
        let document = read(file, r#"[{ "urls": "stun:a" }]"#).unwrap();
        assert_eq!(document.language, language);
        assert_eq!(document.configurations.len(), 1);
    }

    #[test]
    fn a_script_is_no_json_and_json_is_no_script() {
        let (json, script) = (r#"{ "iceServers": [] }"#, "x({ iceServers: [] })");
        assert_eq!(read("a.json", script).unwrap_err().language, Language::Json);
        assert_eq!(read("a.ts", json).unwrap_err().language, Language::Script);
        assert_eq!(read("a", "{ [").unwrap_err().language, Language::Either);
    }

    #[rstest]
    #[case::nothing("x({ iceServers: [{ urls: 'stun:a' }].filter(Boolean) })", &[])]
    #[case::a_choice("x({ iceServers: [a ? { urls: 'stun:a' } : b] })", &["a ? { urls: 'stun:a' } : b"])]
    #[case::a_condition("x({ iceServers: [a && { urls: 'stun:a' }] })", &["a && { urls: 'stun:a' }"])]
    #[case::a_change("const l = [{ urls: 'stun:a' }]; l.push(b); x({ iceServers: l })", &["b"])]
    #[case::a_choice_elsewhere("const c = a ? 1 : 2; x({ iceServers: [{ urls: 'stun:a' }] })", &[])]
    fn what_the_program_decides_is_told(#[case] text: &str, #[case] decided: &[&str]) {
        let document = read("a.ts", text).unwrap();
        let written = document.configurations.first().unwrap();
        let told = written.decided.iter().map(|span| &text[span.clone()]);
        assert_eq!(told.collect::<Vec<_>>(), decided);
    }
}
