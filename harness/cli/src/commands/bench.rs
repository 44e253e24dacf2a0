//! `farcall bench`: what the harness itself costs, beside the floor that Docker sets, in one run on one
//! machine, and how true its emulated links are. Times are medians; ratios are what counts, for the machines are
//! noisy.

mod link;
mod recovery;
mod report;
mod targets;

use crate::args::{IceArgs, ShippedConfiguration};
use crate::exit::{Exit, Failure};
use crate::output;
use crate::progress::Progress;
use crate::{docker, input, signals};
use clap::Args;
use farcall_lab::floor::{self, Floor};
use farcall_plan::Plan;
use farcall_report::StoredRun;
use farcall_run::{Harness, RunOptions};
use farcall_scenario::{IceConfiguration, Scenario};
use farcall_timeline::{Entry, Event};
use farcall_verdict::{PhaseTimes, Verdict};
use futures::future::join_all;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use targets::{Bound, Target};
use tokio_util::sync::CancellationToken;

/// How many labs are raised at once to see how they get along.
const SIDE_BY_SIDE: usize = 4;

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// The scenario to measure with.
    #[arg(default_value = "corporate-firewall")]
    pub scenario: String,
    /// How many runs each median is of.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub runs: u32,
    /// How many batches of labs side by side their median is of.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub batches: u32,
    /// Measure nothing but what the emulated links do to packets.
    #[arg(long, conflicts_with_all = ["recovery", "report"])]
    pub link: bool,
    /// Measure nothing but how late faults are and how long recoveries take, so many times for each scenario.
    #[arg(long, value_name = "RUNS", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub recovery: Option<u32>,
    /// Measure nothing but how long it takes to judge this stored run, made longer, and to write each report of it. Needs
    /// no Docker.
    #[arg(long, value_name = "RUN", conflicts_with = "recovery")]
    pub report: Option<PathBuf>,
    /// Where `bench.json` and the runs go.
    #[arg(long, value_name = "DIR", default_value = "target/farcall")]
    pub out: PathBuf,
}

/// All figures.
#[derive(Debug, Default, Serialize)]
struct Report {
    /// What runs cost; none with `--link`.
    #[serde(skip_serializing_if = "Option::is_none")]
    runs: Option<Figures>,
    /// What links do to packets; none with `--recovery`.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<link::Figures>,
    /// How recoveries go; none with `--link`.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery: Option<recovery::Figures>,
    /// How long reports take; only with `--report`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reports: Option<report::Figures>,
    /// What some of the figures above are to be.
    targets: Vec<Target>,
}

/// The figures of runs; all times are medians in milliseconds, and each ratio is one of medians.
#[derive(Debug, Serialize)]
struct Figures {
    scenario: String,
    runs: u32,
    raise_ms: f64,
    raise_floor_ms: f64,
    raise_ratio: f64,
    attest_ms: f64,
    call_ms: f64,
    teardown_ms: f64,
    teardown_floor_ms: f64,
    teardown_ratio: f64,
    whole_ms: f64,
    /// From an interruption in the middle of a call to the end of the run, what was seen being written.
    interrupted_ms: f64,
    /// Beside what the bare Docker API needs to remove the lab.
    interrupted_ratio: f64,
    /// A maximum: the most that any peer had resident in any run.
    peer_peak_resident_kib: u64,
    /// How many labs a batch has.
    side_by_side: usize,
    side_by_side_batches: u32,
    /// From the batch's beginning to the end of its last run.
    side_by_side_ms: f64,
    side_by_side_ratio: f64,
}

impl Figures {
    fn targets(&self) -> Vec<Target> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "no process has 2^53 KiB resident"
        )]
        let peak_kib = self.peer_peak_resident_kib as f64;
        vec![
            Target::new("raise_ratio", self.raise_ratio, Bound::AtMost(1.3)),
            Target::new("teardown_ratio", self.teardown_ratio, Bound::AtMost(1.2)),
            Target::new("attest_ms", self.attest_ms, Bound::AtMost(1_500.0)),
            Target::new("whole_ms", self.whole_ms, Bound::Below(12_000.0)),
            // Who waits ten seconds for a container to end is far beyond that.
            Target::new(
                "interrupted_ratio",
                self.interrupted_ratio,
                Bound::AtMost(3.0),
            ),
            Target::new(
                "peer_peak_resident_kib",
                peak_kib,
                Bound::AtMost(40.0 * 1024.0),
            ),
            Target::new(
                "side_by_side_ratio",
                self.side_by_side_ratio,
                Bound::AtMost(2.0),
            ),
        ]
    }
}

/// What one run took.
struct Sample {
    run: StoredRun,
    whole_ms: f64,
}

