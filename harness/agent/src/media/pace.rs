//! When each frame of live media is due.

use std::time::{Duration, Instant};

/// How far behind a sender may fall and still send everything: later frames are skipped instead,
/// as a camera would drop them, so that no burst follows a stall.
const CATCH_UP_LIMIT: Duration = Duration::from_millis(200);

/// An absolute schedule: slot *n* is due *n* periods after the start, however late its
/// predecessors were.
#[derive(Debug, Clone)]
pub struct Pace {
    start: Instant,
    period: Duration,
    next_slot: u64,
}

impl Pace {
    /// A schedule whose first slot is due at `start`.
    #[must_use]
    pub fn new(start: Instant, period: Duration) -> Self {
        Self {
            start,
            period,
            next_slot: 0,
        }
    }

    /// When the next slot is due.
    #[must_use]
    pub fn due_at(&self) -> Instant {
        let period_ns = u64::try_from(self.period.as_nanos()).unwrap_or(u64::MAX);
        self.start + Duration::from_nanos(period_ns.saturating_mul(self.next_slot))
    }

    /// Takes the next slot if it is due. Slots that are late by more than 200 ms are passed over.
    pub fn take(&mut self, now: Instant) -> Option<u64> {
        let late = now.checked_duration_since(self.due_at())?;
        if late > CATCH_UP_LIMIT {
            let skipped = late.as_nanos() / self.period.as_nanos().max(1);
            self.next_slot += u64::try_from(skipped).unwrap_or(u64::MAX);
        }
        let slot = self.next_slot;
        self.next_slot += 1;
        Some(slot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_millis(20);

    fn all_due(pace: &mut Pace, now: Instant) -> Vec<u64> {
        // Bounded, so that a schedule that stands still fails the test and not the machine.
        std::iter::from_fn(|| pace.take(now)).take(1000).collect()
    }

    #[test]
    fn nothing_is_due_before_the_start() {
        let start = Instant::now();
        let mut pace = Pace::new(start + PERIOD, PERIOD);
        assert_eq!(pace.take(start), None);
        assert_eq!(pace.take(start + PERIOD), Some(0));
    }

    #[test]
    fn lateness_does_not_shift_later_slots() {
        let start = Instant::now();
        let mut pace = Pace::new(start, PERIOD);
        for slot in 0..1000 {
            let late = Duration::from_millis(slot % 19);
            let now = pace.due_at() + late;
            assert_eq!(all_due(&mut pace, now), [slot]);
        }
        assert_eq!(pace.due_at(), start + PERIOD * 1000);
    }

    #[test]
    fn a_short_stall_is_caught_up() {
        let start = Instant::now();
        let mut pace = Pace::new(start, PERIOD);
        assert_eq!(all_due(&mut pace, start + PERIOD * 4), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_long_stall_skips_frames_without_a_burst() {
        let start = Instant::now();
        let mut pace = Pace::new(start, PERIOD);
        assert_eq!(all_due(&mut pace, start + PERIOD * 100), [100]);
        assert_eq!(pace.due_at(), start + PERIOD * 101);
    }
}
