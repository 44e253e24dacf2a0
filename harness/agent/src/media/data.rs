//! Messages whose content can be verified.

use bytes::{BufMut, BytesMut};
use farcall_timeline::DataStats;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The length of a message, in bytes.
const MESSAGE_BYTES: usize = 512;

/// The side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The one that makes the offer, and opens the data channel.
    Offerer,
    /// The other.
    Answerer,
}

impl Role {
    /// The other side.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Offerer => Self::Answerer,
            Self::Answerer => Self::Offerer,
        }
    }

    /// Different for both sides, so that a message that comes back to its sender is not taken for
    /// one of the other.
    fn seed(self) -> u64 {
        match self {
            Self::Offerer => 0xfa2c_a110,
            Self::Answerer => 0xfa2c_a111,
        }
    }
}

/// The message with this number (from 0) of this sender: the number, then bytes that follow from
/// number and sender.
#[must_use]
pub fn message(sender: Role, number: u64) -> BytesMut {
    let mut bytes = BytesMut::zeroed(MESSAGE_BYTES);
    let (mut head, body) = bytes.split_at_mut(size_of::<u64>());
    head.put_u64(number);
    let mut generator = ChaCha8Rng::seed_from_u64(sender.seed());
    generator.set_stream(number);
    generator.fill_bytes(body);
    bytes
}

/// Verifies the messages of one sender (pure).
#[derive(Debug)]
pub struct MessageReceiver {
    sender: Role,
    next: u64,
}

impl MessageReceiver {
    /// A receiver of the messages of this sender.
    #[must_use]
    pub fn new(sender: Role) -> Self {
        Self { sender, next: 0 }
    }

    /// Counts a message. One that skips or repeats a number is out of order, though its content
    /// may be intact.
    pub fn on_message(&mut self, bytes: &[u8], stats: &mut DataStats) {
        stats.bytes_received += bytes.len() as u64;
        let number = bytes.first_chunk().copied().map(u64::from_be_bytes);
        let Some(number) = number.filter(|&number| bytes == message(self.sender, number)) else {
            stats.messages_corrupt += 1;
            return;
        };
        stats.messages_intact += 1;
        if number != self.next {
            stats.messages_out_of_order += 1;
        }
        self.next = number + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(messages: &[BytesMut]) -> DataStats {
        let mut receiver = MessageReceiver::new(Role::Offerer);
        let mut stats = DataStats::default();
        for message in messages {
            receiver.on_message(message, &mut stats);
        }
        stats
    }

    fn numbered(numbers: &[u64]) -> Vec<BytesMut> {
        let message = |&number| message(Role::Offerer, number);
        numbers.iter().map(message).collect()
    }

    #[test]
    fn messages_are_intact_and_in_order() {
        let stats = received(&numbered(&[0, 1, 2]));
        assert_eq!(stats.messages_intact, 3);
        assert_eq!(stats.messages_out_of_order, 0);
        assert_eq!(stats.bytes_received, 3 * 512);
    }

    #[test]
    fn skipped_and_repeated_messages_are_out_of_order() {
        assert_eq!(received(&numbered(&[0, 2, 3])).messages_out_of_order, 1);
        assert_eq!(received(&numbered(&[0, 1, 1, 2])).messages_out_of_order, 1);
        assert_eq!(received(&numbered(&[1, 0])).messages_out_of_order, 2);
    }

    #[test]
    fn a_changed_bit_anywhere_makes_a_message_corrupt() {
        for position in [0, 7, 8, 511] {
            let mut message = message(Role::Offerer, 0);
            message[position] ^= 1;
            let stats = received(&[message]);
            assert_eq!((stats.messages_corrupt, stats.messages_intact), (1, 0));
        }
    }

    #[test]
    fn other_lengths_are_corrupt() {
        let whole = message(Role::Offerer, 0);
        let short = [BytesMut::new(), whole[..7].into(), whole[..511].into()];
        assert_eq!(received(&short).messages_corrupt, 3);
    }

    #[test]
    fn ones_own_message_coming_back_is_corrupt() {
        let stats = received(&[message(Role::Answerer, 0)]);
        assert_eq!(stats.messages_corrupt, 1);
    }
}
