//! The labels on every container and network of a lab.

use super::{Owner, SessionId};
use crate::images::LABEL;
use std::collections::HashMap;

/// The value of the label [`LABEL`] that marks everything of a lab.
pub(crate) const LAB: &str = "lab";
/// The label with the session id.
pub(crate) const SESSION: &str = "farcall.session";
const SCENARIO: &str = "farcall.scenario";
const NODE: &str = "farcall.node";
const PID: &str = "farcall.pid";
const OWNER: &str = "farcall.owner";
const KEEP: &str = "farcall.keep";

/// What the labels say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Labels {
    /// The lab.
    pub(crate) session: SessionId,
    /// The scenario's name.
    pub(crate) scenario: String,
    /// The process that raised it.
    pub(crate) owner: Owner,
    /// Whether it is to outlive that process.
    pub(crate) keep: bool,
}

impl Labels {
    /// The labels of a network.
    pub(crate) fn of_network(&self) -> HashMap<String, String> {
        // An owner is three numbers and two strings: it has no value that JSON cannot hold.
        let owner = serde_json::to_string(&self.owner).unwrap_or_default();
        HashMap::from(
            [
                (LABEL, LAB.to_owned()),
                (SESSION, self.session.to_string()),
                (SCENARIO, self.scenario.clone()),
                (PID, self.owner.pid.to_string()),
                (OWNER, owner),
                (KEEP, self.keep.to_string()),
            ]
            .map(|(label, value)| (label.to_owned(), value)),
        )
    }

    /// The labels of a node's container.
    pub(crate) fn of_node(&self, node: &str) -> HashMap<String, String> {
        let mut labels = self.of_network();
        labels.insert(NODE.to_owned(), node.to_owned());
        labels
    }

    /// Reads them back, with the node's name if it is a container. `None`: not labels of ours.
    pub(crate) fn read(labels: &HashMap<String, String>) -> Option<(Self, Option<String>)> {
        let read = Self {
            session: labels.get(SESSION)?.parse().ok()?,
            scenario: labels.get(SCENARIO)?.clone(),
            owner: serde_json::from_str(labels.get(OWNER)?).ok()?,
            keep: labels.get(KEEP)?.parse().ok()?,
        };
        Some((read, labels.get(NODE).cloned()))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn labels() -> Labels {
        Labels {
            session: SessionId::random(),
            scenario: "corporate-firewall".into(),
            owner: Owner::this_process().unwrap(),
            keep: true,
        }
    }

    #[test]
    fn labels_are_read_back() {
        let labels = labels();
        let of_node = labels.of_node("alice");
        assert_eq!(of_node["farcall"], "lab");
        assert_eq!(of_node["farcall.pid"], std::process::id().to_string());
        assert_eq!(
            Labels::read(&of_node),
            Some((labels.clone(), Some("alice".to_owned())))
        );
        assert_eq!(Labels::read(&labels.of_network()), Some((labels, None)));
    }

    #[test]
    fn labels_of_others_are_not_ours() {
        for label in [SESSION, SCENARIO, OWNER, KEEP] {
            let mut foreign = labels().of_network();
            foreign.insert(label.to_owned(), String::new());
            if label != SCENARIO {
                assert_eq!(Labels::read(&foreign), None, "{label}");
            }
            foreign.remove(label);
            assert_eq!(Labels::read(&foreign), None, "{label}");
        }
    }
}
