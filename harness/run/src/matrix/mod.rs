//! All calls of a matrix in one lab: raise once, attest once, call by call as many at a time as asked for,
//! remove. Raising a lab for each of a hundred calls would take longer than all of their media.

mod calls;
mod options;
mod schedule;
mod sessions;
mod slice;

pub use options::{MatrixOptions, MatrixProgress, OnMatrixProgress};

use crate::collect;
use crate::error::RunError;
use crate::harness::coturn_version;
use crate::recorder::Recorder;
use crate::{Harness, attest};
use farcall_lab::{Lab, LabOptions, SessionId};
use farcall_plan::{MatrixPlan, Plan, Role};
use farcall_report::{
    About, CellResult, MATRIX_SCHEMA_VERSION, MatrixResult, MatrixTimes, RunDirectory,
};
use farcall_timeline::{Event, Phase};
use futures::StreamExt;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long each node may take to be raised, beyond what any lab may.
const RAISE_DEADLINE_PER_NODE: Duration = Duration::from_secs(2);

/// How many peers are attested at the same time: with more, what is measured by its time is measured late.
const ATTESTED_AT_ONCE: usize = 4;

/// A matrix that was run, and where it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredMatrix {
    /// Its directory.
    pub directory: PathBuf,
    /// What came of it.
    pub result: MatrixResult,
}

impl Harness {
    /// Places all calls of a matrix in one lab and returns what came of each. The lab is gone when this
    /// returns. After `options.stop` the calls that were not placed are INVALID. With an ICE configuration that no lab
    /// can have none is raised, and all of them are UNSUPPORTED.
    ///
    /// # Errors
    /// When the results cannot be written. Whatever goes wrong in the lab is an INVALID cell, not an error.
    pub async fn run_matrix(
        &self,
        matrix: &MatrixPlan,
        options: &MatrixOptions,
    ) -> Result<StoredMatrix, RunError> {
        let started = Instant::now();
        let session = SessionId::random();
        let mut about = self.about(&matrix.plan, &session);
        about.scenario = format!("matrix-{}", about.scenario);
        let directory = RunDirectory::create(&options.out, &about)?;
        let log = vec![directory.events()?];
        let recorder = Recorder::start(started, log, options.on_event.clone());
        let run = MatrixRun {
            harness: self,
            matrix,
            options,
            session,
            started,
            directory: &directory,
            recorder: &recorder,
            results: Mutex::new(vec![None; matrix.cells.len()]),
            unsound: Mutex::default(),
            times: Mutex::default(),
        };
        run.through().await;
        about.environment.coturn = coturn_version(&recorder.timeline());
        let result = run.result(&about);
        recorder.finish().await?;
        directory.finish_matrix(&result)?;
        Ok(StoredMatrix {
            directory: directory.path().to_owned(),
            result,
        })
    }
}

/// A matrix on its way.
struct MatrixRun<'a> {
    harness: &'a Harness,
    matrix: &'a MatrixPlan,
    options: &'a MatrixOptions,
    session: SessionId,
    started: Instant,
    directory: &'a RunDirectory,
    recorder: &'a Recorder,
    /// What came of each cell, in the order of the plan's.
    results: Mutex<Vec<Option<CellResult>>>,
    /// Nodes of parts of the lab that are not as declared.
    unsound: Mutex<BTreeSet<String>>,
    times: Mutex<MatrixTimes>,
}

/// A part of the lab that is attested by itself: a peer with its gateways, or what all have in common.
struct Part {
    nodes: BTreeSet<String>,
    /// The plan with what is declared of these nodes alone.
    plan: Plan,
}

