//! A whole run: raise, attest, call, collect, judge, remove; with several ICE configurations a call for each.

use crate::call::{self, Placement};
use crate::collect::{self, Moment};
use crate::error::RunError;
use crate::recorder::{Audience, Recorder};
use crate::{RunOptions, attest};
use farcall_lab::{AgentImage, Engine, Lab, LabOptions, NodeError, SessionId};
use farcall_plan::{Plan, PlanError};
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
    /// when this returns, unless `options.keep` is set. With a configuration that no lab can have (see
    /// [`farcall_plan::unsupported()`]) none is raised, and the result is UNSUPPORTED.
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
        if let Some(unsupported) = farcall_plan::unsupported(ice) {
            return self.keep_unsupported(scenario, &unsupported, options).await;
        }
        let plan = farcall_plan::plan(scenario, ice, options.seed)?;
        let (first, _) = self.run_plans(&plan, &[], options).await?;
        Ok(first)
    }

    /// Runs one scenario with each of several ICE configurations, one call after the other, and returns what came
    /// of each, in their order. The calls share a lab, whose servers have the listeners and accounts of all; each
    /// has a directory of its own and is judged by its own part of the log. Configurations that cannot share
    /// servers have a lab each. Those that no lab can have are UNSUPPORTED and no part of it.
    ///
    /// # Errors
    /// As of [`run`](Self::run).
    pub async fn run_each(
        &self,
        scenario: &Scenario,
        configurations: &[IceConfiguration],
        options: &RunOptions,
    ) -> Result<Vec<StoredRun>, RunError> {
        let unsupported: Vec<_> = configurations
            .iter()
            .map(farcall_plan::unsupported)
            .collect();
        let each = configurations.iter().zip(&unsupported);
        let possible: Vec<IceConfiguration> = each
            .filter(|(_, unsupported)| unsupported.is_none())
            .map(|(ice, _)| ice.clone())
            .collect();
        let placed = match possible.is_empty() {
            true => Vec::new(),
            false => self.run_together(scenario, &possible, options).await?,
        };
        let mut kept = Vec::new();
        for found in &unsupported {
            kept.push(match found {
                Some(found) => Some(self.keep_unsupported(scenario, found, options).await?),
                None => None,
            });
        }
        Ok(in_order(kept, placed))
    }

    /// Runs with each of several configurations that labs can have.
    async fn run_together(
        &self,
        scenario: &Scenario,
        configurations: &[IceConfiguration],
        options: &RunOptions,
    ) -> Result<Vec<StoredRun>, RunError> {
        let plans = match farcall_plan::plan_each(scenario, configurations, options.seed) {
            Err(PlanError::TwoPasswords { .. }) => {
                let mut runs = Vec::new();
                for ice in configurations {
                    runs.push(self.run(scenario, ice, options).await?);
                }
                return Ok(runs);
            }
            plans => plans?,
        };
        let Some((first, others)) = plans.split_first() else {
            return Ok(Vec::new());
        };
        let (first, others) = self.run_plans(first, others, options).await?;
        Ok([first].into_iter().chain(others).collect())
    }

    /// Raises the lab of the first plan, which is that of all, and places the call of each.
    async fn run_plans(
        &self,
        first: &Plan,
        others: &[Plan],
        options: &RunOptions,
    ) -> Result<(StoredRun, Vec<StoredRun>), RunError> {
        let started = Instant::now();
        let session = SessionId::random();
        let call = |plan| PlannedCall::new(self.about(plan, &session), plan, options);
        let mut first_call = call(first)?;
        let mut other_calls = others.iter().map(call).collect::<Result<Vec<_>, _>>()?;
        let every = || [&first_call].into_iter().chain(&other_calls);
        let logs = every().map(|call| call.directory.events());
        let logs = logs.collect::<Result<_, _>>()?;
        let recorder = Recorder::start(started, logs, options.on_event.clone());

        let run = Run {
            harness: self,
            plan: first,
            calls: every().collect(),
            options,
            session: session.clone(),
            started,
            recorder: &recorder,
        };
        run.through().await;
        let coturn = coturn_version(&recorder.timeline());
        recorder.finish().await?;
        let stored = first_call.finish(coturn.as_deref())?;
        let others = other_calls
            .iter_mut()
            .map(|call| call.finish(coturn.as_deref()));
        Ok((stored, others.collect::<Result<_, _>>()?))
    }

    pub(crate) fn about(&self, plan: &Plan, session: &SessionId) -> About {
        let info = &self.engine.info;
        About {
            scenario: plan.scenario.clone(),
            written: plan.written.clone(),
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

/// What there is at its place, and in the places between one after the other what came since.
fn in_order<T>(there: Vec<Option<T>>, since: Vec<T>) -> Vec<T> {
    let mut since = since.into_iter();
    let each = there.into_iter();
    each.filter_map(|one| one.or_else(|| since.next()))
        .collect()
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

/// One of the calls of a run, with the directory of its results.
struct PlannedCall<'a> {
    about: About,
    plan: &'a Plan,
    declared: Declared,
    directory: RunDirectory,
}

impl<'a> PlannedCall<'a> {
    fn new(about: About, plan: &'a Plan, options: &RunOptions) -> Result<Self, RunError> {
        let directory = RunDirectory::create(&options.out, &about)?;
        let declared = Declared::from(plan);
        directory.write_plan(&about, &declared, Some(&plan.topology))?;
        Ok(Self {
            about,
            plan,
            declared,
            directory,
        })
    }

    /// Judges what was recorded.
    fn finish(&mut self, coturn: Option<&str>) -> Result<StoredRun, RunError> {
        self.about.environment.coturn = coturn.map(str::to_owned);
        let topology = Some(&self.plan.topology);
        self.directory
            .write_plan(&self.about, &self.declared, topology)?;
        Ok(self.directory.finish()?)
    }
}

/// One run on its way.
struct Run<'a> {
    harness: &'a Harness,
    /// The lab; that of every call.
    plan: &'a Plan,
    calls: Vec<&'a PlannedCall<'a>>,
    options: &'a RunOptions,
    session: SessionId,
    started: Instant,
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
            self.recorder.turn_to(Audience::All);
            self.save(&lab).await;
        };
        tokio::select! {
            () = call_and_save => {}
            () = self.options.stop.cancelled() => {
                self.recorder.record(Event::Interrupted);
                self.recorder.turn_to(Audience::All);
            }
        }
        // Without the network, so that an interrupted run has them too.
        for call in &self.calls {
            self.or_fault(collect::logs(&lab, self.raised(), &call.directory));
        }
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
        self.settle(Phase::Attest).await;
        if !as_declared {
            return Ok(());
        }
        for (number, call) in self.calls.iter().enumerate() {
            self.recorder.turn_to(Audience::Only(number));
            let is_last = number + 1 == self.calls.len();
            self.call(lab, call.plan, is_last).await?;
        }
        Ok(())
    }

    async fn call(&self, lab: &Lab, plan: &Plan, is_last: bool) -> Result<(), NodeError> {
        self.begin(Phase::Call);
        let counters =
            |moment| collect::counters(lab, collect::gateways(plan), self.recorder, moment);
        counters(Moment::BeforeCall).await?;
        let raised = self.options.raise_instead.as_ref().unwrap_or(plan);
        let placement = Placement::of(plan, &raised.faults);
        call::place(lab, placement, self.recorder).await?;
        counters(Moment::AfterCall).await?;
        if !is_last {
            // Those of the last call are told when the servers end.
            collect::sessions(lab, plan).await?;
        }
        self.settle(Phase::Call).await;
        Ok(())
    }

    /// Saves what the nodes have; captures only for calls that do not pass.
    async fn save(&self, lab: &Lab) {
        self.begin(Phase::Collect);
        let plan = self.raised();
        let end_services = !self.options.keep;
        let directories = || self.calls.iter().map(|call| &call.directory);
        self.or_fault(collect::files(lab, plan, self.recorder, directories(), end_services).await);
        // What the nodes have said by now belongs to the judgement.
        self.settle(Phase::Collect).await;
        let not_passed = self.calls.iter().enumerate().filter(|(number, call)| {
            let timeline = self.recorder.timeline_of(*number);
            judge(&timeline, &call.declared).verdict != Verdict::Pass
        });
        let not_passed: Vec<&RunDirectory> = not_passed.map(|(_, call)| &call.directory).collect();
        if self.options.capture && !not_passed.is_empty() {
            self.or_fault(collect::captures(lab, plan, self.recorder, &not_passed).await);
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

    /// Ends a phase and waits until all that was said in it is recorded.
    async fn settle(&self, phase: Phase) {
        self.recorder.settle(Event::PhaseEnded { phase }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farcall_timeline::{Entry, Level};

    #[test]
    fn runs_stand_in_the_order_of_their_configurations() {
        let runs = in_order(vec![None, Some("second"), None], vec!["first", "third"]);
        assert_eq!(runs, ["first", "second", "third"]);
        assert_eq!(in_order(vec![None, None], vec![1, 2]), [1, 2]);
    }

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