pub(crate) async fn bench(args: &BenchArgs, scenarios: Option<&Path>) -> Result<Exit, Failure> {
    if let Some(run) = &args.report {
        let figures = report::measure(run)?;
        let report = Report {
            targets: figures.targets(),
            reports: Some(figures),
            ..Report::default()
        };
        return tell(&report, &args.out);
    }
    let stop = signals::stop_token().map_err(Failure::infrastructure)?;
    let scenario = input::scenario(&args.scenario, scenarios)?;
    let ice = input::ice(&IceArgs {
        file: None,
        config: Some(ShippedConfiguration::Production),
    })?;
    let plan = farcall_plan::plan(&scenario, &ice, 1).map_err(Failure::usage)?;
    let progress = Progress::new();
    let harness = tokio::select! {
        harness = docker::prepare(&progress) => harness?,
        () = stop.cancelled() => return Err(Failure::Interrupted),
    };
    let bench = Bench {
        harness,
        scenario,
        ice,
        out: args.out.clone(),
        stop,
    };
    let link = match args.recovery {
        Some(_) => None,
        None => Some(link::measure(&bench.harness, &bench.stop, &progress).await?),
    };
    let recovery = match args.link {
        true => None,
        false => {
            let runs = args.recovery.unwrap_or(1);
            Some(recovery::measure(&bench, runs, scenarios, &progress).await?)
        }
    };
    let runs = match args.link || args.recovery.is_some() {
        true => None,
        false => Some(bench.measure(&plan, args, &progress).await?),
    };
    drop(progress);
    let targets = link
        .iter()
        .flat_map(link::Figures::targets)
        .chain(recovery.iter().flat_map(recovery::Figures::targets))
        .chain(runs.iter().flat_map(Figures::targets))
        .collect();
    let report = Report {
        runs,
        link,
        recovery,
        reports: None,
        targets,
    };
    tell(&report, &args.out)
}

fn tell(report: &Report, out: &Path) -> Result<Exit, Failure> {
    let json = serde_json::to_string_pretty(report).map_err(Failure::infrastructure)?;
    std::fs::create_dir_all(out).map_err(Failure::infrastructure)?;
    std::fs::write(out.join("bench.json"), &json).map_err(Failure::infrastructure)?;
    output::line(&json)?;
    Ok(Exit::Passed)
}

struct Bench {
    harness: Harness,
    scenario: Scenario,
    ice: IceConfiguration,
    out: PathBuf,
    stop: CancellationToken,
}

impl Bench {
    async fn measure(
        &self,
        plan: &Plan,
        args: &BenchArgs,
        progress: &Progress,
    ) -> Result<Figures, Failure> {
        // The first run warms up what is cached and is not counted.
        self.once().await?;
        let mut samples = Vec::new();
        let mut floors = Vec::new();
        let mut interruptions = Vec::new();
        for run in 1..=args.runs {
            progress.say(&format!("run {run} of {}", args.runs));
            // Alternating, so that a machine that slows down slows both.
            floors.push(self.floor(plan).await?);
            samples.push(self.once().await?);
            interruptions.push(Some(self.interrupted_ms().await?));
        }
        let mut batches = Vec::new();
        for batch in 1..=args.batches {
            progress.say(&format!(
                "{SIDE_BY_SIDE} labs side by side, batch {batch} of {}",
                args.batches
            ));
            batches.push(self.batch_ms().await?);
        }

        let of_phases = |phase: fn(&PhaseTimes) -> Option<f64>| {
            median(samples.iter().map(|one| phase(&one.run.result.phases)))
        };
        let raise_ms = of_phases(|phases| phases.raise_ms);
        let raise_floor_ms = median(floors.iter().map(|floor| Some(floor.raise_ms)));
        let teardown_ms = of_phases(|phases| phases.teardown_ms);
        let teardown_floor_ms = median(floors.iter().map(|floor| Some(floor.remove_ms)));
        let whole_ms = median(samples.iter().map(|sample| Some(sample.whole_ms)));
        let interrupted_ms = median(interruptions.into_iter());
        let side_by_side_ms = median(batches.into_iter().map(Some));
        Ok(Figures {
            scenario: self.scenario.name.clone(),
            runs: args.runs,
            raise_ms,
            raise_floor_ms,
            raise_ratio: raise_ms / raise_floor_ms,
            attest_ms: of_phases(|phases| phases.attest_ms),
            call_ms: of_phases(|phases| phases.call_ms),
            teardown_ms,
            teardown_floor_ms,
            teardown_ratio: teardown_ms / teardown_floor_ms,
            whole_ms,
            interrupted_ms,
            interrupted_ratio: interrupted_ms / teardown_floor_ms,
            peer_peak_resident_kib: peer_peak_resident_kib(&samples),
            side_by_side: SIDE_BY_SIDE,
            side_by_side_batches: args.batches,
            side_by_side_ms,
            side_by_side_ratio: side_by_side_ms / whole_ms,
        })
    }

