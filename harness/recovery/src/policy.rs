//! What a client does about a connection that breaks or does not form.

use std::time::Duration;

/// How often, when and how a client tries again.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// How many attempts are made after one failure before the client gives up; 0: none at all.
    pub max_attempts: u32,
    /// From the failure to the first attempt.
    pub retry_delay: Duration,
    /// By what the pause before each further attempt is longer than the one before; 1: each is as long as the first.
    pub backoff: f64,
    /// The longest pause, without jitter.
    pub max_retry_delay: Duration,
    /// By how much of itself a pause may be longer, at random, so that many clients that fail at once do not all come
    /// back at once, 0 to 1.
    pub jitter: f64,
    /// For how long a connection may be `disconnected`, which often passes by itself (W3C webrtc-pc section 5.6.3),
    /// before that counts as a failure; `None`: for as long as it lasts.
    pub disconnected_grace: Option<Duration>,
    /// How long a connection may take to form before that counts as a failure; `None`: until it fails by itself.
    pub connect_timeout: Option<Duration>,
    /// What is done in the first attempt, the second, and so on; the last holds for all further ones. Empty: a reset.
    pub strategies: Vec<Strategy>,
}

/// What an attempt does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// Closes the connection, makes a new one and a new offer.
    Reset,
    /// Keeps the connection and makes an offer with new ICE credentials (RFC 8445 section 9).
    IceRestart,
    /// A reset with the ICE transport policy `relay`.
    ResetRelayed,
}

impl Default for Policy {
    /// Three attempts, two seconds after each failure, each with a new connection; a connection may be disconnected for
    /// five seconds and take fifteen to form.
    fn default() -> Self {
        Self {
            max_attempts: 3,
            retry_delay: Duration::from_secs(2),
            backoff: 1.0,
            max_retry_delay: Duration::from_secs(30),
            jitter: 0.0,
            disconnected_grace: Some(Duration::from_secs(5)),
            connect_timeout: Some(Duration::from_secs(15)),
            strategies: vec![Strategy::Reset],
        }
    }
}

impl Policy {
    /// The policy of a client that leaves a broken connection as it is.
    #[must_use]
    pub fn off() -> Self {
        Self {
            max_attempts: 0,
            ..Self::default()
        }
    }

    /// From a failure to the attempt with this number, 1 being the first. `random` is from 0 to 1.
    #[must_use]
    pub fn delay_before(&self, number: u32, random: f64) -> Duration {
        let factor = self.backoff.powf(f64::from(number.saturating_sub(1)));
        let seconds = self.retry_delay.as_secs_f64() * factor;
        // Too long for a duration, or no number at all: as long as it may be.
        let delay = Duration::try_from_secs_f64(seconds).unwrap_or(self.max_retry_delay);
        let longer = 1.0 + self.jitter.clamp(0.0, 1.0) * random.clamp(0.0, 1.0);
        delay.min(self.max_retry_delay).mul_f64(longer)
    }

    /// What the attempt with this number does, 1 being the first.
    #[must_use]
    pub fn strategy_of(&self, number: u32) -> Strategy {
        let index = usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        let strategy = self.strategies.get(index).or(self.strategies.last());
        strategy.copied().unwrap_or(Strategy::Reset)
    }
}

impl std::fmt::Display for Strategy {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            Self::Reset => "reset",
            Self::IceRestart => "ice-restart",
            Self::ResetRelayed => "reset-relayed",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let policy = Policy {
            retry_delay: Duration::from_secs(1),
            backoff: 2.0,
            max_retry_delay: Duration::from_secs(5),
            ..Policy::default()
        };
        let pauses: Vec<u64> = (1..=5)
            .map(|number| policy.delay_before(number, 1.0).as_secs())
            .collect();
        assert_eq!(pauses, [1, 2, 4, 5, 5]);
        let endless = Policy {
            backoff: f64::INFINITY,
            ..policy
        };
        assert_eq!(endless.delay_before(2, 0.0), Duration::from_secs(5));
    }

    #[test]
    fn jitter_makes_pauses_longer_and_never_shorter() {
        let policy = Policy {
            retry_delay: Duration::from_secs(2),
            jitter: 0.5,
            ..Policy::default()
        };
        let pauses = [0.0, 0.5, 1.0].map(|random| policy.delay_before(1, random).as_millis());
        assert_eq!(pauses, [2_000, 2_500, 3_000]);
    }

    #[test]
    fn the_last_strategy_holds_for_all_further_attempts() {
        let policy = Policy {
            strategies: vec![Strategy::IceRestart, Strategy::Reset],
            ..Policy::default()
        };
        let strategies = [1, 2, 3].map(|number| policy.strategy_of(number));
        assert_eq!(
            strategies,
            [Strategy::IceRestart, Strategy::Reset, Strategy::Reset]
        );
        let none = Policy {
            strategies: Vec::new(),
            ..policy
        };
        assert_eq!(none.strategy_of(1), Strategy::Reset);
    }
}
