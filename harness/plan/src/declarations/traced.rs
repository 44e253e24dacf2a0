//! How fast a recorded rate is, wherever in the recording one looks.

/// How long one looks, in milliseconds, at least and at most.
const WINDOW_MS: (u64, u64) = (500, 5_000);

/// How many opportunities one is to see on average: with few, one more or less is a large part.
const OPPORTUNITIES: u64 = 40;

/// What an opportunity carries.
const OPPORTUNITY_BITS: u64 = 1_500 * 8;

/// A recorded rate in windows of one length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traced {
    /// How long they are, in milliseconds.
    pub window_ms: u32,
    /// In the slowest of them, in kbit/s, with one opportunity less: packets share them.
    pub least_kbit: u32,
    /// In the fastest of them, in kbit/s, with one opportunity more.
    pub most_kbit: u32,
}

/// For how long it stands still at most, in milliseconds.
pub(super) fn longest_pause_ms(delivery_ms: &[u32]) -> u32 {
    let before = [0].iter().chain(delivery_ms);
    let pauses = before.zip(delivery_ms).map(|(before, at)| at - before);
    pauses.max().unwrap_or(0)
}

/// What the recording lets through; `None` of one without length.
pub(super) fn traced(delivery_ms: &[u32]) -> Option<Traced> {
    let length_ms = u64::from(*delivery_ms.last().filter(|length_ms| **length_ms > 0)?);
    let count = delivery_ms.len() as u64;
    let window_ms = (OPPORTUNITIES * length_ms / count).clamp(WINDOW_MS.0, WINDOW_MS.1);
    // How many opportunities there are up to this moment, over all repetitions.
    let until = |ms: u64| {
        let within_ms = ms % length_ms;
        let within = delivery_ms.partition_point(|at| u64::from(*at) <= within_ms);
        ms / length_ms * count + within as u64
    };
    let moments = delivery_ms.iter().map(|at| u64::from(*at));
    // The slowest window begins right after an opportunity, the fastest with one.
    let least = moments
        .clone()
        .map(|at| until(at + window_ms) - until(at))
        .min()?;
    let most = moments
        .map(|at| at + length_ms)
        .map(|at| until(at + window_ms - 1) - until(at - 1))
        .max()?;
    let kbit = |opportunities: u64| {
        let kbit = opportunities * OPPORTUNITY_BITS / window_ms;
        u32::try_from(kbit).unwrap_or(u32::MAX)
    };
    Some(Traced {
        window_ms: u32::try_from(window_ms).unwrap_or(u32::MAX),
        least_kbit: kbit(least.saturating_sub(1)),
        most_kbit: kbit(most + 1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_recording_is_as_fast_everywhere() {
        // Every 3 ms: 4 Mbit/s, 167 opportunities in half a second.
        let found = traced(&[3]);
        let expected = Traced {
            window_ms: 500,
            least_kbit: 3_960,
            most_kbit: 4_032,
        };
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn a_recording_that_changes_has_a_slowest_and_a_fastest_window() {
        // A second of 12 Mbit/s, and one of 1.2 Mbit/s.
        let fast = 1..=1_000;
        let slow = (1_010..=2_000).step_by(10);
        let delivery_ms: Vec<u32> = fast.chain(slow).collect();
        let expected = Traced {
            window_ms: 500,
            least_kbit: 1_176,
            most_kbit: 12_024,
        };
        assert_eq!(traced(&delivery_ms), Some(expected));
    }

    #[test]
    fn of_a_slow_recording_more_is_seen() {
        // Every 100 ms: 120 kbit/s.
        let found = traced(&[100]).map(|traced| traced.window_ms);
        assert_eq!(found, Some(4_000));
        let found = traced(&[60_000]).map(|traced| (traced.window_ms, traced.least_kbit));
        assert_eq!(found, Some((5_000, 0)));
    }

    #[test]
    fn it_stands_still_between_opportunities_and_before_the_first() {
        assert_eq!(longest_pause_ms(&[2, 3, 9, 10]), 6);
        assert_eq!(longest_pause_ms(&[60_000]), 60_000);
        assert_eq!(longest_pause_ms(&[]), 0);
    }

    #[test]
    fn a_recording_without_length_has_no_rate() {
        assert_eq!((traced(&[]), traced(&[0])), (None, None));
    }
}
