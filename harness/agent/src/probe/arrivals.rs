//! What has arrived of a train, and when.

use std::collections::BTreeSet;
use std::time::Duration;

use farcall_protocol::Delays;
use serde::{Deserialize, Serialize};

/// The arrivals of a train's packets, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrivals {
    packets: Vec<Arrived>,
    distinct: BTreeSet<u32>,
}

/// A packet that arrived.
#[derive(Debug, Clone, Copy)]
struct Arrived {
    index: u32,
    sent: Duration,
    at: Duration,
}

/// What of a train counts for its dispersion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    /// How long after the first arrival it begins, in microseconds.
    pub(super) settling_us: u64,
    /// Into how many parts it is divided, of which the median counts: a process that stands still for a moment
    /// makes one part look slow and the next one fast.
    pub(super) parts: u32,
}

/// What is told of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Summary {
    /// How many packets arrived; of several copies one counts.
    pub(super) arrived: u32,
    /// How many copies arrived beside them.
    pub(super) copies: u32,
    /// How many packets arrived before one that was sent earlier.
    pub(super) overtaking: u32,
    /// From the first to the last arrival, in microseconds.
    pub(super) span_us: u64,
    /// How long it took from the arrival of one packet to that of the next, in nanoseconds, in the median part of
    /// the window, where the two were sent one after the other with none lost between them. `None` where
    /// hardly any were.
    pub(super) gap_ns: Option<u64>,
    /// The same of their sending: a machine that is busy sends more slowly than it should.
    pub(super) sent_gap_ns: Option<u64>,
    /// How long packets were on their way; `None` where none arrived.
    pub(super) delays: Option<Delays>,
}

impl Arrivals {
    /// Takes a packet with its index that was sent and arrived at these moments of one clock.
    pub(super) fn push(&mut self, index: u32, sent: Duration, at: Duration) {
        self.packets.push(Arrived { index, sent, at });
        self.distinct.insert(index);
    }

    /// Whether so many packets have arrived, of which copies count once.
    pub(super) fn has_all(&self, packets: u32) -> bool {
        count(self.distinct.len()) >= packets
    }

    /// Tells what arrived.
    pub(super) fn summary(&self, window: Window) -> Summary {
        let (Some(first), Some(last)) = (self.packets.first(), self.packets.last()) else {
            return Summary::default();
        };
        let begin = first.at + Duration::from_micros(window.settling_us);
        let pairs = self.packets.iter().zip(self.packets.iter().skip(1));
        let pairs: Vec<_> = pairs
            .filter(|(before, packet)| {
                before.index.checked_add(1) == Some(packet.index) && packet.at >= begin
            })
            .collect();
        let gap_ns = |moment: fn(&Arrived) -> Duration| {
            let gaps = pairs
                .iter()
                .map(|(before, after)| moment(after).saturating_sub(moment(before)));
            median_gap_ns(&gaps.collect::<Vec<_>>(), window.parts)
        };
        Summary {
            arrived: count(self.distinct.len()),
            copies: count(self.packets.len() - self.distinct.len()),
            overtaking: self.overtaking(),
            span_us: micros(last.at.saturating_sub(first.at)),
            gap_ns: gap_ns(|packet| packet.at),
            sent_gap_ns: gap_ns(|packet| packet.sent),
            delays: self.delays(),
        }
    }

    fn overtaking(&self) -> u32 {
        let mut least_after = u32::MAX;
        let mut overtaking = BTreeSet::new();
        for packet in self.packets.iter().rev() {
            if packet.index > least_after {
                overtaking.insert(packet.index);
            }
            least_after = least_after.min(packet.index);
        }
        count(overtaking.len())
    }

