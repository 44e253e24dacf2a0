//! A whole run: raise, attest, call, collect, judge, remove.

use crate::call::{self, Placement};
use crate::collect::{self, Moment};
use crate::error::RunError;
use crate::recorder::Recorder;
use crate::{RunOptions, attest};
use farcall_lab::{AgentImage, Engine, Lab, LabOptions, NodeError, SessionId};
use farcall_plan::Plan;
use farcall_report::{About, Environment, RunDirectory, StoredRun};
use farcall_scenario::{IceConfiguration, Scenario};
use farcall_timeline::{Event, Phase, Timeline};
use farcall_verdict::{Declared, Verdict, judge};
use std::time::Instant;
use time::OffsetDateTime;

/// Docker and the images, ready for any number of runs.
#[derive(Debug, Clone)]
pub struct Harness {
    pub(crate) engine: Engine,
    pub(crate) image: AgentImage,
}

impl Harness {
    /// Takes an engine whose images exist. See [`farcall_lab::images`].
    #[must_use]
    pub fn new(engine: Engine, image: AgentImage) -> Self {
        Self { engine, image }
    }

    /// Runs one scenario with one ICE configuration and returns what came of it. The lab is gone
    /// when this returns, unless `options.keep` is set.
    ///
    /// # Errors
    /// When the scenario cannot be planned or the results cannot be written. Whatever goes wrong in
    /// the lab itself is an INVALID result, not an error.
    pub async fn run(
        &self,
        scenario: &Scenario,
        ice: &IceConfiguration,
        options: &RunOptions,
    ) -> Result<StoredRun, RunError> {
        let plan = farcall_plan::plan(scenario, ice, options.seed)?;
        let declared = Declared::from(&plan);
        let started = Instant::now();
        let session = SessionId::random();
        let mut about = self.about(&plan, &session);
        let directory = RunDirectory::create(&options.out, &about)?;
        directory.write_plan(&about, &declared)?;
        let recorder = Recorder::start(started, directory.events()?, options.on_event.clone());

        let run = Run {
            harness: self,
            plan: &plan,
            declared: &declared,
            options,
            session,
            started,
            directory: &directory,
            recorder: &recorder,
        };
        run.through().await;
        about.environment.coturn = coturn_version(&recorder.timeline());
        recorder.finish().await?;
        directory.write_plan(&about, &declared)?;
        Ok(directory.finish()?)
    }

    pub(crate) fn about(&self, plan: &Plan, session: &SessionId) -> About {
        let info = &self.engine.info;
        About {
            scenario: plan.scenario.clone(),
            ice_configuration: plan.ice_configuration.clone(),
            policy: plan.call.policy,
            seed: plan.seed,
            session: session.as_str().to_owned(),
            started_at: OffsetDateTime::now_utc(),
            environment: Environment {
                farcall: env!("CARGO_PKG_VERSION").to_owned(),
                engine: Some(info.version.clone()),
                kernel: Some(info.kernel.clone()),
                coturn: None,
            },
        }
    }
}

/// The version that the TURN servers named when they started.
pub(crate) fn coturn_version(timeline: &Timeline) -> Option<String> {
    timeline.entries().iter().find_map(|entry| {
        let Event::Log { message, .. } = &entry.event else {
            return None;
        };
        let (_, version) = message.split_once("Version Coturn-")?;
        version.split_whitespace().next().map(str::to_owned)
    })
}

/// One run on its way.
struct Run<'a> {
    harness: &'a Harness,
    plan: &'a Plan,
    declared: &'a Declared,
    options: &'a RunOptions,
    session: SessionId,
    started: Instant,
    directory: &'a RunDirectory,
    recorder: &'a Recorder,
}

