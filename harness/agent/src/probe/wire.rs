//! What a probe and the responder say to each other. Questions and answers are JSON, one UDP datagram each;
//! blanks behind them make them as large as they need to be.

use std::net::SocketAddr;

use farcall_plan::Passage;
use serde::{Deserialize, Serialize};

use super::arrivals::{Summary, Window};
use super::train::Train;

/// The bytes of the IP and UDP headers of a datagram (RFC 791 section 3.1, RFC 768).
pub(super) const HEADER_BYTES: u16 = 28;

/// A question, one UDP datagram. Over TCP anything is a question for the asker's own address, but for
/// [`Ask::Connect`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// Told back in the answer.
    pub(super) token: u64,
    /// What is asked.
    pub(super) ask: Ask,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Ask {
    /// To open a TCP connection to the asker, from the address that was asked. Over TCP alone.
    Connect {
        /// To which port.
        port: u16,
        /// After how long without an answer nothing came back, in milliseconds.
        within_ms: u32,
    },
    /// From which address the question came.
    Address {
        /// Where the answer is to come from.
        answer_from: AnswerFrom,
    },
    /// To send an answer with this token to somebody else, from the address and port that were asked, and
    /// one with the question's token to the asker.
    Call {
        /// To whom.
        to: SocketAddr,
        /// With which token.
        token: u64,
    },
    /// To answer with an IP packet of so many bytes, which must not be fragmented.
    Datagram {
        /// How many.
        ip_bytes: u16,
    },
    /// What the responder's kernel has learned of the MTU on the way to the asker.
    PathMtu,
    /// To send this train to the asker.
    Train(Train),
    /// What has arrived of the train with this token.
    Arrivals {
        /// The train's.
        train: u64,
        /// What of it counts for its dispersion.
        window: Window,
    },
}

/// Where an answer comes from, seen from the address and port that were asked (RFC 5780 section 4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AnswerFrom {
    /// The same address and port.
    Same,
    /// The same address, another port.
    OtherPort,
    /// Another address and port.
    OtherAddress,
}

/// An answer: one UDP datagram, or one line over TCP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// The question's; 0 over TCP.
    pub(super) token: u64,
    /// The transport address from which the question came.
    pub(super) observed: SocketAddr,
    /// What else was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) told: Option<Told>,
}

/// What an answer tells beside the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Told {
    /// The MTU on the way to the asker, as far as the responder's kernel has learned of it.
    PathMtu {
        /// In bytes.
        bytes: u32,
    },
    /// What has arrived of a train.
    Arrivals(Summary),
    /// What became of a connection to the asker.
    Connection {
        /// What.
        passage: Passage,
    },
}

impl Question {
    /// A question for the asker's own address, that no other one is mistaken for.
    pub(super) fn new(answer_from: AnswerFrom) -> Self {
        Self::to(Ask::Address { answer_from })
    }

    /// A question that no other one is mistaken for.
    pub(super) fn to(ask: Ask) -> Self {
        Self {
            token: rand::random(),
            ask,
        }
    }
}

/// A question or an answer as a datagram whose IP packet has at least this many bytes.
pub(super) fn padded(message: &impl Serialize, ip_bytes: u16) -> serde_json::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(message)?;
    let length = usize::from(ip_bytes.saturating_sub(HEADER_BYTES));
    bytes.resize(length.max(bytes.len()), b' ');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use farcall_plan::PROBE_PACKET_BYTES;

    use super::*;

    #[test]
    fn a_ping_is_no_larger_than_the_plan_takes_it_for() {
        let question = Question {
            token: u64::MAX,
            ..Question::new(AnswerFrom::Same)
        };
        let answer = Answer {
            token: u64::MAX,
            observed: "203.0.113.100:65535".parse().unwrap(),
            told: None,
        };
        for bytes in [padded(&question, 0).unwrap(), padded(&answer, 0).unwrap()] {
            assert!(bytes.len() + usize::from(HEADER_BYTES) <= usize::from(PROBE_PACKET_BYTES));
        }
    }

    #[test]
    fn blanks_make_a_datagram_as_large_as_it_is_to_be() {
        let question = Question::to(Ask::Datagram { ip_bytes: 1_280 });
        let bytes = padded(&question, 1_280).unwrap();
        assert_eq!(bytes.len() + usize::from(HEADER_BYTES), 1_280);
        assert_eq!(
            serde_json::from_slice::<Question>(&bytes).unwrap(),
            question
        );
    }
}
