//! Why a lab could not be raised or removed.

use crate::certificates::CertificateError;
use crate::node::NodeError;
use bollard::errors::Error;
use std::time::Duration;

/// A lab could not be raised. Whatever there was of it is removed again, unless it was to be kept.
#[derive(Debug, thiserror::Error)]
pub enum RaiseError {
    /// This process cannot be told apart from others, so what it leaves could not be found.
    #[error("failed to read /proc to mark the lab as this process's: {0}\nhint: mount /proc")]
    Owner(std::io::Error),
    /// The lab's certificates could not be made.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A node has an interface in a network that the plan does not have.
    #[error("failed to raise {node}: the plan has no network {network}")]
    NoNetwork {
        /// The node.
        node: String,
        /// The network.
        network: String,
    },
    /// Docker did not create a network.
    #[error(
        "failed to create the network {network}: {source}\nhint: {}",
        hint(source)
    )]
    Network {
        /// The network, by its name in the plan.
        network: String,
        /// Docker's answer.
        source: Error,
    },
    /// Docker did not do what a container needs.
    #[error(
        "failed to {step} the container of {node}: {source}\nhint: {}",
        hint(source)
    )]
    Container {
        /// The node.
        node: String,
        /// What was tried.
        step: Step,
        /// Docker's answer.
        source: Error,
    },
    /// A node could not become what the plan says.
    #[error("failed to set up {node}: {source}")]
    SetUp {
        /// The node.
        node: String,
        /// What went wrong.
        source: Box<NodeError>,
    },
    /// The lab did not stand in time.
    #[error(
        "failed to raise the lab within {} ms; still awaited: {awaited}\n\
         hint: the machine may be overloaded; see how many containers run (`docker ps`)",
        within.as_millis()
    )]
    Deadline {
        /// How long it may take.
        within: Duration,
        /// What was awaited, node by node.
        awaited: String,
    },
    /// A task of the raising ended before its time.
    #[error("failed to raise the lab: {0}")]
    Stopped(String),
}

impl RaiseError {
    /// Whether it is this machine that cannot build the network, and not a fault that may pass: gateways with a
    /// link, or a translation that the kernel does not have, need a TUN device.
    #[must_use]
    pub fn is_unsupported(&self) -> bool {
        match self {
            Self::Container { source, .. } => source.to_string().contains("/dev/net/tun"),
            _ => false,
        }
    }
}

/// A step on a container's way into the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Its networks are being created.
    AwaitNetworks,
    /// It is created in its first network.
    Create,
    /// It is connected to its further networks.
    Connect,
    /// Its standard input and output are taken.
    Attach,
    /// It is started.
    Start,
    /// The agent in it makes it the node of the plan.
    SetUp,
    /// It stands.
    Ready,
}

impl std::fmt::Display for Step {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::AwaitNetworks => "await the networks of",
            Self::Create => "create",
            Self::Connect => "connect",
            Self::Attach => "attach to",
            Self::Start => "start",
            Self::SetUp => "set up",
            Self::Ready => "keep",
        })
    }
}

/// Something of a lab could not be listed or removed.
#[derive(Debug, thiserror::Error)]
pub enum RemoveError {
    /// Docker did not say what there is.
    #[error(
        "failed to list what farcall left in Docker: {source}\nhint: {}",
        hint(source)
    )]
    List {
        /// Docker's answer.
        source: Error,
    },
    /// It could not be told whether a lab's process still runs.
    #[error("failed to read /proc to tell whose labs there are: {0}\nhint: mount /proc")]
    Owner(std::io::Error),
    /// Something could not be removed.
    #[error("failed to remove {}\nhint: {}", list(failures), hint_for(failures))]
    Left {
        /// Each container or network with Docker's answer.
        failures: Vec<(String, Error)>,
    },
}

fn list(failures: &[(String, Error)]) -> String {
    let each = failures
        .iter()
        .map(|(name, error)| format!("{name} ({error})"));
    each.collect::<Vec<_>>().join(", ")
}

fn hint_for(failures: &[(String, Error)]) -> &'static str {
    let miscounted = |(_, error): &(String, Error)| error.to_string().contains("active endpoints");
    if failures.iter().any(miscounted) {
        "the engine has lost count of a network's endpoints (moby/moby#42119); restart it, then run `farcall clean`"
    } else {
        "`farcall clean` tries again"
    }
}

/// What a person can do about an answer of Docker's.
fn hint(error: &Error) -> &'static str {
    let text = error.to_string().to_ascii_lowercase();
    let known = [
        (
            "no space left",
            "free some disk space (`docker system df`, `farcall clean`)",
        ),
        (
            "no such image",
            "the agent image was removed meanwhile; run again, it is then built anew",
        ),
        (
            "overlaps",
            "many networks use 10.224.0.0/12; remove some (`docker network ls`)",
        ),
        (
            "operation not permitted",
            "the engine grants its containers less than it should; farcall needs NET_ADMIN and no rootless restrictions",
        ),
        (
            "sysctl",
            "this kernel or engine lacks a setting that the plan needs; `farcall doctor` tells which",
        ),
    ];
    known.iter().find(|(sign, _)| text.contains(sign)).map_or(
        "see the engine's own log (`journalctl -u docker`), and `farcall doctor`",
        |(_, hint)| hint,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(message: &str) -> Error {
        Error::DockerResponseServerError {
            status_code: 500,
            message: message.to_owned(),
        }
    }

    #[test]
    fn a_full_disk_is_told_as_such() {
        let error = RaiseError::Container {
            node: "alice".into(),
            step: Step::Create,
            source: answer("write /x: no space left on device"),
        };
        let text = error.to_string();
        assert!(text.starts_with("failed to create the container of alice: "));
        assert!(text.contains("hint: free some disk space"), "{text}");
    }

    #[test]
    fn a_machine_without_tun_devices_is_told_from_faults_that_may_pass() {
        let of = |message: &str| RaiseError::Container {
            node: "home-gateway".into(),
            step: Step::Start,
            source: answer(message),
        };
        let missing = "error gathering device information while adding custom device \"/dev/net/tun\": no such \
                       file or directory";
        assert!(of(missing).is_unsupported());
        assert!(!of("write /x: no space left on device").is_unsupported());
    }

    #[test]
    fn everything_that_is_left_is_named() {
        let failures = ["a", "b"].map(|name| (name.to_owned(), answer("busy")));
        let text = RemoveError::Left {
            failures: failures.into(),
        }
        .to_string();
        assert!(text.contains("a (") && text.contains(", b ("), "{text}");
        assert!(text.ends_with("`farcall clean` tries again"), "{text}");
    }
}
