//! Reading and checking scenarios.

use crate::Rate;
use crate::document::{Kind, Value, mask_comments, mask_values, parse_toml};
use crate::file;
use crate::model::{LinkDirectionOverride, Scenario, Written};
use crate::problem::{InputError, Place, Problems};
use crate::read::{Source, likeness, unplaced};
use crate::validate;
use std::path::Path;

/// Keys under which some people write a credential.
const SECRET_KEYS: [&str; 5] = ["credential", "credentials", "password", "secret", "token"];

/// How like one of them a word must be to be taken for a slip of it, of 1.
const SECRET_LIKENESS: f64 = 0.9;

impl Scenario {
    /// Reads a scenario file's text. `name` is the file's name, with or without `.toml`; the
    /// scenario gets it too.
    ///
    /// # Errors
    /// With everything that is wrong, each at its place in the text.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        let source = Source {
            kind: "scenario",
            table_name: "a table",
            name,
            text,
        };
        // Without its structure no credential can be told from the rest of the text.
        let document =
            parse_toml(text).map_err(|errors| source.syntax(errors, !mentions_secret(text)))?;
        let shown = || mask_values(&mask_comments(text, mentions_secret), &document, may_show);
        source.read(&document, shown, |scenario: &mut Self| {
            scenario.name = scenario_name(name);
            scenario.written = Some(expectations(name, text, &document));
            validate::check(scenario)
        })
    }

    /// Reads a scenario file and the traces that it names.
    ///
    /// # Errors
    /// When a file cannot be read, or as [`parse`](Self::parse).
    pub fn load(path: &Path) -> Result<Self, InputError> {
        let text = file::read(path)?;
        let mut scenario = Self::parse(&path.display().to_string(), &text)?;
        let directory = path.parent().unwrap_or(Path::new(""));
        let sites = scenario.sites.values_mut();
        for link in sites.filter_map(|site| site.link_override.as_mut()) {
            load_trace(directory, &mut link.up)?;
            load_trace(directory, &mut link.down)?;
        }
        Ok(scenario)
    }

    /// Checks a scenario that was made in code as one that was read is checked.
    ///
    /// # Errors
    /// With everything that is wrong, each by its path of keys.
    pub fn validate(&self) -> Result<(), Problems> {
        unplaced(format!("scenario {}", self.name), validate::check(self))
    }
}

fn load_trace(directory: &Path, direction: &mut LinkDirectionOverride) -> Result<(), InputError> {
    if let Some(trace) = &direction.trace {
        let path = directory.join(trace);
        let text = file::read_up_to(&path, file::LARGEST_TRACE_BYTES)?;
        let rate = Rate::from_mahimahi(&text);
        let rate = rate.map_err(|source| InputError::Trace { path, source })?;
        direction.trace_rate = Some(rate);
    }
    Ok(())
}

/// The name of the scenario in a file: the file's without directory and `.toml`.
pub(crate) fn scenario_name(file: &str) -> String {
    let name = Path::new(file)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    name.strip_suffix(".toml").unwrap_or(&name).to_owned()
}

/// Where a scenario says what it expects; where it does not, its beginning.
fn expectations(file: &str, text: &str, document: &Value) -> Written {
    let start = match &document.kind {
        Kind::Table(entries) => entries.iter().find(|entry| entry.key == "expect"),
        _ => None,
    };
    let span = start.map_or(0..0, |entry| entry.key_span.clone());
    Written {
        file: file.to_owned(),
        line: Place::new(file, text, span).line,
    }
}

fn may_show(key: &str, _value: &str) -> bool {
    !sounds_secret(key)
}

fn sounds_secret(word: &str) -> bool {
    let mut keys = SECRET_KEYS.iter();
    keys.any(|key| likeness(word, key) >= SECRET_LIKENESS)
}

/// Whether any word of the text could be a key under which a credential stands.
fn mentions_secret(text: &str) -> bool {
    let words = text.split(|character: char| !character.is_alphanumeric());
    words.filter(|word| !word.is_empty()).any(sounds_secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_sound_like_a_credential_are_recognised() {
        for text in [
            "credential = 1",
            "credentail",
            "# my pasword",
            "api_token",
            "SECRET",
        ] {
            assert!(mentions_secret(text), "{text}");
        }
    }

    #[test]
    fn the_words_of_scenarios_do_not() {
        let words = "description tags sites lan gateway nat nat_override firewall carrier network \
            mapping filtering udp_timeout_s name site muted policy media_ms connects within_ms \
            gathering_timeout_ms account username relayed selected_pair local remote passes passed \
            second seconds sent taken corporate";
        for word in words.split_whitespace() {
            assert!(!mentions_secret(word), "{word}");
        }
    }
}
