//! Packets back into the order in which they were sent.
//!
//! The crate's `SampleBuilder` would do this too, but keeps two arrays of 65,536 entries for each
//! stream: more memory than a whole peer may take.

use rtc::rtp::Packet;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long packets wait for one that is missing before it. Long enough for a retransmission
/// over a slow path: the crate asks each 100 ms.
const WAIT_LIMIT: Duration = Duration::from_millis(600);

/// How many packets may wait.
const WAITING_LIMIT: usize = 512;

/// For how many of the latest sequence numbers it is known whether their packet came.
const HISTORY: usize = 1024;

/// A packet with the moment at which it came.
#[derive(Debug, Clone)]
pub struct Arrival {
    /// When it came.
    pub at: Instant,
    /// The packet.
    pub packet: Packet,
}

/// What comes next in the order of sending.
#[derive(Debug, Clone)]
pub enum InOrder {
    /// A packet.
    Packet(Arrival),
    /// One or more packets that did not come in time.
    Gap,
}

/// Puts packets into order by their extended sequence numbers.
#[derive(Debug)]
pub struct Reorder {
    next: Option<u64>,
    waiting: BTreeMap<u64, Arrival>,
    seen: Vec<u64>,
}

impl Default for Reorder {
    fn default() -> Self {
        Self {
            next: None,
            waiting: BTreeMap::new(),
            seen: vec![0; HISTORY],
        }
    }
}

impl Reorder {
    /// Takes a packet; `false` if it came before. One that comes after its turn is dropped, since
    /// it was already reported as a gap.
    pub fn push(&mut self, sequence: u64, arrival: Arrival) -> bool {
        let slot = usize::try_from(sequence % HISTORY as u64).unwrap_or_default();
        if self.seen[slot] == sequence {
            return false;
        }
        self.seen[slot] = sequence;
        if sequence >= *self.next.get_or_insert(sequence) {
            self.waiting.insert(sequence, arrival);
        }
        true
    }

    /// What comes next, if that is certain: a packet, or a gap whose time is up.
    pub fn pop(&mut self, now: Instant) -> Option<InOrder> {
        let oldest = self.waiting.values().map(|arrival| arrival.at).min()?;
        let is_up = now.saturating_duration_since(oldest) >= WAIT_LIMIT;
        self.next_in_order(is_up || self.waiting.len() > WAITING_LIMIT)
    }

    /// What comes next when nothing more will arrive.
    pub fn flush(&mut self) -> Option<InOrder> {
        self.next_in_order(true)
    }

    fn next_in_order(&mut self, give_up_gap: bool) -> Option<InOrder> {
        let entry = self.waiting.first_entry()?;
        let sequence = *entry.key();
        if self.next == Some(sequence) {
            self.next = Some(sequence + 1);
            return Some(InOrder::Packet(entry.remove()));
        }
        give_up_gap.then(|| {
            self.next = Some(sequence);
            InOrder::Gap
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sequence numbers that come out, with `None` for a gap.
    fn out(reorder: &mut Reorder, now: Instant) -> Vec<Option<u16>> {
        std::iter::from_fn(|| reorder.pop(now))
            .map(|next| match next {
                InOrder::Packet(arrival) => Some(arrival.packet.header.sequence_number),
                InOrder::Gap => None,
            })
            .collect()
    }

    fn push(reorder: &mut Reorder, sequence: u16, at: Instant) -> bool {
        let mut packet = Packet::default();
        packet.header.sequence_number = sequence;
        reorder.push(u64::from(sequence), Arrival { at, packet })
    }

    #[test]
    fn packets_come_out_in_order() {
        let now = Instant::now();
        let mut reorder = Reorder::default();
        for sequence in [10, 12, 13, 11] {
            assert!(push(&mut reorder, sequence, now));
        }
        assert_eq!(out(&mut reorder, now), [10, 11, 12, 13].map(Some));
    }

    #[test]
    fn a_gap_is_certain_when_its_time_is_up() {
        let now = Instant::now();
        let mut reorder = Reorder::default();
        push(&mut reorder, 10, now);
        push(&mut reorder, 12, now);
        assert_eq!(out(&mut reorder, now), [Some(10)]);
        assert_eq!(out(&mut reorder, now + WAIT_LIMIT / 2), []);
        assert_eq!(out(&mut reorder, now + WAIT_LIMIT), [None, Some(12)]);
        // Too late now.
        assert!(push(&mut reorder, 11, now + WAIT_LIMIT));
        assert_eq!(out(&mut reorder, now + WAIT_LIMIT * 2), []);
    }

    #[test]
    fn each_gap_has_its_own_time() {
        let now = Instant::now();
        let later = now + WAIT_LIMIT / 2;
        let mut reorder = Reorder::default();
        push(&mut reorder, 10, now);
        push(&mut reorder, 12, now);
        push(&mut reorder, 14, later);
        assert_eq!(
            out(&mut reorder, now + WAIT_LIMIT),
            [Some(10), None, Some(12)]
        );
        assert_eq!(out(&mut reorder, later + WAIT_LIMIT), [None, Some(14)]);
    }

    #[test]
    fn a_bounded_number_waits() {
        let now = Instant::now();
        let mut reorder = Reorder::default();
        push(&mut reorder, 10, now);
        for sequence in 12..12 + WAITING_LIMIT as u16 + 2 {
            push(&mut reorder, sequence, now);
        }
        assert_eq!(out(&mut reorder, now)[..3], [Some(10), None, Some(12)]);
    }

    #[test]
    fn repeated_packets_are_told() {
        let now = Instant::now();
        let mut reorder = Reorder::default();
        assert!(push(&mut reorder, 10, now));
        assert!(!push(&mut reorder, 10, now));
        assert_eq!(out(&mut reorder, now), [Some(10)]);
        assert!(!push(&mut reorder, 10, now));
    }

    #[test]
    fn flush_gives_all_there_is() {
        let now = Instant::now();
        let mut reorder = Reorder::default();
        push(&mut reorder, 10, now);
        push(&mut reorder, 12, now);
        let count = std::iter::from_fn(|| reorder.flush()).count();
        assert_eq!(count, 3);
    }
}