    /// What the bare Docker API needs. It cannot be broken off: an interruption waits for its end.
    async fn floor(&self, plan: &Plan) -> Result<Floor, Failure> {
        let floor = floor::measure(self.harness.engine(), plan, self.harness.image()).await;
        self.unless_stopped()?;
        floor.map_err(Failure::infrastructure)
    }

    /// How long several runs at once take.
    async fn batch_ms(&self) -> Result<f64, Failure> {
        let began = Instant::now();
        // All come to their end, also when one fails, so that each removes its own lab.
        let runs = join_all((0..SIDE_BY_SIDE).map(|_| self.once())).await;
        let ms = milliseconds(began);
        for run in runs {
            run?;
        }
        Ok(ms)
    }

    fn unless_stopped(&self) -> Result<(), Failure> {
        if self.stop.is_cancelled() {
            return Err(Failure::Interrupted);
        }
        Ok(())
    }

    /// A run, whatever comes of it.
    async fn call(&self, scenario: &Scenario) -> Result<StoredRun, Failure> {
        let options = RunOptions {
            out: self.out.clone(),
            stop: self.stop.clone(),
            ..RunOptions::default()
        };
        let run = self.harness.run(scenario, &self.ice, &options).await;
        self.unless_stopped()?;
        run.map_err(Failure::infrastructure)
    }

    /// How long a run takes to its end that is interrupted when its call begins.
    async fn interrupted_ms(&self) -> Result<f64, Failure> {
        let stop = self.stop.child_token();
        let interrupted = Arc::new(OnceLock::new());
        let on_event = {
            let (stop, interrupted) = (stop.clone(), Arc::clone(&interrupted));
            move |entry: &Entry| {
                if matches!(entry.event, Event::CallStarted { .. }) {
                    interrupted.get_or_init(Instant::now);
                    stop.cancel();
                }
            }
        };
        let options = RunOptions {
            out: self.out.clone(),
            stop,
            on_event: Some(Arc::new(on_event)),
            ..RunOptions::default()
        };
        let run = self.harness.run(&self.scenario, &self.ice, &options).await;
        self.unless_stopped()?;
        let run = run.map_err(Failure::infrastructure)?;
        let Some(since) = interrupted.get() else {
            return Err(Failure::Infrastructure(miette::miette!(
                "a run that was to be interrupted ended before its call began:\n{run}"
            )));
        };
        Ok(milliseconds(*since))
    }

    /// A run that must pass: a figure of a run that did not is none.
    async fn once(&self) -> Result<Sample, Failure> {
        let began = Instant::now();
        let run = self.call(&self.scenario).await?;
        if run.result.verdict != Verdict::Pass {
            return Err(Failure::Infrastructure(miette::miette!(
                "a run that was to be measured did not pass:\n{run}"
            )));
        }
        Ok(Sample {
            run,
            whole_ms: milliseconds(began),
        })
    }
}

/// The most that any peer had resident in any run.
fn peer_peak_resident_kib(samples: &[Sample]) -> u64 {
    let of_run = |run: &StoredRun| {
        let peers = run.result.peers.keys();
        let resources = peers.flat_map(|peer| run.timeline.of(peer));
        let peaks = resources.filter_map(|event| match event {
            Event::Resources {
                peak_resident_kib, ..
            } => Some(*peak_resident_kib),
            _ => None,
        });
        peaks.max()
    };
    samples
        .iter()
        .filter_map(|sample| of_run(&sample.run))
        .max()
        .unwrap_or_default()
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// The middle of the values that there are; not a number where there is none.
fn median(values: impl Iterator<Item = Option<f64>>) -> f64 {
    let mut values: Vec<f64> = values.flatten().collect();
    values.sort_by(f64::total_cmp);
    match (values.len(), values.len() / 2) {
        (0, _) => f64::NAN,
        (length, middle) if length % 2 == 1 => values[middle],
        (_, middle) => f64::midpoint(values[middle - 1], values[middle]),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle_or_between_the_two_middle_ones() {
        let of = |values: &[f64]| median(values.iter().copied().map(Some));
        assert_eq!(of(&[3.0, 1.0, 2.0]).to_bits(), 2.0_f64.to_bits());
        assert_eq!(of(&[4.0, 1.0, 2.0, 3.0]).to_bits(), 2.5_f64.to_bits());
        assert!(of(&[]).is_nan());
    }
}
