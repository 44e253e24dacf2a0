//! `farcall run`: place a call in each scenario and judge it.

use super::lint;
use super::report::Outlet;
use crate::args::RunArgs;
use crate::board::{Board, Line};
use crate::exit::{Exit, Failure};
use crate::progress::{Progress, log_line};
use crate::{docker, input, jobs, output, signals};
use farcall_report::{Json, Report, StoredRun, Summary, Terminal};
use farcall_run::{EventSink, Harness, RunOptions};
use farcall_scenario::{IceConfiguration, Scenario};
use farcall_timeline::Event;
use farcall_verdict::Verdict;
use futures::future::ready;
use futures::stream::{self, Stream, StreamExt};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub(crate) async fn run(args: RunArgs, scenarios: Option<&Path>) -> Result<Exit, Failure> {
    let stop = signals::stop_token().map_err(Failure::infrastructure)?;
    // Everything that the user wrote is read before anything is started.
    let selected = input::selected(&args.selection, scenarios)?;
    let (configurations, sources) = input::each_ice(&args.ice)?;
    let seed = args.seed.unwrap_or_else(rand::random);
    for scenario in &selected {
        for ice in &configurations {
            farcall_plan::plan(scenario, ice, seed).map_err(Failure::usage)?;
        }
    }
    if !args.json {
        lint::tell(&sources);
    }

    let reports = args.reports.iter();
    let reports = reports.map(|report| Outlet::open(report.format, Some(&report.file)));
    let reports: Vec<Outlet> = reports.collect::<Result<_, _>>()?;

    let progress = Progress::new();
    let harness = tokio::select! {
        harness = docker::prepare(&progress) => harness?,
        () = stop.cancelled() => return Err(Failure::Interrupted),
    };
    drop(progress);

    let repeat = usize::try_from(args.repeat).unwrap_or(usize::MAX);
    let labs = selected.len().saturating_mul(repeat);
    let runs = Runs {
        harness,
        configurations,
        seed,
        board: Board::new("labs", labs),
        halt: stop.child_token(),
        args,
    };
    let rows = selected.iter().flat_map(|scenario| {
        let each = runs.configurations.iter();
        each.map(|ice| runs.row(&scenario.name, &ice.name))
    });
    let mut summary = Summary::of(rows);
    let mut stored = Vec::new();
    let mut failure = None;
    let mut ended = std::pin::pin!(runs.all(&selected));
    while let Some(ended) = ended.next().await {
        match ended.and_then(|ended| {
            ended
                .iter()
                .try_for_each(|run| runs.tell(run))
                .map(|()| ended)
        }) {
            Ok(ended) => {
                for run in ended {
                    let result = &run.result;
                    let row = runs.row(&result.scenario, &result.ice_configuration);
                    summary.count(&row, result.verdict);
                    if let Some(diagnosis) = &result.diagnosis {
                        summary.blame(&row, diagnosis.cause);
                    }
                    stored.push(Ended::of(&run));
                }
            }
            Err(error) => {
                // What is under way comes to its end, so that each run removes its own lab.
                runs.halt.cancel();
                failure.get_or_insert(error);
            }
        }
    }
    runs.board.close();
    if labs.saturating_mul(runs.configurations.len()) > 1 {
        runs.sum_up(&summary).map_err(Failure::infrastructure)?;
    }
    write_reports(reports, &mut stored)?;
    let verdicts: Vec<Verdict> = stored.iter().map(|run| run.verdict).collect();
    match failure {
        Some(failure) => Err(failure),
        None if stop.is_cancelled() => Err(Failure::Interrupted),
        None => Ok(Exit::of_verdicts(&verdicts)),
    }
}

/// What is kept of a run that ended; all of it is in its directory.
struct Ended {
    directory: PathBuf,
    verdict: Verdict,
}

impl Ended {
    fn of(run: &StoredRun) -> Self {
        Self {
            directory: run.directory.clone(),
            verdict: run.result.verdict,
        }
    }
}

