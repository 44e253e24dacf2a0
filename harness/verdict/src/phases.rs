//! How long each phase of a run took.

use farcall_timeline::{Event, Phase, Timeline};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The time of each phase in milliseconds; `None` for a phase that did not come to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PhaseTimes {
    /// Creating and configuring networks and containers.
    pub raise_ms: Option<f64>,
    /// Measuring the lab against the plan.
    pub attest_ms: Option<f64>,
    /// The call, from the offer to the last media.
    pub call_ms: Option<f64>,
    /// Fetching counters, logs and captures.
    pub collect_ms: Option<f64>,
    /// Removing everything.
    pub teardown_ms: Option<f64>,
}

impl PhaseTimes {
    /// The times of a timeline's phases.
    pub(crate) fn of(timeline: &Timeline) -> Self {
        let time = |phase| time_of(timeline, phase);
        Self {
            raise_ms: time(Phase::Raise),
            attest_ms: time(Phase::Attest),
            call_ms: time(Phase::Call),
            collect_ms: time(Phase::Collect),
            teardown_ms: time(Phase::Teardown),
        }
    }

    /// Each phase with its time, in the order in which they happen.
    #[must_use]
    pub fn each(&self) -> [(Phase, Option<f64>); 5] {
        [
            (Phase::Raise, self.raise_ms),
            (Phase::Attest, self.attest_ms),
            (Phase::Call, self.call_ms),
            (Phase::Collect, self.collect_ms),
            (Phase::Teardown, self.teardown_ms),
        ]
    }
}

fn time_of(timeline: &Timeline, wanted: Phase) -> Option<f64> {
    let at = |is_wanted: fn(&Event) -> Option<Phase>| {
        timeline
            .entries()
            .iter()
            .find(|entry| is_wanted(&entry.event) == Some(wanted))
            .map(|entry| entry.at_ms)
    };
    let started = at(|event| match event {
        Event::PhaseStarted { phase } => Some(*phase),
        _ => None,
    })?;
    let ended = at(|event| match event {
        Event::PhaseEnded { phase } => Some(*phase),
        _ => None,
    })?;
    Some(ended - started)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn each_phase_lasts_from_its_start_to_its_end() {
        let times = PhaseTimes::of(&Sample::good().timeline());
        assert_eq!(times.raise_ms, Some(2_000.0));
        assert_eq!(times.call_ms, Some(6_000.0));
    }

    #[test]
    fn a_phase_without_end_has_no_time() {
        let mut sample = Sample::good();
        sample.remove(|entry| {
            matches!(
                entry.event,
                Event::PhaseEnded {
                    phase: Phase::Attest
                }
            )
        });
        assert_eq!(PhaseTimes::of(&sample.timeline()).attest_ms, None);
    }
}
