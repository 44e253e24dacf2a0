//! What came of measuring a quantity.

/// A quantity in words, and whether it is within its tolerance of what is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    /// In words.
    pub(super) words: String,
    /// Whether it holds.
    pub(super) holds: bool,
}

impl Outcome {
    /// A quantity.
    pub(super) fn new(words: impl Into<String>, holds: bool) -> Self {
        Self {
            words: words.into(),
            holds,
        }
    }

    /// There is nothing to compare.
    pub(super) fn impossible(reason: impl std::fmt::Display) -> Self {
        Self::new(format!("could not be measured: {reason}"), false)
    }
}
