//! How late faults are, and how long recoveries take beside what the crate's timers make of them.

use super::targets::{Bound, Target};
use super::{Bench, median, milliseconds};
use crate::exit::Failure;
use crate::jobs;
use crate::progress::Progress;
use farcall_report::StoredRun;
use farcall_scenario::Scenario;
use farcall_timeline::{Event, RecoveryEvent, Timeline};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// Scenarios with this tag are measured.
const TAG: &str = "recovery";

/// After which silence rtc-ice 0.21.1 calls a connection disconnected (`DEFAULT_DISCONNECTED_TIMEOUT`). The last
/// packet came a moment before the fault, or a while after it, so a client can notice somewhat earlier or later.
const DISCONNECTED_AFTER_MS: f64 = 5_000.0;

/// How long the whole group may take on two processors.
const GROUP_MS: f64 = 480_000.0;

/// The figures of the recoveries; times are medians in milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Figures {
    scenarios: usize,
    runs: u32,
    /// How many runs did not pass.
    not_passed: usize,
    /// How many faults began or were mended at a moment that was declared.
    fault_edges: usize,
    /// By how much later (or earlier) than declared 99 of 100 did so at most.
    fault_late_p99_ms: f64,
    /// By how much the latest was late.
    fault_late_max_ms: f64,
    /// From a fault to the first peer that calls its connection disconnected.
    noticed_ms: f64,
    /// That, as a multiple of the crate's own timer.
    noticed_ratio: f64,
    /// What recoveries take, by the strategy of the attempt that succeeded.
    strategies: BTreeMap<String, Recovered>,
    /// How long one run of every scenario takes, labs side by side.
    group_ms: f64,
}

/// Recoveries with one strategy.
#[derive(Debug, Serialize)]
struct Recovered {
    recoveries: usize,
    /// From a fault to both peers connected again.
    from_fault_ms: f64,
    /// What the crate's timer and the client's policy make of that: until it is disconnected, the grace time, and the
    /// pause before the first attempt.
    floor_ms: f64,
    /// From the beginning of the last attempt to both peers connected again.
    from_attempt_ms: f64,
}

impl Figures {
    pub(super) fn targets(&self) -> Vec<Target> {
        #[expect(clippy::cast_precision_loss, reason = "there are not 2^53 runs")]
        let not_passed = self.not_passed as f64;
        vec![
            Target::new("not_passed", not_passed, Bound::AtMost(0.0)),
            Target::new(
                "fault_late_p99_ms",
                self.fault_late_p99_ms,
                Bound::AtMost(50.0),
            ),
            Target::new("group_ms", self.group_ms, Bound::AtMost(GROUP_MS)),
        ]
    }
}

/// Runs every scenario of the group so many times.
pub(super) async fn measure(
    bench: &Bench,
    runs: u32,
    scenarios: Option<&Path>,
    progress: &Progress,
) -> Result<Figures, Failure> {
    let all = Scenario::all(scenarios).map_err(Failure::usage)?;
    let group: Vec<Scenario> = all
        .into_iter()
        .filter(|scenario| scenario.tags.iter().any(|tag| tag == TAG))
        .collect();
    let mut done = Vec::new();
    let mut group_ms = Vec::new();
    for run in 1..=runs {
        progress.say(&format!("every recovery, {run} of {runs}"));
        let began = Instant::now();
        let calls = group.iter().map(|scenario| bench.call(scenario));
        let calls = futures::stream::iter(calls).buffer_unordered(jobs::labs());
        done.extend(calls.try_collect::<Vec<StoredRun>>().await?);
        group_ms.push(milliseconds(began));
    }
    Ok(figures(&done, group.len(), runs, group_ms))
}

fn figures(done: &[StoredRun], scenarios: usize, runs: u32, group_ms: Vec<f64>) -> Figures {
    let mut late: Vec<f64> = done
        .iter()
        .flat_map(|run| lateness(&run.timeline))
        .collect();
    late.sort_by(f64::total_cmp);
    let courses: Vec<Course> = done
        .iter()
        .filter_map(|run| course(&run.timeline))
        .collect();
    let mut by_strategy: BTreeMap<String, Vec<&Course>> = BTreeMap::new();
    for course in &courses {
        by_strategy
            .entry(course.strategy.clone())
            .or_default()
            .push(course);
    }
    let noticed_ms = median(courses.iter().map(|course| course.noticed_ms));
    let passed = |run: &&StoredRun| run.result.verdict == farcall_verdict::Verdict::Pass;
    Figures {
        scenarios,
        runs,
        not_passed: done.len() - done.iter().filter(passed).count(),
        fault_edges: late.len(),
        fault_late_p99_ms: percentile(&late, 99),
        fault_late_max_ms: late.last().copied().unwrap_or(f64::NAN),
        noticed_ms,
        noticed_ratio: noticed_ms / DISCONNECTED_AFTER_MS,
        strategies: by_strategy
            .into_iter()
            .map(|(strategy, courses)| (strategy, recovered(&courses)))
            .collect(),
        group_ms: median(group_ms.into_iter().map(Some)),
    }
}

