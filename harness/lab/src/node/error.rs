//! What can go wrong with a node.

use std::time::Duration;

/// A node did not do what it was asked. Every such error makes a run INVALID.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The lab has no such node.
    #[error("failed to find the node {node}; the lab has {known}")]
    Unknown {
        /// The name that was asked for.
        node: String,
        /// The names that there are.
        known: String,
    },
    /// The node's container ended.
    #[error(
        "failed to talk to {node}: {ending}; its last lines:\n{log}\n\
         hint: the whole log is in logs/{node}.log of the run"
    )]
    Gone {
        /// The node.
        node: String,
        /// How it ended.
        ending: String,
        /// Its last lines.
        log: String,
    },
    /// No answer came in time.
    #[error(
        "failed to get an answer from {node}: no {awaited} within {} ms; its last lines:\n{log}\n\
         hint: the machine may be overloaded; see also logs/{node}.log of the run", within.as_millis()
    )]
    Deadline {
        /// The node.
        node: String,
        /// What was awaited.
        awaited: &'static str,
        /// How long.
        within: Duration,
        /// Its last lines.
        log: String,
    },
    /// The node answered that it could not.
    #[error("failed at {node}: {message}; its last lines:\n{log}")]
    Failed {
        /// The node.
        node: String,
        /// The node's own words.
        message: String,
        /// Its last lines.
        log: String,
    },
    /// The node gave an answer of another kind: host and agent are not of one build.
    #[error(
        "failed to understand {node}: it answered with {reply}, which was not asked for\n\
         hint: the agent image is of another build; run `farcall clean` and try again"
    )]
    Unexpected {
        /// The node.
        node: String,
        /// The kind of the answer.
        reply: &'static str,
    },
    /// It was to stand still.
    #[error("failed to let {node} stand still: it still answers")]
    GoesOn {
        /// The node.
        node: String,
    },
    /// A file could not be fetched from the node's container.
    #[error("failed to fetch {path} from {node}: {reason}")]
    File {
        /// The node.
        node: String,
        /// The path in the container.
        path: String,
        /// What went wrong.
        reason: String,
    },
}
