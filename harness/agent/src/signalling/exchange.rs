//! Every signal once and in order, whatever connections break on the way: the peers number what they say, keep it
//! until the other has it, and say it again when they meet anew.

use farcall_protocol::Signal;
use std::collections::VecDeque;

/// One peer's side of it.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// How many signals the other peer is known to have.
    taken: u64,
    /// Those after them, in order.
    kept: VecDeque<Signal>,
    /// How many signals of the other peer have arrived.
    arrived: u64,
}

impl Exchange {
    /// Keeps a signal, and gives its number.
    pub fn say(&mut self, signal: Signal) -> u64 {
        self.kept.push_back(signal);
        self.taken + self.kept.len() as u64
    }

    /// What the other peer is not known to have, with its numbers.
    pub fn kept(&self) -> impl Iterator<Item = (u64, &Signal)> {
        (self.taken + 1..).zip(&self.kept)
    }

    /// The other peer has everything up to this number.
    pub fn taken(&mut self, number: u64) {
        while self.taken < number && self.kept.pop_front().is_some() {
            self.taken += 1;
        }
    }

    /// Whether a signal of the other peer with this number is the next. One that came before comes again when the word
    /// of its arrival was lost; one too far ahead comes again after those before it.
    pub fn arrives(&mut self, number: u64) -> bool {
        let is_next = number == self.arrived + 1;
        self.arrived += u64::from(is_next);
        is_next
    }

    /// How many signals of the other peer have arrived.
    pub fn arrived(&self) -> u64 {
        self.arrived
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farcall_protocol::SignalBody;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn signal(attempt: u32) -> Signal {
        Signal {
            connection: 1,
            incarnation: 1,
            body: SignalBody::Restart { attempt },
        }
    }

    #[test]
    fn what_has_arrived_is_forgotten_and_the_rest_keeps_its_numbers() {
        let mut exchange = Exchange::default();
        assert_eq!(exchange.say(signal(1)), 1);
        assert_eq!(exchange.say(signal(2)), 2);
        exchange.taken(1);
        assert_eq!(exchange.say(signal(3)), 3);
        let kept: Vec<_> = exchange.kept().map(|(number, _)| number).collect();
        assert_eq!(kept, [2, 3]);
        // More than was ever said, and less than was taken already.
        exchange.taken(9);
        exchange.taken(1);
        assert_eq!(exchange.kept().count(), 0);
        assert_eq!(exchange.say(signal(4)), 4);
    }

    /// A way that loses any frame, then says everything again, as two peers do that meet anew.
    #[test]
    fn every_signal_arrives_once_and_in_order_whatever_is_lost() {
        for seed in 0..200 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let (mut from, mut to) = (Exchange::default(), Exchange::default());
            let mut heard = Vec::new();
            let mut said = 0;
            while heard.len() < 20 {
                if said < 20 && random.random_bool(0.5) {
                    said += 1;
                    from.say(signal(said));
                }
                let sent: Vec<_> = from.kept().map(|(n, signal)| (n, signal.clone())).collect();
                for (number, signal) in sent {
                    let is_lost = random.random_bool(0.3);
                    if !is_lost && to.arrives(number) {
                        heard.push(signal);
                    }
                }
                if random.random_bool(0.5) {
                    from.taken(to.arrived());
                }
            }
            let expected: Vec<_> = (1..=20).map(signal).collect();
            assert_eq!(heard, expected, "seed {seed}");
        }
    }
}
