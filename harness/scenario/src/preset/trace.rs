//! Recorded rates in mahimahi's format.

use super::Rate;
use std::num::ParseIntError;

/// Why a text is no trace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// A line that is no number.
    #[error(
        "failed to read line {line} of a mahimahi trace, `{text}`: {source}; write one whole number of \
         milliseconds on each line, 0 to {max}",
        max = u32::MAX
    )]
    NotANumber {
        /// Counted from 1.
        line: usize,
        /// What stands there.
        text: String,
        /// What is wrong with it.
        source: ParseIntError,
    },
    /// A moment before the one in the line above.
    #[error(
        "failed to read line {line} of a mahimahi trace: {ms} ms come after {previous_ms} ms; write moments in \
         ascending order, and the same one again for a second packet"
    )]
    NotAscending {
        /// Counted from 1.
        line: usize,
        /// What stands there.
        ms: u32,
        /// What stands in the line above.
        previous_ms: u32,
    },
    /// A trace that lasts for no time.
    #[error(
        "failed to read a mahimahi trace: it ends at 0 ms; write at least one moment after that, the last is \
         the trace's length"
    )]
    NoLength,
}

impl Rate {
    /// A rate as a mahimahi trace has it: on each line the moment, in milliseconds since the trace began, at
    /// which one packet of up to 1500 bytes can leave; the last moment is the trace's length. Mahimahi's own
    /// rules hold: no empty line, moments ascend or repeat, the last is not 0. (Mahimahi's packets have 1504
    /// bytes, 4 of which are a TUN device's header.)
    ///
    /// # Errors
    /// When the text breaks these rules.
    pub fn from_mahimahi(text: &str) -> Result<Self, TraceError> {
        let mut delivery_ms: Vec<u32> = Vec::new();
        for (line, text) in (1..).zip(text.lines()) {
            let ms = text.parse().map_err(|source| TraceError::NotANumber {
                line,
                text: text.to_owned(),
                source,
            })?;
            if let Some(&previous_ms) = delivery_ms.last()
                && ms < previous_ms
            {
                return Err(TraceError::NotAscending {
                    line,
                    ms,
                    previous_ms,
                });
            }
            delivery_ms.push(ms);
        }
        match delivery_ms.last() {
            None | Some(0) => Err(TraceError::NoLength),
            Some(_) => Ok(Self::Trace { delivery_ms }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn error(text: &str) -> TraceError {
        Rate::from_mahimahi(text).unwrap_err()
    }

    #[test]
    fn each_line_is_a_moment() {
        let delivery_ms = vec![0, 3, 3, 10];
        for text in ["0\n3\n3\n10\n", "0\n3\n3\n10", "0\r\n3\r\n3\r\n10\r\n"] {
            let rate = Rate::Trace {
                delivery_ms: delivery_ms.clone(),
            };
            assert_eq!(Rate::from_mahimahi(text), Ok(rate));
        }
    }

    #[test]
    fn what_is_no_number_is_refused_with_its_line() {
        for text in ["x", "", "-1", "1.5", " 7", "4294967296"] {
            let trace = format!("1\n{text}\n9\n");
            assert!(
                matches!(error(&trace), TraceError::NotANumber { line: 2, text: found, .. } if found == text)
            );
        }
        assert_eq!(
            error("1\nx\n").to_string(),
            "failed to read line 2 of a mahimahi trace, `x`: invalid digit found in string; write one whole \
             number of milliseconds on each line, 0 to 4294967295"
        );
    }

    #[test]
    fn moments_that_go_back_are_refused_with_their_line() {
        let found = error("5\n5\n4\n");
        assert_eq!(
            found,
            TraceError::NotAscending {
                line: 3,
                ms: 4,
                previous_ms: 5
            }
        );
    }

    #[test]
    fn a_trace_without_length_is_refused() {
        for text in ["", "0\n0\n"] {
            assert_eq!(error(text), TraceError::NoLength);
        }
    }
}
