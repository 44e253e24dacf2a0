//! The keys of a baseline.

use super::{ExpectedNetwork, Quarantine};
use crate::document::Kind;
use crate::read::{Node, Read};
use time::Date;

/// A baseline as it is written.
pub(super) struct Document {
    pub networks: Vec<ExpectedNetwork>,
}

impl Read for Document {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            networks: table.required("networks", "[[networks]]"),
        })
    }
}

impl Read for ExpectedNetwork {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            scenario: table.required("scenario", "scenario = \"corporate-firewall\""),
            ice: table.optional("ice"),
            connects: table.optional("connects"),
            path: table.optional_with("path", Node::map).unwrap_or_default(),
            connect_within_ms: table.optional_with("connect_within_ms", |node| {
                node.number(&Self::CONNECT_WITHIN_MS)
            }),
            recover_within_ms: table.optional_with("recover_within_ms", |node| {
                node.number(&Self::RECOVER_WITHIN_MS)
            }),
            max_attempts: table
                .optional_with("max_attempts", |node| node.number(&Self::MAX_ATTEMPTS)),
            quarantine: table.optional("quarantine"),
        })
    }
}

impl Read for Quarantine {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            reason: table.required("reason", "reason = \"TURN over TLS comes next week\""),
            until: table.required("until", "until = 2026-12-31"),
        })
    }
}

impl Read for Date {
    fn read(node: Node<'_>) -> Self {
        let Some(Kind::Date(date)) = node.kind() else {
            node.reject_type("a date");
            return Self::MIN;
        };
        *date
    }
}
