//! What a probe and the responder say to each other.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// A question, one UDP datagram. Over TCP anything is a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    /// Told back in the answer.
    pub(super) token: u64,
    /// Where the answer is to come from.
    pub(super) answer_from: AnswerFrom,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// The question's; 0 over TCP.
    pub(super) token: u64,
    /// The transport address from which the question came.
    pub(super) observed: SocketAddr,
}

impl Question {
    /// A question that no other one is mistaken for.
    pub(super) fn new(answer_from: AnswerFrom) -> Self {
        Self {
            token: rand::random(),
            answer_from,
        }
    }
}
