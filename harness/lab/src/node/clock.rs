//! From a node's clock to the harness's.

use std::time::{Duration, Instant};

/// How many times the clock is asked; the quickest answer is the best.
pub(crate) const PINGS: usize = 5;

/// What has to be added to a node's clock to get the harness's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Offset {
    offset_ms: f64,
    round_trip_ms: f64,
}

impl Offset {
    /// From one question and its answer: the node is taken to have read its clock half-way
    /// between (Cristian's algorithm).
    pub(crate) fn measured(sent_ms: f64, received_ms: f64, node_ns: u64) -> Self {
        Self {
            offset_ms: f64::midpoint(sent_ms, received_ms) - ms(node_ns),
            round_trip_ms: received_ms - sent_ms,
        }
    }

    /// The better of two: the one with the shorter round trip.
    pub(crate) fn better(self, other: Self) -> Self {
        if other.round_trip_ms < self.round_trip_ms {
            other
        } else {
            self
        }
    }

    /// A time of the node, on the harness's clock.
    pub(crate) fn apply(self, node_ns: u64) -> f64 {
        ms(node_ns) + self.offset_ms
    }

    /// A time of the harness, on the node's clock; zero for one before it began.
    pub(crate) fn of_node(self, harness_ms: f64) -> u64 {
        let at_ms = (harness_ms - self.offset_ms).max(0.0);
        let at = Duration::try_from_secs_f64(at_ms / 1e3).unwrap_or_default();
        u64::try_from(at.as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Milliseconds since time zero.
pub(crate) fn since(time_zero: Instant) -> f64 {
    time_zero.elapsed().as_secs_f64() * 1000.0
}

/// A monotonic clock stays below 2^53 nanoseconds for a hundred days of uptime; beyond that an event
/// is off by a nanosecond.
#[expect(
    clippy::cast_precision_loss,
    reason = "nanoseconds become milliseconds"
)]
fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quickest_answer_counts() {
        let slow = Offset::measured(100.0, 160.0, 5_000_000);
        let quick = Offset::measured(200.0, 202.0, 106_000_000);
        assert_eq!(slow.better(quick), quick);
        assert_eq!(quick.better(slow), quick);
        assert_eq!(quick.apply(106_000_000), 201.0);
        assert_eq!(quick.apply(116_500_000), 211.5);
        assert_eq!(quick.of_node(211.5), 116_500_000);
        assert_eq!(quick.of_node(0.0), 0);
    }
}