    fn delays(&self) -> Option<Delays> {
        let delay = |packet: &Arrived| packet.at.saturating_sub(packet.sent);
        let mut sorted: Vec<Duration> = self.packets.iter().map(delay).collect();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        // The smallest that so many of a thousand packets are not above.
        let permille = |permille: usize| {
            let rank = (sorted.len() * permille).div_ceil(1_000);
            micros(sorted[rank.saturating_sub(1).min(last)])
        };
        Some(Delays {
            least_us: micros(sorted[0]),
            median_us: permille(500),
            p99_us: permille(990),
            p999_us: permille(999),
            most_us: micros(sorted[last]),
        })
    }
}

/// The mean gap of the median part.
fn median_gap_ns(gaps: &[Duration], parts: u32) -> Option<u64> {
    /// So few gaps are more chance than rate.
    const FEW: usize = 8;
    if gaps.len() < FEW {
        return None;
    }
    let parts = usize::try_from(parts)
        .unwrap_or(1)
        .clamp(1, gaps.len() / FEW);
    let mut means: Vec<u128> = gaps
        .chunks(gaps.len().div_ceil(parts))
        .filter(|part| part.len() >= FEW / 2)
        .map(|part| part.iter().map(Duration::as_nanos).sum::<u128>() / part.len() as u128)
        .collect();
    means.sort_unstable();
    let median = means.get(means.len() / 2)?;
    u64::try_from(*median).ok()
}

impl Summary {
    /// The rate at which packets of this size left the narrowest place of their way, in kbit/s: by the gaps
    /// between those that followed each other there, or where hardly any did, by all that arrived.
    ///
    /// A packet that is lost behind that place has taken its share of the rate and one that is dropped in front
    /// of it has not, and nobody sees which it was. So only gaps without a loss count.
    pub(super) fn kbit(&self, ip_bytes: u16) -> Option<f64> {
        let gap_ns = match self.gap_ns {
            Some(gap_ns) => gap_ns as f64,
            None => self.span_us as f64 * 1_000.0 / f64::from(self.arrived.saturating_sub(1)),
        };
        kbit(ip_bytes, gap_ns)
    }

    /// The rate at which packets of this size were sent, in kbit/s; `None` where hardly any followed each other.
    pub(super) fn sent_kbit(&self, ip_bytes: u16) -> Option<f64> {
        kbit(ip_bytes, self.sent_gap_ns? as f64)
    }
}

fn kbit(ip_bytes: u16, gap_ns: f64) -> Option<f64> {
    let kbit = f64::from(ip_bytes) * 8.0 * 1e6 / gap_ns;
    kbit.is_finite().then_some(kbit)
}

