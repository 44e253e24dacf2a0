//! What is found.

use crate::excerpt::Excerpt;
use crate::place::Place;
use crate::rule::{Rule, Severity};
use farcall_literal::Span;
use schemars::JsonSchema;
use serde::Serialize;

/// Something to be said of a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Finding {
    /// The rule that says it.
    pub rule: Rule,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about, as a path of keys: `iceServers[2].urls[0]`.
    pub entry: String,
    /// What is so. Never contains a credential.
    pub message: String,
    /// What happens for it, and in which network.
    pub consequence: String,
    /// What to write instead.
    pub replacement: String,
    /// Built-in scenarios that show it: `farcall run NAME --ice FILE`.
    pub scenarios: Vec<String>,
    /// Where it is written.
    pub place: Place,
    /// The line in which it begins, as it may be shown.
    #[serde(skip)]
    pub(crate) excerpt: Excerpt,
}

/// A finding that is being made, with its place in bytes.
pub(crate) struct Draft {
    pub rule: Rule,
    pub severity: Severity,
    pub entry: String,
    pub span: Span,
    pub message: String,
    pub consequence: String,
    pub replacement: String,
    pub scenarios: &'static [&'static str],
}

impl Draft {
    /// A finding of the rule's own severity.
    pub fn new(rule: Rule, entry: &str, span: &Span, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: rule.about().severity,
            entry: entry.to_owned(),
            span: span.clone(),
            message: message.into(),
            consequence: String::new(),
            replacement: String::new(),
            scenarios: &[],
        }
    }

    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// What happens for it, and in which network.
    pub fn so(mut self, consequence: impl Into<String>) -> Self {
        self.consequence = consequence.into();
        self
    }

    /// What to write instead.
    pub fn write(mut self, replacement: impl Into<String>) -> Self {
        self.replacement = replacement.into();
        self
    }

    /// Scenarios that show it.
    pub fn seen_in(mut self, scenarios: &'static [&'static str]) -> Self {
        self.scenarios = scenarios;
        self
    }
}
