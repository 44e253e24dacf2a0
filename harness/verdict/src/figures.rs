//! How long a call took to form and to recover, as numbers: what budgets are held against.

use crate::Declared;
use crate::case::Case;
use crate::checks::{all_connected_at, attempts_made, connected_again, first_fault, offered_at};
use farcall_timeline::Timeline;

/// The figures of a call; `None` for what did not happen.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// From the offer to both peers connected, in milliseconds.
    pub connected_after_ms: Option<f64>,
    /// From the first fault to both peers connected again, in milliseconds: 0 if the connection was never lost.
    pub recovered_after_ms: Option<f64>,
    /// How many attempts to recover were made, where it is said what must come of the faults.
    pub attempts: Option<u32>,
}

impl Figures {
    /// The figures of a run.
    #[must_use]
    pub fn of(timeline: &Timeline, declared: &Declared) -> Self {
        let case = Case::new(timeline, declared);
        let recovery = declared.expect.recovery.as_ref();
        let recovered = recovery.and_then(|_| connected_again(&case).zip(first_fault(&case)));
        let connected = all_connected_at(&case).zip(offered_at(&case));
        Self {
            connected_after_ms: connected.map(|(at_ms, offer_ms)| at_ms - offer_ms),
            recovered_after_ms: recovered
                .map(|(again_ms, begun_ms)| (again_ms - begun_ms).max(0.0)),
            attempts: recovery.map(|_| attempts_made(&case)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    fn figures(sample: &Sample) -> Figures {
        Figures::of(&sample.timeline(), &sample.declared)
    }

    #[test]
    fn the_time_to_connect_is_that_of_the_check() {
        let good = figures(&Sample::good());
        assert_eq!(good.connected_after_ms, Some(2_400.0));
        assert_eq!((good.recovered_after_ms, good.attempts), (None, None));
    }

    #[test]
    fn what_did_not_connect_took_no_time() {
        assert_eq!(figures(&Sample::not_connected()), Figures::default());
    }
}
