//! The rate at which packets leave the queue.

use farcall_scenario::Rate;
use std::time::Duration;

/// Puts packets on the wire, one after the other.
#[derive(Debug)]
pub(crate) enum Transmitter {
    Unlimited,
    Constant(Constant),
    Trace(Trace),
}

impl Transmitter {
    pub(crate) fn new(rate: &Rate) -> Self {
        match rate {
            Rate::Unlimited => Self::Unlimited,
            Rate::Constant { kbit } => Self::Constant(Constant::new(*kbit)),
            Rate::Trace { delivery_ms } => Self::Trace(Trace::new(delivery_ms)),
        }
    }

    /// When the last bit of a packet is on the wire that comes now; `None` when the first would have to wait
    /// longer than `longest_wait`. Then the packet has taken nothing of the rate.
    pub(crate) fn transmit(
        &mut self,
        len: usize,
        now: Duration,
        longest_wait: Duration,
    ) -> Option<Duration> {
        match self {
            Self::Unlimited => Some(now),
            Self::Constant(constant) => constant.transmit(len, now, longest_wait),
            Self::Trace(trace) => trace.transmit(len, now, longest_wait),
        }
    }
}

/// A steady rate. A bit takes 1,000,000 / kbit nanoseconds, which is mostly no whole number; counting time in
/// nanoseconds times kbit makes it one, so that no rounding adds up.
#[derive(Debug)]
pub(crate) struct Constant {
    kbit: u128,
    /// When the wire is free, in nanoseconds times kbit.
    free: u128,
}

impl Constant {
    const SCALED_NANOS_A_BIT: u128 = 1_000_000;

    fn new(kbit: u32) -> Self {
        Self {
            kbit: u128::from(kbit.max(1)),
            free: 0,
        }
    }

    fn transmit(&mut self, len: usize, now: Duration, longest_wait: Duration) -> Option<Duration> {
        let now = now.as_nanos() * self.kbit;
        let start = self.free.max(now);
        if start - now > longest_wait.as_nanos() * self.kbit {
            return None;
        }
        self.free = start + len as u128 * 8 * Self::SCALED_NANOS_A_BIT;
        Some(nanos(self.free.div_ceil(self.kbit)))
    }
}

fn nanos(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// A recorded rate: opportunities to send 1500 bytes each. One that finds the queue empty is lost; what a packet
/// leaves of one is for the next packet, if that waits already; a packet leaves with the opportunity that
/// takes its last byte. So it is in mahimahi's `LinkQueue`.
#[derive(Debug)]
pub(crate) struct Trace {
    delivery_ms: Vec<u32>,
    /// The opportunity that the next packet can take, counted from the trace's first, over all
    /// repetitions.
    next: u64,
    /// What earlier packets have taken of it, in bytes.
    taken: usize,
}

impl Trace {
    const OPPORTUNITY_BYTES: usize = 1500;

    fn new(delivery_ms: &[u32]) -> Self {
        Self {
            delivery_ms: delivery_ms.to_vec(),
            next: 0,
            taken: 0,
        }
    }

    /// Nothing when the trace has no length: it would have no rate.
    fn transmit(&mut self, len: usize, now: Duration, longest_wait: Duration) -> Option<Duration> {
        let upcoming = self.first_after(now)?;
        let (first, taken) = if upcoming > self.next {
            (upcoming, 0)
        } else {
            (self.next, self.taken)
        };
        if self.moment(first) > now + longest_wait {
            return None;
        }
        let end = taken + len;
        // The last byte of a packet that fills its opportunity belongs to this one, not to the next.
        let last = first + (end.saturating_sub(1) / Self::OPPORTUNITY_BYTES) as u64;
        self.next = first + (end / Self::OPPORTUNITY_BYTES) as u64;
        self.taken = end % Self::OPPORTUNITY_BYTES;
        Some(self.moment(last))
    }

    /// The first opportunity after `now`: one at this moment has passed already (mahimahi).
    fn first_after(&self, now: Duration) -> Option<u64> {
        let length_ms = u128::from(*self.delivery_ms.last()?);
        let now_ms = now.as_millis();
        let rounds = now_ms.checked_div(length_ms)?;
        let within_ms = now_ms % length_ms;
        let passed = self
            .delivery_ms
            .partition_point(|&moment_ms| u128::from(moment_ms) <= within_ms);
        let rounds = u64::try_from(rounds).ok()?;
        Some(rounds * self.delivery_ms.len() as u64 + passed as u64)
    }

    /// When this opportunity is. The trace begins with the clock, and anew at its last moment.
    fn moment(&self, opportunity: u64) -> Duration {
        let len = self.delivery_ms.len() as u64;
        let length_ms = self.delivery_ms.last().copied().unwrap_or_default();
        let within_ms = self.delivery_ms[(opportunity % len) as usize];
        Duration::from_millis(opportunity / len * u64::from(length_ms) + u64::from(within_ms))
    }
}