fn count(packets: usize) -> u32 {
    u32::try_from(packets).unwrap_or(u32::MAX)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    /// Packets of 1250 bytes, of which 1 Mbit/s lets one through in 10 ms, as a link would deliver them.
    fn arrivals(packets: impl IntoIterator<Item = (u32, u64)>) -> Summary {
        let mut arrivals = Arrivals::default();
        for (index, ms) in packets {
            arrivals.push(index, Duration::ZERO, Duration::from_millis(ms));
        }
        arrivals.summary(Window::default())
    }

    #[test]
    fn the_rate_is_that_of_the_gaps() {
        let summary = arrivals((0..20).map(|index| (index, u64::from(index) * 10)));
        assert_eq!(summary.kbit(1_250).unwrap(), 1_000.0);
        assert_eq!((summary.arrived, summary.span_us), (20, 190_000));
    }

    #[test]
    fn what_is_lost_on_the_wire_changes_nothing() {
        let kept = (0..30).filter(|index| index % 5 != 0);
        let summary = arrivals(kept.map(|index| (index, u64::from(index) * 10)));
        assert_eq!(summary.kbit(1_250).unwrap(), 1_000.0);
    }

    #[test]
    fn what_the_queue_drops_changes_nothing() {
        // Every third of those sent finds no place in the queue, and the others follow each other.
        let kept = (0..40).filter(|index| index % 3 != 0);
        let summary = arrivals(kept.zip(0..).map(|(index, place)| (index, place * 10)));
        assert_eq!(summary.kbit(1_250).unwrap(), 1_000.0);
    }

    #[test]
    fn who_arrives_before_an_earlier_one_overtakes() {
        let arrived = |order: &[u32]| arrivals(order.iter().map(|index| (*index, 0))).overtaking;
        assert_eq!(arrived(&[0, 1, 2, 3]), 0);
        // A packet is lost, and another one arrives twice.
        assert_eq!(arrived(&[0, 2, 2, 3]), 0);
        // One overtakes two, and takes its copy along.
        assert_eq!(arrived(&[0, 3, 3, 1, 2, 4]), 1);
        // Two overtake one.
        assert_eq!(arrived(&[0, 2, 3, 1, 4]), 2);
    }

    #[test]
    fn the_beginning_is_left_out() {
        let mut arrivals = Arrivals::default();
        for index in 0..40_u32 {
            // The first ten come late by what the jitter has them wait.
            let late = 5 * u64::from(10_u32.saturating_sub(index));
            let at = Duration::from_millis(u64::from(index) * 10 + late);
            arrivals.push(index, Duration::ZERO, at);
        }
        let window = Window {
            settling_us: 60_000,
            parts: 1,
        };
        let summary = arrivals.summary(window);
        assert_eq!(summary.kbit(1_250).unwrap(), 1_000.0);
    }

    #[test]
    fn a_percentile_is_what_so_many_are_not_above() {
        let mut arrivals = Arrivals::default();
        // In the reverse order, delays of 1 to 200 ms.
        for index in 0..200_u32 {
            let sent = Duration::from_millis((index * 10).into());
            let delay = Duration::from_millis((200 - index).into());
            arrivals.push(index, sent, sent + delay);
        }
        let delays = Delays {
            least_us: 1_000,
            median_us: 100_000,
            p99_us: 198_000,
            p999_us: 200_000,
            most_us: 200_000,
        };
        assert_eq!(arrivals.summary(Window::default()).delays, Some(delays));
    }

    #[test]
    fn a_process_that_stands_still_changes_nothing() {
        let mut arrivals = Arrivals::default();
        for index in 0..90_u32 {
            // Nothing is delivered between 300 and 380 ms, then all that waited at once.
            let due = u64::from(index) * 10;
            let at = if (300..380).contains(&due) { 380 } else { due };
            arrivals.push(index, Duration::ZERO, Duration::from_millis(at));
        }
        let window = |parts| Window {
            settling_us: 0,
            parts,
        };
        assert_eq!(arrivals.summary(window(9)).kbit(1_250).unwrap(), 1_000.0);
        // Nothing is sent for as long as half of the train takes.
        let mut arrivals = Arrivals::default();
        for index in 0..90_u32 {
            let idle = if index > 30 { 450 } else { 0 };
            let at = Duration::from_millis(u64::from(index) * 10 + idle);
            arrivals.push(index, Duration::ZERO, at);
        }
        assert_eq!(arrivals.summary(window(9)).kbit(1_250).unwrap(), 1_000.0);
        let whole = arrivals.summary(window(1)).kbit(1_250).unwrap();
        assert!(whole < 700.0, "{whole}");
    }

    #[test]
    fn the_rate_of_sending_is_told_from_that_of_arrival() {
        let mut arrivals = Arrivals::default();
        for index in 0..20_u64 {
            let [sent, at] = [index * 5, index * 10].map(Duration::from_millis);
            arrivals.push(u32::try_from(index).unwrap(), sent, at);
        }
        let summary = arrivals.summary(Window::default());
        assert_eq!(summary.sent_kbit(1_250), Some(2_000.0));
        assert_eq!(summary.kbit(1_250), Some(1_000.0));
    }

    #[test]
    fn copies_count_once_and_nothing_has_no_rate() {
        let summary = arrivals([(0, 0), (0, 1), (1, 2)]);
        assert_eq!((summary.arrived, summary.copies), (2, 1));
        assert_eq!(arrivals([]).kbit(1_250), None);
        assert_eq!(arrivals([(3, 5)]).kbit(1_250), None);
    }
}
