//! A baseline: the networks in which an application's calls must work, and what they must come to there.

mod check;
mod read;

use crate::document::{Kind, Value, parse_toml};
use crate::file;
use crate::model::{ExpectedPair, Scenario};
use crate::problem::{InputError, Place};
use crate::read::Source;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;
use time::Date;

/// A date as JSON has it, for `serde(with)`: `2026-12-31`.
pub mod calendar_date {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use time::Date;
    use time::macros::format_description;

    /// Writes a date.
    ///
    /// # Errors
    /// When the serializer fails.
    pub fn serialize<S: Serializer>(date: &Date, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(date)
    }

    /// Reads a date.
    ///
    /// # Errors
    /// When it is none.
    pub fn deserialize<'a, D: Deserializer<'a>>(deserializer: D) -> Result<Date, D::Error> {
        let text = String::deserialize(deserializer)?;
        let form = format_description!("[year]-[month]-[day]");
        Date::parse(&text, &form).map_err(de::Error::custom)
    }
}

/// The networks that must work: a TOML file in an application's repository.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// The file, as it was named.
    pub file: String,
    /// Its text.
    pub text: String,
    /// Its networks in order.
    pub networks: Vec<BaselineNetwork>,
}

/// A network of a baseline.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineNetwork {
    /// Its scenario.
    pub scenario: Scenario,
    /// What its calls must come to beyond what the scenario checks.
    pub expected: ExpectedNetwork,
    /// The line at which it is written, from 1.
    pub line: usize,
}

/// What calls in a network must come to. What is left out is not judged beyond the scenario's own checks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedNetwork {
    /// The scenario: a name, or the path of a file relative to the baseline's.
    pub scenario: String,
    /// The only ICE configuration with which this is expected, by name; left out: each that is given.
    pub ice: Option<String>,
    /// Whether the call connects.
    pub connects: Option<bool>,
    /// What the selected pair of each peer may be, by name.
    #[serde(default)]
    pub path: BTreeMap<String, ExpectedPair>,
    /// From the offer to both peers connected, at most, in milliseconds, 1 to 120000.
    pub connect_within_ms: Option<u32>,
    /// From the first fault to both peers connected again, at most, in milliseconds, 1 to 600000.
    pub recover_within_ms: Option<u32>,
    /// How many attempts to recover are made at most, 0 to 10.
    pub max_attempts: Option<u32>,
    /// Why it does not decide for now.
    pub quarantine: Option<Quarantine>,
}

/// Why a network does not decide for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quarantine {
    /// In words.
    pub reason: String,
    /// The last day on which it does not decide.
    #[serde(with = "calendar_date")]
    #[schemars(with = "String", extend("format" = "date"))]
    pub until: Date,
}

impl Quarantine {
    /// Whether the network decides again.
    #[must_use]
    pub fn has_expired(&self, today: Date) -> bool {
        today > self.until
    }
}

impl ExpectedNetwork {
    /// What [`connect_within_ms`](Self::connect_within_ms) may be.
    pub const CONNECT_WITHIN_MS: RangeInclusive<u32> = 1..=120_000;
    /// What [`recover_within_ms`](Self::recover_within_ms) may be.
    pub const RECOVER_WITHIN_MS: RangeInclusive<u32> = 1..=600_000;
    /// What [`max_attempts`](Self::max_attempts) may be.
    pub const MAX_ATTEMPTS: RangeInclusive<u32> = 0..=10;
}

impl Baseline {
    /// Reads a baseline's text. `find` gives the scenario of a name or a path as it is written.
    ///
    /// # Errors
    /// With everything that is wrong, each at its place in the text, or with scenario files that are wrong.
    pub fn parse(
        file: &str,
        text: &str,
        find: &dyn Fn(&str) -> Result<Scenario, InputError>,
    ) -> Result<Self, InputError> {
        let source = Source {
            kind: "baseline",
            table_name: "a table",
            name: file,
            text,
        };
        let document = parse_toml(text).map_err(|errors| source.syntax(errors, true))?;
        let mut found = check::Found::default();
        let read = source.read(
            &document,
            || text.to_owned(),
            |read: &mut read::Document| check::check(&read.networks, find, &mut found),
        );
        let expected = match found.into_scenarios() {
            Ok(scenarios) => read?.networks.into_iter().zip(scenarios),
            Err(error) => return Err(read.map_or_else(InputError::from, |_| error)),
        };
        let networks = expected.zip(lines(text, &document));
        Ok(Self {
            file: file.to_owned(),
            text: text.to_owned(),
            networks: networks
                .map(|((expected, scenario), line)| BaselineNetwork {
                    scenario,
                    expected,
                    line,
                })
                .collect(),
        })
    }

    /// Reads a baseline file and the scenarios that it names: names as [`Scenario::find`] has them, paths relative to
    /// the file.
    ///
    /// # Errors
    /// When a file cannot be read, or as [`parse`](Self::parse).
    pub fn load(path: &Path, scenarios_dir: Option<&Path>) -> Result<Self, InputError> {
        let text = file::read(path)?;
        let directory = path.parent().unwrap_or(Path::new(""));
        Self::parse(
            &path.display().to_string(),
            &text,
            &|name| match Scenario::is_path(name) {
                true => Scenario::load(&directory.join(name)),
                false => Scenario::find(name, scenarios_dir),
            },
        )
    }
}

/// The line of each network.
fn lines(text: &str, document: &Value) -> Vec<usize> {
    let Kind::Table(entries) = &document.kind else {
        return Vec::new();
    };
    let networks = entries.iter().find(|entry| entry.key == "networks");
    let Some(Kind::List(networks)) = networks.map(|entry| &entry.value.kind) else {
        return Vec::new();
    };
    let line = |network: &Value| Place::new("", text, network.span.clone()).line;
    networks.iter().map(line).collect()
}