impl MatrixRun<'_> {
    async fn through(&self) {
        if let Some(reason) = self.matrix.unsupported.clone() {
            // The cells are judged by it as soon as this returns.
            let unsupported = Event::ConfigurationUnsupported { reason };
            return self.recorder.settle(unsupported).await;
        }
        let Some(lab) = self.raise().await else {
            return;
        };
        let calls_and_files = async {
            self.attest(&lab).await;
            self.phase(
                Phase::Call,
                |times, ms| times.calls_ms = Some(ms),
                self.place_calls(&lab),
            )
            .await;
            let directories = [self.directory].into_iter();
            let files = collect::files(&lab, &self.matrix.plan, self.recorder, directories, true);
            let saved = self
                .phase(
                    Phase::Collect,
                    |times, ms| times.collect_ms = Some(ms),
                    files,
                )
                .await;
            self.or_fault(saved);
        };
        tokio::select! {
            () = calls_and_files => {}
            () = self.options.stop.cancelled() => self.recorder.record(Event::Interrupted),
        }
        self.or_fault(collect::logs(&lab, &self.matrix.plan, self.directory));
        let removed = self
            .phase(
                Phase::Teardown,
                |times, ms| times.teardown_ms = Some(ms),
                lab.remove(),
            )
            .await;
        self.or_fault(removed);
    }

    async fn raise(&self) -> Option<Lab> {
        let nodes = u32::try_from(self.matrix.plan.nodes.len()).unwrap_or(u32::MAX);
        let options = LabOptions {
            session: self.session.clone(),
            deadline: LabOptions::DEADLINE + RAISE_DEADLINE_PER_NODE * nodes,
            time_zero: self.started,
            ..LabOptions::new()
        };
        let harness = self.harness;
        let (engine, image, sender) = (&harness.engine, &harness.image, self.recorder.sender());
        let raising = async {
            tokio::select! {
                raised = Lab::raise(engine, image, &self.matrix.plan, options, sender) => Some(raised),
                () = self.options.stop.cancelled() => None,
            }
        };
        let raised = self
            .phase(Phase::Raise, |times, ms| times.raise_ms = Some(ms), raising)
            .await;
        match raised {
            Some(Ok(lab)) => Some(lab),
            Some(Err(error)) => {
                self.recorder.not_raised(&error);
                None
            }
            None => {
                self.recorder.record(Event::Interrupted);
                None
            }
        }
    }

    /// Attests part by part, and remembers the parts that are not as declared.
    async fn attest(&self, lab: &Lab) {
        let parts = self.parts();
        let total = parts.len();
        let attested = futures::stream::iter(parts).map(|part| async move {
            let holds = match attest::attest(lab, &part.plan, self.recorder).await {
                Ok(holds) => holds,
                Err(error) => {
                    // Any of its nodes: the fault is of the cells in which they are.
                    if let Some(node) = part.nodes.first() {
                        self.recorder.record_of(node, fault_of(&error));
                    }
                    false
                }
            };
            (part.nodes, holds)
        });
        let attested = attested.buffer_unordered(ATTESTED_AT_ONCE);
        let all = async {
            tokio::pin!(attested);
            let mut done = 0;
            while let Some((nodes, holds)) = attested.next().await {
                done += 1;
                self.say(MatrixProgress::Attested { done, of: total });
                if !holds {
                    locked(&self.unsound).extend(nodes);
                }
            }
        };
        self.phase(Phase::Attest, |times, ms| times.attest_ms = Some(ms), all)
            .await;
    }

    fn parts(&self) -> Vec<Part> {
        let plan = &self.matrix.plan;
        let part = |nodes: BTreeSet<String>| {
            let mut plan = plan.clone();
            plan.attestation
                .retain(|declaration| nodes.contains(&declaration.node));
            plan.call.logins.retain(|peer, _| nodes.contains(peer));
            Part { nodes, plan }
        };
        let of_peers = plan.expect.gateways.iter().map(|(peer, gateways)| {
            let nodes = gateways.iter().chain([peer]);
            part(nodes.cloned().collect())
        });
        let common = plan.nodes.iter().filter(|node| match node.role {
            Role::TurnServer(_) | Role::Signalling(_) | Role::Probe => true,
            Role::Gateway(_) | Role::Peer { .. } => false,
        });
        let common = part(common.map(|node| node.name.clone()).collect());
        [common].into_iter().chain(of_peers).collect()
    }

    fn result(&self, about: &About) -> MatrixResult {
        let mut times = *locked(&self.times);
        times.total_ms = self.recorder.now_ms();
        let mut cells: Vec<CellResult> = Vec::with_capacity(self.matrix.cells.len());
        {
            let results = locked(&self.results);
            for (cell, result) in self.matrix.cells.iter().zip(results.iter()) {
                // What was not placed is judged by what the log does not have.
                let result = result.clone();
                let end = self.recorder.position();
                cells.push(result.unwrap_or_else(|| self.judge(cell, end, end)));
            }
        }
        let position = |name: &str| self.matrix.networks.iter().position(|one| one == name);
        cells.sort_by_key(|cell| (position(&cell.offerer), position(&cell.answerer)));
        let faults = self.recorder.select(|_, entry| {
            let is_ours = entry.node == crate::recorder::HARNESS;
            is_ours && matches!(entry.event, Event::HarnessFault { .. })
        });
        let faults = faults
            .entries()
            .iter()
            .filter_map(|entry| match &entry.event {
                Event::HarnessFault { message } => Some(message.clone()),
                _ => None,
            });
        MatrixResult {
            schema_version: MATRIX_SCHEMA_VERSION,
            matrix: self.matrix.plan.scenario.clone(),
            ice_configuration: about.ice_configuration.clone(),
            seed: about.seed,
            session: about.session.clone(),
            started_at: about.started_at,
            environment: about.environment.clone(),
            times,
            networks: self.matrix.networks.clone(),
            cells,
            faults: faults.collect(),
        }
    }

    /// Does a phase: records its ends and keeps its time.
    async fn phase<T>(
        &self,
        phase: Phase,
        keep: impl FnOnce(&mut MatrixTimes, f64),
        doing: impl Future<Output = T>,
    ) -> T {
        self.say(MatrixProgress::Began(phase));
        let began_ms = self.recorder.now_ms();
        self.recorder.record(Event::PhaseStarted { phase });
        let done = doing.await;
        self.recorder.record(Event::PhaseEnded { phase });
        let took_ms = self.recorder.now_ms() - began_ms;
        keep(&mut locked(&self.times), took_ms);
        done
    }

    fn or_fault<E: std::fmt::Display>(&self, result: Result<(), E>) {
        if let Err(error) = result {
            self.recorder.fault(error.to_string());
        }
    }

    fn say(&self, progress: MatrixProgress) {
        if let Some(on_progress) = &self.options.on_progress {
            on_progress(progress);
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn fault_of(error: &impl std::fmt::Display) -> Event {
    Event::HarnessFault {
        message: error.to_string(),
    }
}