/// Writes the reports that were asked for, in the order in which the runs began.
fn write_reports(reports: Vec<Outlet>, stored: &mut [Ended]) -> Result<(), Failure> {
    if reports.is_empty() {
        return Ok(());
    }
    stored.sort_by(|one, other| one.directory.cmp(&other.directory));
    let runs = stored.iter().map(|run| StoredRun::load(&run.directory));
    let runs = runs.collect::<Result<Vec<_>, _>>();
    let runs = runs.map_err(Failure::infrastructure)?;
    reports
        .into_iter()
        .try_for_each(|report| report.write(&runs, None))
}

/// What all runs have in common.
struct Runs {
    harness: Harness,
    configurations: Vec<IceConfiguration>,
    seed: u64,
    board: Board,
    /// No further run begins, and those under way are interrupted.
    halt: CancellationToken,
    args: RunArgs,
}

impl Runs {
    /// How a scenario with a configuration is called where there are several.
    fn row(&self, scenario: &str, configuration: &str) -> String {
        match self.configurations.len() {
            1 => scenario.to_owned(),
            _ => format!("{scenario} with {configuration}"),
        }
    }

    /// What came of each lab as it ends, several at the same time.
    fn all<'a>(
        &'a self,
        scenarios: &'a [Scenario],
    ) -> impl Stream<Item = Result<Vec<StoredRun>, Failure>> + 'a {
        let jobs = self.args.jobs.unwrap_or_else(jobs::labs);
        let each = scenarios.iter().flat_map(|scenario| {
            let repetitions = 1..=self.args.repeat;
            repetitions.map(move |repetition| (scenario, repetition))
        });
        stream::iter(each)
            .take_while(|_| ready(!self.halt.is_cancelled()))
            .map(|(scenario, repetition)| self.one(scenario, repetition))
            .buffer_unordered(jobs)
    }

    async fn one(&self, scenario: &Scenario, repetition: u32) -> Result<Vec<StoredRun>, Failure> {
        let title = title(&scenario.name, repetition, self.args.repeat);
        let line = Arc::new(self.board.begin(title));
        let options = RunOptions {
            out: self.args.out.clone(),
            seed: self.seed,
            keep: self.args.keep,
            stop: self.halt.clone(),
            on_event: Some(self.events(Arc::clone(&line))),
            ..RunOptions::default()
        };
        let runs = self
            .harness
            .run_each(scenario, &self.configurations, &options);
        let runs = runs.await;
        let passed = |run: &StoredRun| run.result.verdict == Verdict::Pass;
        let have_passed = matches!(&runs, Ok(runs) if runs.iter().all(passed));
        self.board.end(&line, have_passed);
        runs.map_err(Failure::infrastructure)
    }

    /// Shows the phase of a run, and its logs if they are asked for.
    fn events(&self, line: Arc<Line>) -> EventSink {
        let is_verbose = self.args.verbose;
        let several = self.args.jobs != Some(1);
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

    /// Prints what came of a run, in one piece.
    fn tell(&self, run: &StoredRun) -> Result<(), Failure> {
        let told = self.board.aside(|| {
            output::with(|out| {
                if self.args.json {
                    return Json.render(run, out);
                }
                let colour = is_coloured();
                Terminal { colour }.render(run, out)
            })
        });
        told.map_err(Failure::infrastructure)
    }

    /// Prints what came of all runs. Where standard output is for programs, it is for people all the same.
    fn sum_up(&self, summary: &Summary) -> std::io::Result<()> {
        self.board.aside(|| {
            if self.args.json {
                let mut text = Vec::new();
                summary.render(false, &mut text)?;
                output::note(String::from_utf8_lossy(&text).trim_end());
                return Ok(());
            }
            output::with(|out| {
                writeln!(out)?;
                summary.render(is_coloured(), out)
            })
        })
    }
}

fn title(scenario: &str, repetition: u32, of: u32) -> String {
    if of == 1 {
        scenario.to_owned()
    } else {
        format!("{scenario}, {repetition} of {of}")
    }
}

pub(super) fn is_coloured() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}
