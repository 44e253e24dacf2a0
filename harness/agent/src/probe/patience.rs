//! How long to look.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The time for a first attempt beside that of its round trips: inside a lab without links a round trip takes
/// less than 1 ms, on a busy machine some tens.
const MARGIN: Duration = Duration::from_millis(350);

/// The most that this time grows to, from attempt to attempt: at a load of 33 on two processors no answer came within
/// [`MARGIN`] for three seconds.
const LONGEST_MARGIN: Duration = Duration::from_millis(2_800);

/// How long silence is not believed where an answer is declared, beside the time of some attempts. A busy
/// machine can be slow, and must not make a good lab INVALID for that.
const PATIENCE: Duration = Duration::from_secs(6);

/// How many attempts fit into patience at least, whatever the link's delay: on one that loses packets
/// single ones are lost.
const ATTEMPTS: u32 = 8;

/// The pause before the next attempt: what is refused or wrong is so at once, and asking without a pause
/// would keep a processor busy.
const PAUSE: Duration = Duration::from_millis(50);

/// How long to wait for an answer and for the answer that is declared. It follows from the declared link.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    round_trip: Duration,
    margin: Duration,
}

/// What one attempt to measure gave, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// Something came back, and this follows from it.
    Found(String),
    /// This follows if what did not come back is not only late.
    Silence(String),
}

impl Reading {
    /// Something came back that nothing follows from.
    pub(super) fn impossible(reason: impl std::fmt::Display) -> Self {
        Self::Found(format!("could not be measured: {reason}"))
    }
}

impl Patience {
    /// For answers that take this long at most, as declared.
    pub(super) fn new(round_trip: Duration) -> Self {
        Self {
            round_trip,
            margin: MARGIN,
        }
    }

    /// How long answers take at most, as declared.
    pub(super) fn round_trip(self) -> Duration {
        self.round_trip
    }

    /// The time for one attempt of so many round trips.
    pub(super) fn attempt(self, round_trips: u32) -> Duration {
        self.margin + self.round_trip * round_trips
    }

    /// For the attempt after one that brought nothing: what is late is awaited twice as long.
    fn grown(self) -> Self {
        Self {
            margin: (self.margin * 2).min(LONGEST_MARGIN),
            ..self
        }
    }

    /// Measures until something comes back, or silence is what was declared, or patience ends. Each attempt is given
    /// its own patience.
    pub(super) async fn settle(
        self,
        declared: &str,
        mut attempt: impl AsyncFnMut(Self) -> Reading,
    ) -> String {
        let deadline = Instant::now() + PATIENCE + self.round_trip * ATTEMPTS;
        let mut patience = self;
        loop {
            match attempt(patience).await {
                Reading::Found(words) => return words,
                Reading::Silence(words) if words == declared || Instant::now() >= deadline => {
                    return words;
                }
                Reading::Silence(_) => sleep(PAUSE).await,
            }
            patience = patience.grown();
        }
    }

    /// Measures a quantity until it holds or patience ends: a machine that is busy with something else for
    /// a moment disturbs each measurement, and only ever makes a good one look bad.
    pub(super) async fn insist<T>(
        self,
        holds: impl Fn(&T) -> bool,
        mut attempt: impl AsyncFnMut() -> T,
    ) -> T {
        let deadline = Instant::now() + PATIENCE + self.round_trip * ATTEMPTS;
        loop {
            let measured = attempt().await;
            if holds(&measured) || Instant::now() >= deadline {
                return measured;
            }
            sleep(PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `settle` makes of readings that come 400 ms apart, and how many it took.
    async fn settled(round_trip_ms: u64, declared: &str, readings: &[Reading]) -> (String, usize) {
        let mut taken = 0;
        let patience = Patience::new(Duration::from_millis(round_trip_ms));
        let words = patience.settle(declared, async |_| {
            sleep(Duration::from_millis(400)).await;
            taken += 1;
            readings[taken.min(readings.len()) - 1].clone()
        });
        let words = words.await;
        (words, taken)
    }

    fn silence() -> Reading {
        Reading::Silence("dropped".to_owned())
    }

    fn answer() -> Reading {
        Reading::Found("passes".to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn declared_silence_is_believed_at_once() {
        let (words, taken) = settled(0, "dropped", &[silence()]).await;
        assert_eq!((words.as_str(), taken), ("dropped", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_machine_is_given_time() {
        let (words, taken) = settled(0, "passes", &[silence(), silence(), answer()]).await;
        assert_eq!((words.as_str(), taken), ("passes", 3));
        let (words, taken) = settled(0, "passes", &[silence()]).await;
        assert_eq!((words.as_str(), taken), ("dropped", 14));
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_link_is_given_more() {
        let (_, taken) = settled(900, "passes", &[silence()]).await;
        assert_eq!(taken, 30);
        let patience = Patience::new(Duration::from_millis(900));
        assert!(patience.attempt(2) > Duration::from_millis(1_800));
    }

    #[tokio::test(start_paused = true)]
    async fn each_attempt_waits_longer_than_the_one_before_it_up_to_a_limit() {
        let mut waited_ms = Vec::new();
        let patience = Patience::new(Duration::from_millis(100));
        let words = patience.settle("passes", async |patience| {
            waited_ms.push(patience.attempt(1).as_millis());
            sleep(patience.attempt(1)).await;
            silence()
        });
        assert_eq!(words.await, "dropped");
        assert_eq!(waited_ms, [450, 800, 1_500, 2_900, 2_900]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_declared_counts_at_once() {
        let (words, taken) = settled(0, "dropped", &[answer()]).await;
        assert_eq!((words.as_str(), taken), ("passes", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_quantity_is_measured_until_it_holds() {
        let patience = Patience::new(Duration::ZERO);
        let mut measured = 0;
        let found = patience.insist(
            |found| *found == 3,
            async || {
                measured += 1;
                measured
            },
        );
        assert_eq!(found.await, 3);
        let mut measured = 0;
        let never = patience.insist(
            |_| false,
            async || {
                sleep(Duration::from_millis(450)).await;
                measured += 1;
                measured
            },
        );
        assert_eq!(never.await, 13);
    }
}
