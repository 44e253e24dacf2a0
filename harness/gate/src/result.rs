//! `gate.json`.

use crate::{Fingerprint, Shard};
use farcall_scenario::{ExpectedNetwork, calendar_date};
use farcall_timeline::{CandidateType, IceTransport};
use farcall_verdict::Verdict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::{Date, OffsetDateTime};

/// The version of `gate.json`. It grows with every change of its fields: who reads a version refuses what that does
/// not have.
pub const GATE_SCHEMA_VERSION: u32 = 1;

/// Whether to deploy, and why: the content of `gate.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateResult {
    /// [`GATE_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What tells it from every other; copies of it are one.
    pub id: String,
    /// The version of farcall.
    pub farcall: String,
    /// The answer. Of a shard it is that of its part alone.
    pub answer: Answer,
    /// When it began (RFC 3339, UTC).
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started_at: OffsetDateTime,
    /// The day on which quarantines were looked at.
    #[serde(with = "calendar_date")]
    #[schemars(with = "String", extend("format" = "date"))]
    pub today: Date,
    /// The seed of its runs; `None` of several shards that had different ones.
    pub seed: Option<u64>,
    /// The baseline.
    pub baseline: Fingerprint,
    /// The ICE configurations, without their accounts.
    pub ice_configurations: Vec<Fingerprint>,
    /// Which part of the baseline it is; `None`: all of it.
    pub shard: Option<Shard>,
    /// The shards that are missing from a merged result.
    pub missing_shards: Vec<u32>,
    /// How often an INVALID run was run again at most.
    pub retries: u32,
    /// All calls of the baseline, whichever shard they fall to.
    pub calls: Vec<Subject>,
    /// What came of each call of this part.
    pub entries: Vec<Entry>,
}

/// Whether to deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// All that must work does.
    Yes,
    /// Something that must work does not.
    No,
    /// The lab was at fault, or something is missing: nothing is known of the application.
    Undecided,
}

/// A call: a network with an ICE configuration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The scenario's name.
    pub scenario: String,
    /// The ICE configuration's name.
    pub ice_configuration: String,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Which call.
    pub call: Subject,
    /// The line of the baseline at which its network is written, from 1.
    pub line: usize,
    /// What this call alone says, whether it decides or not.
    pub answer: Answer,
    /// Whether it counts in the answer: not while it is quarantined.
    pub decides: bool,
    /// What the baseline says.
    pub expected: ExpectedNetwork,
    /// What was measured; `None` where no run came to its end.
    pub measured: Option<Measured>,
    /// What is not as expected.
    pub shortfalls: Vec<Shortfall>,
    /// Its runs in order, of which the last counts: more than one where INVALID ones were run again.
    pub runs: Vec<Rerun>,
}

/// A run of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rerun {
    /// Its directory, relative to that of `gate.json`.
    pub directory: String,
    /// What it came to.
    pub verdict: Verdict,
    /// The cause's name, or that of the check, where it did not pass.
    pub cause: Option<String>,
    /// Why it did not pass, in plain words.
    pub sentence: Option<String>,
    /// What to do about it.
    pub next_step: Option<String>,
}

/// What was measured in the run that counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Whether the call connected.
    pub connects: bool,
    /// The selected pair of each peer, by name.
    pub path: BTreeMap<String, PathEnd>,
    /// From the offer to both peers connected, in milliseconds.
    pub connected_after_ms: Option<f64>,
    /// From the first fault to both peers connected again, in milliseconds.
    pub recovered_after_ms: Option<f64>,
    /// How many attempts to recover were made.
    pub attempts: Option<u32>,
}

/// A peer's selected pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PathEnd {
    /// The type of its own candidate.
    pub local: CandidateType,
    /// The transport to the TURN server where that is relayed.
    pub relay_protocol: Option<IceTransport>,
    /// The type of the other's candidate.
    pub remote: CandidateType,
}

/// Something that is not as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shortfall {
    /// What: `run`, `verdict`, or a key of the baseline such as `path.alice`.
    pub what: String,
    /// What was expected, in words.
    pub expected: String,
    /// What came, in words.
    pub came: String,
}

impl std::fmt::Display for Answer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Yes => "YES",
            Self::No => "NO",
            Self::Undecided => "UNDECIDED",
        })
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} with {}",
            self.scenario, self.ice_configuration
        )
    }
}

/// The JSON Schema of `gate.json`, generated from [`GateResult`].
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(GateResult).to_value()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::testing::result;
    use std::path::Path;

    /// With `FARCALL_UPDATE=1` in the environment, writes the file instead.
    #[test]
    fn the_schema_in_the_repository_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../report/schema/gate.schema.json");
        let text = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
        if std::env::var_os("FARCALL_UPDATE").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == text,
            "{} is out of date: FARCALL_UPDATE=1 cargo test -p farcall-gate",
            path.display()
        );
    }

    #[test]
    fn a_result_validates_and_what_is_wrong_or_unknown_does_not() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let good = serde_json::to_value(result()).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&good)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
        let mut wrong = good.clone();
        wrong["answer"] = "perhaps".into();
        assert!(!validator.is_valid(&wrong));
        let mut unknown = good.clone();
        unknown["entries"][0]["mood"] = "good".into();
        assert!(!validator.is_valid(&unknown));
        let mut missing = good.clone();
        missing.as_object_mut().unwrap().remove("baseline");
        assert!(!validator.is_valid(&missing));
        let back: GateResult = serde_json::from_value(good).unwrap();
        assert_eq!(back, result());
    }
}
