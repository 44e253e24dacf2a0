//! `result.json`.

use crate::{About, Environment};
use farcall_diagnosis::Diagnosis;
use farcall_scenario::IceTransportPolicy;
use farcall_timeline::Measured;
use farcall_verdict::{Check, Judgement, PeerResult, PhaseTimes, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::OffsetDateTime;

/// The version of `result.json`. It grows with every change of its fields: who reads a version refuses what that does
/// not have.
pub const SCHEMA_VERSION: u32 = 2;

/// What came of a run: the content of `result.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunResult {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The scenario's name.
    pub scenario: String,
    /// The ICE configuration's name.
    pub ice_configuration: String,
    /// The transport policy in force.
    pub policy: IceTransportPolicy,
    /// What the run came to.
    pub verdict: Verdict,
    /// Why the call fell short, if it did: also where the scenario expects no more.
    pub diagnosis: Option<Diagnosis>,
    /// The seed that the run was given: it decides what emulated links lose and delay, and random ports.
    pub seed: u64,
    /// The session that the run's containers and networks were labelled with.
    pub session: String,
    /// When the run began (RFC 3339, UTC).
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started_at: OffsetDateTime,
    /// How long each phase took.
    pub phases: PhaseTimes,
    /// The versions of what the run depended on.
    pub environment: Environment,
    /// Every check, in the order in which a run goes.
    pub checks: Vec<Check>,
    /// Every measurement of the lab before the call.
    pub attestation: Vec<Measured>,
    /// What happened at each peer, by name.
    pub peers: BTreeMap<String, PeerResult>,
    /// Every file of the run, relative to its directory.
    pub files: Vec<String>,
}

impl RunResult {
    /// Puts together what is known of a run.
    #[must_use]
    pub fn new(
        about: &About,
        judgement: Judgement,
        diagnosis: Option<Diagnosis>,
        files: Vec<String>,
    ) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            scenario: about.scenario.clone(),
            ice_configuration: about.ice_configuration.clone(),
            policy: about.policy,
            verdict: judgement.verdict,
            diagnosis,
            seed: about.seed,
            session: about.session.clone(),
            started_at: about.started_at,
            phases: judgement.phases,
            environment: about.environment.clone(),
            checks: judgement.checks,
            attestation: judgement.attestation,
            peers: judgement.peers,
            files,
        }
    }
}

/// The JSON Schema of `result.json`, generated from [`RunResult`].
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(RunResult).to_value()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::MatrixResult;
    use crate::stored::tests::{about, stored};
    use farcall_timeline::Entry;
    use farcall_verdict::sample::Sample;
    use std::path::Path;

    fn result() -> serde_json::Value {
        let directory = tempfile::tempdir().unwrap();
        let run = stored(&directory, &about(), &Sample::good());
        serde_json::to_value(run.result).unwrap()
    }

    /// With `FARCALL_UPDATE=1` in the environment, writes the file instead.
    #[test]
    fn the_schemas_in_the_repository_are_up_to_date() {
        let all = [
            ("result", schema()),
            ("event", schemars::schema_for!(Entry).to_value()),
            ("matrix", schemars::schema_for!(MatrixResult).to_value()),
        ];
        for (name, schema) in all {
            let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
            let path = directory.join(format!("{name}.schema.json"));
            let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
            if std::env::var_os("FARCALL_UPDATE").is_some() {
                std::fs::write(&path, &text).unwrap();
            }
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                kept == text,
                "{} is out of date: FARCALL_UPDATE=1 cargo test -p farcall-report",
                path.display()
            );
        }
    }

    #[test]
    fn every_event_of_a_call_validates() {
        let schema = schemars::schema_for!(Entry).to_value();
        let validator = jsonschema::validator_for(&schema).unwrap();
        for entry in Sample::good().timeline().entries() {
            let mut event = serde_json::to_value(entry).unwrap();
            assert!(validator.is_valid(&event), "{event}");
            event["unknown"] = true.into();
            assert!(!validator.is_valid(&event), "{event}");
        }
    }

    #[test]
    fn a_result_validates() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let result = result();
        let errors: Vec<String> = validator
            .iter_errors(&result)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }

    #[test]
    fn a_result_with_something_missing_wrong_or_unknown_does_not() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let mut missing = result();
        missing.as_object_mut().unwrap().remove("verdict");
        assert!(!validator.is_valid(&missing));
        let mut wrong = result();
        wrong["verdict"] = "perhaps".into();
        assert!(!validator.is_valid(&wrong));
        let mut unknown = result();
        unknown["peers"]["alice"]["mood"] = "good".into();
        assert!(!validator.is_valid(&unknown));
    }

    #[test]
    fn a_result_reads_as_people_were_promised() {
        let result = result();
        assert_eq!(result["verdict"], "pass");
        assert_eq!(result["phases"]["raise_ms"], 2_000.0);
        assert_eq!(result["started_at"], "2026-01-02T03:04:05Z");
        let alice = &result["peers"]["alice"];
        assert_eq!(alice["ice_servers"][1]["transport"], "tcp");
        assert_eq!(alice["ice_servers"][1]["outcome"], "allocated");
        assert_eq!(alice["selected_pair"]["local"]["type"], "relay");
        assert_eq!(alice["selected_pair"]["local"]["relay_protocol"], "tcp");
        assert_eq!(alice["media"]["audio"]["received"]["frames_intact"], 149);
        assert_eq!(alice["media"]["data"]["sent"]["messages"], 30);
        let back: RunResult = serde_json::from_value(result).unwrap();
        assert_eq!(back.schema_version, SCHEMA_VERSION);
    }
}
