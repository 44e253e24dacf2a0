//! Labs, several at the same time: what all commands share that run scenarios.

use crate::board::{Board, Line};
use crate::exit::Failure;
use crate::jobs;
use crate::progress::log_line;
use farcall_report::StoredRun;
use farcall_run::{EventSink, Harness, RunOptions};
use farcall_scenario::{IceConfiguration, Scenario};
use farcall_timeline::Event;
use farcall_verdict::Verdict;
use futures::future::ready;
use futures::stream::{self, StreamExt};
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Labs on their way.
pub(crate) struct Labs {
    pub harness: Harness,
    pub board: Board,
    /// No further lab is raised, and those that are up are interrupted.
    pub halt: CancellationToken,
    pub options: LabsOptions,
}

/// What all labs have in common.
#[derive(Debug, Clone)]
pub(crate) struct LabsOptions {
    /// Where the directories of runs go.
    pub out: PathBuf,
    pub seed: u64,
    /// How many are up at the same time; `None`: as many as the machine allows.
    pub jobs: Option<usize>,
    /// Leaves them standing.
    pub keep: bool,
    /// Shows the peers' logs.
    pub verbose: bool,
}

impl Labs {
    /// Does each, several at the same time, and hands over what came of each as it ends. After the first failure no
    /// further begins, and what is under way comes to its end, so that each run removes its own lab.
    pub(crate) async fn each<T>(
        &self,
        labs: impl Iterator<Item = impl Future<Output = Result<T, Failure>>>,
        mut ended: impl FnMut(T) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let jobs = self.options.jobs.unwrap_or_else(jobs::labs);
        let each = stream::iter(labs)
            .take_while(|_| ready(!self.halt.is_cancelled()))
            .buffer_unordered(jobs);
        let mut each = std::pin::pin!(each);
        let mut failure = None;
        while let Some(came) = each.next().await {
            if let Err(error) = came.and_then(&mut ended) {
                self.halt.cancel();
                failure.get_or_insert(error);
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// Raises a scenario's lab and places a call with each configuration. It is one of those that are counted.
    pub(crate) async fn one(
        &self,
        title: String,
        scenario: &Scenario,
        configurations: &[IceConfiguration],
    ) -> Result<Vec<StoredRun>, Failure> {
        let line = Arc::new(self.board.begin(title));
        let runs = self.call(&line, scenario, configurations).await;
        let passed = |run: &StoredRun| run.result.verdict == Verdict::Pass;
        let have_passed = matches!(&runs, Ok(runs) if runs.iter().all(passed));
        self.board.end(&line, have_passed);
        runs
    }

    /// The same once more, which is not counted.
    pub(crate) async fn again(
        &self,
        title: String,
        scenario: &Scenario,
        configurations: &[IceConfiguration],
    ) -> Result<Vec<StoredRun>, Failure> {
        self.board.keep_if_plain(&format!("running {title}"));
        let line = Arc::new(self.board.open(title));
        self.call(&line, scenario, configurations).await
    }

    async fn call(
        &self,
        line: &Arc<Line>,
        scenario: &Scenario,
        configurations: &[IceConfiguration],
    ) -> Result<Vec<StoredRun>, Failure> {
        let options = RunOptions {
            out: self.options.out.clone(),
            seed: self.options.seed,
            keep: self.options.keep,
            stop: self.halt.clone(),
            on_event: Some(self.events(Arc::clone(line))),
            ..RunOptions::default()
        };
        let runs = self.harness.run_each(scenario, configurations, &options);
        runs.await.map_err(Failure::infrastructure)
    }

    /// Shows the phase of a run, and its logs if they are asked for.
    fn events(&self, line: Arc<Line>) -> EventSink {
        let is_verbose = self.options.verbose;
        let several = self.options.jobs != Some(1);
        let board = self.board.clone();
        Arc::new(move |entry| {
            if let Event::PhaseStarted { phase } = &entry.event {
                line.say(&phase.to_string());
            }
            let Some(text) = log_line(entry).filter(|_| is_verbose) else {
                return;
            };
            if several {
                board.keep(&format!("{}: {text}", line.title()));
            } else {
                board.keep(&text);
            }
        })
    }
}
