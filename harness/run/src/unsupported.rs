//! Runs with an ICE configuration that no lab can have.

use crate::error::RunError;
use crate::recorder::Recorder;
use crate::{Harness, RunOptions};
use farcall_lab::SessionId;
use farcall_plan::{Plan, Unsupported};
use farcall_report::{About, RunDirectory, StoredRun};
use farcall_scenario::Scenario;
use farcall_timeline::Event;
use farcall_verdict::Declared;
use std::time::Instant;

impl Harness {
    /// Keeps the run of such a configuration. Nothing is raised; it is UNSUPPORTED, and its log says why.
    ///
    /// # Errors
    /// When what is left of the configuration cannot be planned, or the results cannot be written.
    pub(crate) async fn keep_unsupported(
        &self,
        scenario: &Scenario,
        unsupported: &Unsupported,
        options: &RunOptions,
    ) -> Result<StoredRun, RunError> {
        let plan = farcall_plan::plan(scenario, &unsupported.rest, options.seed)?;
        let about = self.about(&plan, &SessionId::random());
        keep(&about, &plan, &unsupported.reason, options).await
    }
}

async fn keep(
    about: &About,
    plan: &Plan,
    reason: &str,
    options: &RunOptions,
) -> Result<StoredRun, RunError> {
    let directory = RunDirectory::create(&options.out, about)?;
    directory.write_plan(about, &Declared::from(plan), Some(&plan.topology))?;
    let log = vec![directory.events()?];
    let recorder = Recorder::start(Instant::now(), log, options.on_event.clone());
    recorder.record(Event::ConfigurationUnsupported {
        reason: reason.to_owned(),
    });
    recorder.finish().await?;
    Ok(directory.finish()?)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use farcall_plan::{plan, unsupported};
    use farcall_report::Environment;
    use farcall_scenario::IceConfiguration;
    use farcall_verdict::Verdict;
    use time::OffsetDateTime;

    #[tokio::test]
    async fn a_run_that_no_lab_can_have_is_kept_with_its_reason() {
        let scenario = Scenario::builtin("same-network").unwrap();
        let text = r#"[{ "urls": "stun:[2001:db8::7]" }, { "urls": "stun:stun.example.net" }]"#;
        let ice = IceConfiguration::parse("ice.json", text).unwrap();
        let found = unsupported(&ice).unwrap();
        let plan = plan(&scenario, &found.rest, 1).unwrap();
        let about = About {
            scenario: plan.scenario.clone(),
            written: None,
            ice_configuration: plan.ice_configuration.clone(),
            policy: plan.call.policy,
            seed: plan.seed,
            session: "a1b2c3".to_owned(),
            started_at: OffsetDateTime::UNIX_EPOCH,
            environment: Environment {
                farcall: "0.1.0".to_owned(),
                engine: None,
                kernel: None,
                coturn: None,
            },
        };
        let out = tempfile::tempdir().unwrap();
        let options = RunOptions {
            out: out.path().to_owned(),
            ..RunOptions::default()
        };
        let run = keep(&about, &plan, &found.reason, &options).await.unwrap();
        assert_eq!(run.result.verdict, Verdict::Unsupported);
        assert_eq!(run.result.ice_configuration, "ice.json");
        let diagnosis = run.result.diagnosis.as_ref().unwrap();
        assert_eq!(diagnosis.cause.name(), "configuration-unsupported");
        assert!(
            diagnosis.summary.contains("stun:[2001:db8::7]"),
            "{diagnosis:?}"
        );
        // It can be judged again, as any other.
        let again = StoredRun::load(&run.directory).unwrap();
        assert!(again.is_as_stored().unwrap());
        assert_eq!(again, run);
    }
}