impl Run<'_> {
    /// All phases. What breaks in the lab, or cannot be written, is recorded as a fault.
    async fn through(&self) {
        let Some(lab) = self.raise().await else {
            return;
        };
        let call_and_save = async {
            if let Err(error) = self.phases(&lab).await {
                self.recorder.fault(error.to_string());
            }
            self.save(&lab).await;
        };
        tokio::select! {
            () = call_and_save => {}
            () = self.options.stop.cancelled() => self.recorder.record(Event::Interrupted),
        }
        // Without the network, so that an interrupted run has them too.
        self.or_fault(collect::logs(&lab, self.raised(), self.directory));
        self.remove(lab).await;
    }

    fn or_fault<E: std::fmt::Display>(&self, result: Result<(), E>) {
        if let Err(error) = result {
            self.recorder.fault(error.to_string());
        }
    }

    fn raised(&self) -> &Plan {
        self.options.raise_instead.as_ref().unwrap_or(self.plan)
    }

    async fn raise(&self) -> Option<Lab> {
        let options = LabOptions {
            session: self.session.clone(),
            keep: self.options.keep,
            capture: self.options.capture,
            time_zero: self.started,
            ..LabOptions::new()
        };
        self.begin(Phase::Raise);
        let raised = tokio::select! {
            raised = Lab::raise(
                &self.harness.engine,
                &self.harness.image,
                self.raised(),
                options,
                self.recorder.sender(),
            ) => raised,
            () = self.options.stop.cancelled() => {
                self.recorder.record(Event::Interrupted);
                return None;
            }
        };
        self.end(Phase::Raise);
        raised
            .inspect_err(|error| self.recorder.not_raised(error))
            .ok()
    }

    async fn phases(&self, lab: &Lab) -> Result<(), NodeError> {
        self.begin(Phase::Attest);
        let as_declared = attest::attest(lab, self.plan, self.recorder).await?;
        self.end(Phase::Attest);
        if !as_declared {
            return Ok(());
        }
        self.begin(Phase::Call);
        collect::counters(
            lab,
            collect::gateways(self.plan),
            self.recorder,
            Moment::BeforeCall,
        )
        .await?;
        call::place(lab, Placement::of(self.plan), self.recorder).await?;
        collect::counters(
            lab,
            collect::gateways(self.plan),
            self.recorder,
            Moment::AfterCall,
        )
        .await?;
        self.end(Phase::Call);
        Ok(())
    }

    /// Saves what the nodes have; captures only if the run does not pass.
    async fn save(&self, lab: &Lab) {
        self.begin(Phase::Collect);
        let plan = self.raised();
        let end_services = !self.options.keep;
        self.or_fault(collect::files(lab, plan, self.recorder, self.directory, end_services).await);
        self.end(Phase::Collect);
        // What the nodes have said by now belongs to the judgement.
        let collected = Event::PhaseEnded {
            phase: Phase::Collect,
        };
        self.recorder.recorded(&collected).await;
        let verdict = judge(&self.recorder.timeline(), self.declared).verdict;
        if self.options.capture && verdict != Verdict::Pass {
            self.or_fault(collect::captures(lab, plan, self.recorder, self.directory).await);
        }
    }

    async fn remove(&self, lab: Lab) {
        if self.options.keep {
            return lab.keep();
        }
        self.begin(Phase::Teardown);
        let removed = lab.remove().await;
        self.end(Phase::Teardown);
        self.or_fault(removed);
    }

    fn begin(&self, phase: Phase) {
        self.recorder.record(Event::PhaseStarted { phase });
    }

    fn end(&self, phase: Phase) {
        self.recorder.record(Event::PhaseEnded { phase });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farcall_timeline::{Entry, Level};

    #[test]
    fn the_turn_servers_version_is_what_their_log_says() {
        let line = |message: &str| Entry {
            at_ms: 0.0,
            node: "turn.example.net".to_owned(),
            event: Event::Log {
                level: Level::Debug,
                target: "turnserver".to_owned(),
                message: message.to_owned(),
            },
        };
        let log = vec![
            line("Bind address: any"),
            line("Version Coturn-4.6.1 'Gorst'"),
        ];
        assert_eq!(
            coturn_version(&Timeline::new(log)).as_deref(),
            Some("4.6.1")
        );
        assert_eq!(coturn_version(&Timeline::default()), None);
    }
}
