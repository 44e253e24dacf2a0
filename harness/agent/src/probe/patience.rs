//! How long to look.

use std::time::Duration;

use tokio::time::Instant;

/// How long silence is not believed where an answer is declared. A busy machine can be slow, and
/// must not make a good lab INVALID for that.
const PATIENCE: Duration = Duration::from_secs(3);

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

/// Measures until something comes back, or silence is what was declared, or patience ends.
pub(super) async fn settle(declared: &str, mut attempt: impl AsyncFnMut() -> Reading) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt().await {
            Reading::Found(words) => return words,
            Reading::Silence(words) if words == declared || Instant::now() >= deadline => {
                return words;
            }
            Reading::Silence(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `settle` makes of readings that come 400 ms apart, and how many it took.
    async fn settled(declared: &str, readings: &[Reading]) -> (String, usize) {
        let mut taken = 0;
        let words = settle(declared, async || {
            tokio::time::sleep(Duration::from_millis(400)).await;
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
        let (words, taken) = settled("dropped", &[silence()]).await;
        assert_eq!((words.as_str(), taken), ("dropped", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_machine_is_given_time() {
        let (words, taken) = settled("passes", &[silence(), silence(), answer()]).await;
        assert_eq!((words.as_str(), taken), ("passes", 3));
        let (words, taken) = settled("passes", &[silence()]).await;
        assert_eq!((words.as_str(), taken), ("dropped", 8));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_declared_counts_at_once() {
        let (words, taken) = settled("dropped", &[answer()]).await;
        assert_eq!((words.as_str(), taken), ("passes", 1));
    }
}
