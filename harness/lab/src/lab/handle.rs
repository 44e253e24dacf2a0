//! A lab that stands.

use super::error::RemoveError;
use super::standing::Standing;
use crate::identity::SessionId;
use crate::node::{NodeError, NodeHandle};
use bollard::Docker;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How a lab is raised.
#[derive(Debug, Clone)]
pub struct LabOptions {
    /// The lab's name.
    pub session: SessionId,
    /// Whether the lab outlives this process, for `farcall exec` and `farcall down`.
    pub keep: bool,
    /// Whether every interface's packets are captured.
    pub capture: bool,
    /// How long raising may take in all.
    pub deadline: Duration,
    /// The run's time zero, to which events' times refer.
    pub time_zero: Instant,
}

impl LabOptions {
    /// A lab of its own, removed after use, without captures, whose time zero is now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            session: SessionId::random(),
            keep: false,
            capture: false,
            deadline: Self::DEADLINE,
            time_zero: Instant::now(),
        }
    }

    /// How long raising may take unless something else is asked for: some fifteen times as long as
    /// it takes on two idle cores, for machines under load.
    pub const DEADLINE: Duration = Duration::from_secs(60);
}

impl Default for LabOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// A lab that stands. Dropping it, also in a panic, removes it, and blocks for as long as that
/// takes; [`Lab::remove`] does the same without blocking and tells what went wrong.
#[derive(Debug)]
pub struct Lab {
    // Dropped before `nodes`: agents end with their input, and all at once they would leave their
    // networks all at once.
    standing: Option<Standing>,
    nodes: BTreeMap<String, NodeHandle>,
    pub(super) docker: Docker,
    session: SessionId,
}

impl Lab {
    pub(super) fn new(
        docker: Docker,
        keep: bool,
        nodes: Vec<NodeHandle>,
        standing: Standing,
    ) -> Self {
        let session = standing.session().clone();
        let nodes = nodes.into_iter();
        let standing = if keep {
            standing.leave();
            None
        } else {
            Some(standing)
        };
        Self {
            nodes: nodes.map(|node| (node.name().to_owned(), node)).collect(),
            docker,
            session,
            standing,
        }
    }

    /// The lab's name.
    #[must_use]
    pub fn session(&self) -> &SessionId {
        &self.session
    }

    /// A node by its name in the plan.
    ///
    /// # Errors
    /// When the lab has no such node.
    pub fn node(&self, name: &str) -> Result<&NodeHandle, NodeError> {
        self.nodes.get(name).ok_or_else(|| NodeError::Unknown {
            node: name.to_owned(),
            known: self.nodes.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }

    /// All nodes, by name.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeHandle> {
        self.nodes.values()
    }

    /// Removes every container and network of the lab. Of a lab that was raised to be kept nothing
    /// is removed.
    ///
    /// # Errors
    /// When Docker cannot remove something; what it is stands in the error.
    pub async fn remove(mut self) -> Result<(), RemoveError> {
        self.expect_end();
        match self.standing.take() {
            Some(standing) => standing.remove().await,
            None => Ok(()),
        }
    }

    /// Lets go of the lab without removing anything. Only the nodes of a lab that was raised to be
    /// kept go on; those of others end with their input.
    pub fn keep(mut self) {
        self.expect_end();
        if let Some(standing) = self.standing.take() {
            standing.leave();
        }
    }

    fn expect_end(&self) {
        for node in self.nodes.values() {
            node.expect_end();
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.expect_end();
    }
}