fn recovered(courses: &[&Course]) -> Recovered {
    let of = |value: fn(&Course) -> f64| median(courses.iter().map(|course| Some(value(course))));
    Recovered {
        recoveries: courses.len(),
        from_fault_ms: of(|course| course.from_fault_ms),
        floor_ms: of(|course| course.floor_ms),
        from_attempt_ms: of(|course| course.from_attempt_ms),
    }
}

/// A recovery that succeeded with an attempt.
struct Course {
    strategy: String,
    noticed_ms: Option<f64>,
    from_fault_ms: f64,
    floor_ms: f64,
    from_attempt_ms: f64,
}

fn course(timeline: &Timeline) -> Option<Course> {
    let mut broke_ms = None;
    let mut noticed_ms = None;
    let mut first_delay_ms = None;
    let mut last = None;
    let mut again_ms = None;
    for entry in timeline.entries() {
        match &entry.event {
            Event::Fault(_) => {
                broke_ms.get_or_insert(entry.at_ms);
            }
            Event::State(state) if state.machine == "connection" && broke_ms.is_some() => {
                match state.state.as_str() {
                    "disconnected" => {
                        noticed_ms.get_or_insert(entry.at_ms);
                    }
                    "connected" if last.is_some() => again_ms = Some(entry.at_ms),
                    _ => {}
                }
            }
            Event::Recovery(RecoveryEvent::Scheduled { delay_ms, .. }) => {
                // The grace time is over by now.
                let grace_ms = noticed_ms.map_or(0.0, |noticed_ms| entry.at_ms - noticed_ms);
                first_delay_ms.get_or_insert(grace_ms + delay_ms);
            }
            Event::Recovery(RecoveryEvent::Started { strategy, .. }) => {
                last = Some((entry.at_ms, strategy.clone()));
                again_ms = None;
            }
            _ => {}
        }
    }
    let (broke_ms, (attempt_ms, strategy), again_ms) = (broke_ms?, last?, again_ms?);
    Some(Course {
        strategy,
        noticed_ms: noticed_ms.map(|noticed_ms| noticed_ms - broke_ms),
        from_fault_ms: again_ms - broke_ms,
        floor_ms: DISCONNECTED_AFTER_MS + first_delay_ms.unwrap_or(0.0),
        from_attempt_ms: again_ms - attempt_ms,
    })
}

fn lateness(timeline: &Timeline) -> Vec<f64> {
    let entries = timeline.entries().iter();
    entries
        .filter_map(|entry| match &entry.event {
            Event::Fault(fault) => fault.late_ms.map(f64::abs),
            _ => None,
        })
        .collect()
}

/// Of sorted values the least that so many percent do not exceed; not a number where there is none.
fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    let value = rank.checked_sub(1).and_then(|index| sorted.get(index));
    value.copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use farcall_timeline::{CallState, Entry, FaultEdge, FaultEvent};

    #[test]
    fn percentiles_are_values_that_were_seen() {
        let hundred: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&hundred, 99).to_bits(), 99.0_f64.to_bits());
        assert_eq!(percentile(&[3.0], 99).to_bits(), 3.0_f64.to_bits());
        assert!(percentile(&[], 99).is_nan());
    }

    fn entry(at_ms: f64, event: Event) -> Entry {
        Entry {
            at_ms,
            node: "alice".to_owned(),
            event,
        }
    }

    fn state(at_ms: f64, state: &str) -> Entry {
        let event = Event::State(CallState {
            machine: "connection".to_owned(),
            state: state.to_owned(),
        });
        entry(at_ms, event)
    }

    #[test]
    fn a_recovery_is_timed_from_its_fault_and_its_last_attempt() {
        let fault = FaultEvent {
            number: 1,
            what: "link-down at office".to_owned(),
            edge: FaultEdge::Begun,
            late_ms: Some(2.0),
            dropped_packets: None,
            crossed: None,
        };
        let scheduled = RecoveryEvent::Scheduled {
            attempt: 1,
            of: 3,
            trigger: "disconnected".to_owned(),
            delay_ms: 1_000.0,
        };
        let started = |attempt| {
            Event::Recovery(RecoveryEvent::Started {
                attempt,
                of: 3,
                trigger: "disconnected".to_owned(),
                strategy: "reset".to_owned(),
            })
        };
        let timeline = Timeline::new(vec![
            state(1_000.0, "connected"),
            entry(3_000.0, Event::Fault(fault)),
            state(8_500.0, "disconnected"),
            entry(10_500.0, Event::Recovery(scheduled)),
            entry(11_500.0, started(1)),
            entry(20_000.0, started(2)),
            state(21_000.0, "connected"),
            state(21_200.0, "connected"),
        ]);
        let course = course(&timeline).unwrap();
        let close = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-6, "{value}");
        close(course.noticed_ms.unwrap(), 5_500.0);
        close(course.from_fault_ms, 18_200.0);
        close(course.floor_ms, 8_000.0);
        close(course.from_attempt_ms, 1_200.0);
        assert_eq!(lateness(&timeline), [2.0]);
    }
}
