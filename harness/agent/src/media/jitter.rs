//! Interarrival jitter (RFC 3550 section 6.4.1 and appendix A.8).

use std::time::Instant;

/// The running estimate for one RTP source.
#[derive(Debug, Clone)]
pub struct Jitter {
    clock_rate_hz: f64,
    previous: Option<(Instant, u32)>,
    ticks: f64,
}

impl Jitter {
    /// An estimate for a source with this RTP clock rate.
    #[must_use]
    pub fn new(clock_rate_hz: u32) -> Self {
        Self {
            clock_rate_hz: f64::from(clock_rate_hz),
            previous: None,
            ticks: 0.0,
        }
    }

    /// Takes the next packet, in order of arrival.
    pub fn update(&mut self, arrival: Instant, timestamp: u32) {
        if let Some((previous_arrival, previous_timestamp)) = self.previous {
            let between_arrivals = arrival.saturating_duration_since(previous_arrival);
            let received_ticks = between_arrivals.as_secs_f64() * self.clock_rate_hz;
            let sent_ticks = f64::from(timestamp.wrapping_sub(previous_timestamp).cast_signed());
            self.ticks += ((received_ticks - sent_ticks).abs() - self.ticks) / 16.0;
        }
        self.previous = Some((arrival, timestamp));
    }

    /// The estimate in milliseconds.
    #[must_use]
    pub fn milliseconds(&self) -> f64 {
        self.ticks / self.clock_rate_hz * 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// The jitter of packets sent each 20 ms that each took so many milliseconds more than the
    /// fastest.
    fn jitter_of(delays_ms: impl IntoIterator<Item = u64>) -> f64 {
        let start = Instant::now();
        let mut jitter = Jitter::new(48_000);
        // Near the end of the range, so that timestamps wrap around.
        let mut timestamp = u32::MAX - 2 * 960;
        for (index, delay_ms) in (0_u64..).zip(delays_ms) {
            jitter.update(
                start + Duration::from_millis(20 * index + delay_ms),
                timestamp,
            );
            timestamp = timestamp.wrapping_add(960);
        }
        jitter.milliseconds()
    }

    #[test]
    fn regular_packets_have_none() {
        assert!(jitter_of([5; 100]) < 1e-6);
    }

    #[test]
    fn one_late_packet_counts_a_sixteenth() {
        assert!((jitter_of([0, 16]) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn alternating_delay_approaches_its_difference() {
        let jitter_ms = jitter_of([0, 10].into_iter().cycle().take(200));
        assert!((9.9..=10.0).contains(&jitter_ms), "{jitter_ms}");
    }
}
