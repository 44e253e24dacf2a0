//! What was found beside what was declared, and how long to look.

use std::time::Duration;

use tokio::time::Instant;

/// How long silence is not believed where an answer is declared. A busy machine can be slow, and
/// must not make a good lab INVALID for that.
const PATIENCE: Duration = Duration::from_secs(3);

/// A measured fact in words. It holds when both words are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) what: String,
    pub(super) declared: String,
    pub(super) measured: String,
}

impl Finding {
    pub(super) fn new(
        what: impl Into<String>,
        declared: impl Into<String>,
        measured: impl Into<String>,
    ) -> Self {
        Self {
            what: what.into(),
            declared: declared.into(),
            measured: measured.into(),
        }
    }
}

/// What one attempt to measure gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading<T> {
    /// Something came back, and this follows from it.
    Found(T),
    /// This follows if what did not come back is not only late.
    Silence(T),
    /// It cannot be measured, and why.
    Impossible(String),
}

impl<T> Reading<T> {
    /// In words.
    pub(super) fn words(&self, words: impl Fn(&T) -> String) -> String {
        match self {
            Self::Found(found) | Self::Silence(found) => words(found),
            Self::Impossible(reason) => format!("could not be measured: {reason}"),
        }
    }

    /// Whether another attempt could give something else than this.
    fn is_final(&self, declared: &T) -> bool
    where
        T: PartialEq,
    {
        match self {
            Self::Silence(found) => found == declared,
            Self::Found(_) | Self::Impossible(_) => true,
        }
    }
}

/// Measures until something comes back, or silence is what was declared, or patience ends.
pub(super) async fn settle<T: PartialEq>(
    declared: &T,
    mut attempt: impl AsyncFnMut() -> Reading<T>,
) -> Reading<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let reading = attempt().await;
        if reading.is_final(declared) || Instant::now() >= deadline {
            return reading;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `settle` makes of readings that come 400 ms apart, and how many it took.
    async fn settled(declared: u8, readings: &[Reading<u8>]) -> (Reading<u8>, usize) {
        let mut taken = 0;
        let reading = settle(&declared, async || {
            tokio::time::sleep(Duration::from_millis(400)).await;
            taken += 1;
            readings[taken.min(readings.len()) - 1].clone()
        });
        let reading = reading.await;
        (reading, taken)
    }

    #[tokio::test(start_paused = true)]
    async fn declared_silence_is_believed_at_once() {
        let (reading, taken) = settled(0, &[Reading::Silence(0)]).await;
        assert_eq!((reading, taken), (Reading::Silence(0), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_machine_is_given_time() {
        let readings = [Reading::Silence(0), Reading::Silence(0), Reading::Found(1)];
        assert_eq!(settled(1, &readings).await, (Reading::Found(1), 3));
        let (reading, taken) = settled(1, &[Reading::Silence(0)]).await;
        assert_eq!((reading, taken), (Reading::Silence(0), 8));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_declared_counts_at_once() {
        assert_eq!(
            settled(0, &[Reading::Found(1)]).await,
            (Reading::Found(1), 1)
        );
    }
}
