//! Sequence numbers and what they say about loss (RFC 3550 appendices A.1 and A.3).

/// The sequence numbers of one RTP source, extended over their wrap-around.
#[derive(Debug, Clone, Default)]
pub struct SequenceNumbers {
    base: Option<u64>,
    highest: u64,
    received: u64,
}

impl SequenceNumbers {
    /// Counts a packet and gives its extended sequence number: that of RFC 3550, one cycle further
    /// on, so that packets from before the first one have a number too.
    pub fn extend(&mut self, number: u16) -> u64 {
        self.received += 1;
        let Some(_) = self.base else {
            self.highest = (1 << 16) + u64::from(number);
            self.base = Some(self.highest);
            return self.highest;
        };
        // The nearest number with these low 16 bits, before or after the highest.
        let distance = number.wrapping_sub(self.highest as u16) as i16;
        let extended = self.highest.saturating_add_signed(i64::from(distance));
        self.highest = self.highest.max(extended);
        extended
    }

    /// Packets received, repeated ones included.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Packets expected and not received; negative when more came again than were lost.
    #[must_use]
    pub fn lost(&self) -> i64 {
        let expected = self.base.map_or(0, |base| self.highest - base + 1);
        expected.cast_signed() - self.received.cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(numbers: &[u16]) -> SequenceNumbers {
        let mut sequence = SequenceNumbers::default();
        for &number in numbers {
            sequence.extend(number);
        }
        sequence
    }

    #[test]
    fn nothing_is_lost_of_nothing() {
        assert_eq!(after(&[]).lost(), 0);
    }

    #[test]
    fn a_gap_is_loss_until_it_is_filled() {
        assert_eq!(after(&[10, 11, 14]).lost(), 2);
        assert_eq!(after(&[10, 11, 14, 13, 12]).lost(), 0);
    }

    #[test]
    fn repeated_packets_count_against_loss() {
        assert_eq!(after(&[10, 11, 11]).lost(), -1);
        assert_eq!(after(&[10, 11, 11, 13]).lost(), 0);
    }

    #[test]
    fn numbers_go_on_over_the_wrap_around() {
        let mut sequence = after(&[65_534]);
        let start = sequence.highest;
        assert_eq!(sequence.extend(65_535), start + 1);
        assert_eq!(sequence.extend(1), start + 3);
        assert_eq!(sequence.extend(0), start + 2);
        assert_eq!(sequence.lost(), 0);
        for number in 2..=65_535 {
            sequence.extend(number);
        }
        assert_eq!(sequence.extend(0), start + 2 + 65_536);
        assert_eq!(sequence.lost(), 0);
    }

    #[test]
    fn a_packet_from_before_the_first_has_a_lower_number() {
        let mut sequence = after(&[0]);
        assert_eq!(sequence.extend(65_535), sequence.highest - 1);
    }
}
