//! The name of one lab.

use rand::RngExt;
use std::fmt;
use std::str::FromStr;

/// Lower case and digits without those that are mistaken for one another.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Forty bits: two of a million labs share one with a probability of one half.
const LENGTH: usize = 8;

/// The name of one lab, drawn anew for each, so that labs of several processes never collide.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(String);

/// The text is no session id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed to read the session id {0:?}: expected {LENGTH} lower-case letters and digits")]
pub struct SessionIdError(String);

impl SessionId {
    /// Draws one.
    #[must_use]
    pub fn random() -> Self {
        let mut random = rand::rng();
        let draw = |_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())]);
        Self((0..LENGTH).map(draw).collect())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for SessionId {
    type Err = SessionIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let valid = text.len() == LENGTH && text.bytes().all(|byte| ALPHABET.contains(&byte));
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(SessionIdError(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_distinct_and_read_back() {
        let ids: BTreeSet<SessionId> = (0..1000).map(|_| SessionId::random()).collect();
        assert_eq!(ids.len(), 1000);
        for id in ids {
            assert_eq!(id.as_str().parse(), Ok(id.clone()));
        }
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "abc", "ABCDEFGH", "abcdefg/", "abcdefghj", "abcdefgi"] {
            assert_eq!(
                text.parse::<SessionId>(),
                Err(SessionIdError(text.to_owned()))
            );
        }
    }
}
