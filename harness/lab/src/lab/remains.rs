//! Removal: forced, parallel, and indifferent to what is already gone.

use super::blueprint::Blueprint;
use super::error::RemoveError;
use super::gates::{Gates, Move, Moves};
use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::RemoveContainerOptionsBuilder;
use futures::future::{FutureExt, join, join_all};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a container is waited for that Docker is already removing, or is busy with.
const CONTAINER_PATIENCE: Duration = Duration::from_secs(5);

/// How long a network is waited for that seems to be in use although its containers are gone.
const NETWORK_PATIENCE: Duration = Duration::from_secs(1);

/// How long to wait before asking again: Docker announces none of this.
const POLL: Duration = Duration::from_millis(50);

/// Containers and networks to remove, by name or, which is faster for containers, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Remains {
    /// The containers.
    pub(crate) containers: Vec<String>,
    /// The networks.
    pub(crate) networks: Vec<NetworkRemains>,
}

/// A network and the containers on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NetworkRemains {
    /// The network.
    pub(crate) name: String,
    /// Indices into [`Remains::containers`]. The network goes when they are gone.
    pub(crate) users: Vec<usize>,
}

impl From<&Blueprint> for Remains {
    fn from(blueprint: &Blueprint) -> Self {
        let users = |network: usize| {
            let containers = blueprint.containers.iter().enumerate();
            containers
                .filter(|(_, vessel)| vessel.plugs.iter().any(|plug| plug.network == network))
                .map(|(index, _)| index)
                .collect()
        };
        let networks = blueprint.networks.iter().enumerate();
        Self {
            containers: blueprint
                .containers
                .iter()
                .map(|vessel| vessel.name.clone())
                .collect(),
            networks: networks
                .map(|(index, wire)| NetworkRemains {
                    name: wire.name.clone(),
                    users: users(index),
                })
                .collect(),
        }
    }
}

impl Remains {
    /// Removes everything. What is already gone is fine.
    pub(crate) async fn remove(&self, docker: &Docker) -> Result<(), RemoveError> {
        let gates = Gates::new(self.networks.len());
        self.remove_through(&gates, docker).await
    }

    /// As [`Remains::remove`], with all containers leaving their networks at the same time.
    pub(crate) async fn remove_at_once(&self, docker: &Docker) -> Result<(), RemoveError> {
        self.remove_through(&Gates::open(), docker).await
    }

    async fn remove_through(&self, gates: &Gates, docker: &Docker) -> Result<(), RemoveError> {
        let networks = self.networks.iter().map(|network| network.name.clone());
        let leaves = Moves::listen(docker, Move::Leave, networks.collect());
        let failures = Mutex::new(Vec::new());
        let note = |name: &str, removed: Result<(), Error>| {
            if let Err(error) = removed {
                let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                failures.push((name.to_owned(), error));
            }
        };
        let containers: Vec<_> = self
            .containers
            .iter()
            .enumerate()
            .map(|(index, name)| {
                let (note, leaves) = (&note, &leaves);
                let removal = async move {
                    let networks = || self.networks_of(index);
                    let passage = gates.enter(networks()).await;
                    let removal = remove_container(docker, name);
                    let count = networks().count();
                    note(name, leaves.pass(passage, name, count, removal).await);
                };
                removal.shared()
            })
            .collect();
        let networks = self.networks.iter().map(|network| {
            let users = network.users.iter();
            let users: Vec<_> = users
                .filter_map(|index| containers.get(*index).cloned())
                .collect();
            async {
                join_all(users).await;
                note(&network.name, remove_network(docker, &network.name).await);
            }
        });
        join(join_all(containers.clone()), join_all(networks)).await;

        drop(containers);
        let failures = failures
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        if failures.is_empty() {
            Ok(())
        } else {
            Err(RemoveError::Left { failures })
        }
    }
}

impl Remains {
    fn networks_of(&self, container: usize) -> impl Iterator<Item = usize> {
        let networks = self.networks.iter().enumerate();
        let joined = networks.filter(move |(_, network)| network.users.contains(&container));
        joined.map(|(index, _)| index)
    }
}

/// Kills and removes a container, in one call.
async fn remove_container(docker: &Docker, name: &str) -> Result<(), Error> {
    until_gone(CONTAINER_PATIENCE, || {
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        docker.remove_container(name, Some(options))
    })
    .await
}

async fn remove_network(docker: &Docker, name: &str) -> Result<(), Error> {
    until_gone(NETWORK_PATIENCE, || docker.remove_network(name)).await
}

/// Asks for a removal until it is done, which somebody else may do meanwhile.
async fn until_gone<F>(patience: Duration, remove: impl Fn() -> F) -> Result<(), Error>
where
    F: Future<Output = Result<(), Error>>,
{
    let deadline = Instant::now() + patience;
    loop {
        let removed = remove().await;
        match removed.as_ref().map_err(status) {
            Err(Some(404)) => return Ok(()),
            // Already being removed, still in use by a container that is being removed, or busy.
            Err(Some(403 | 409 | 500)) if Instant::now() < deadline => {
                tokio::time::sleep(POLL).await;
            }
            Ok(()) | Err(_) => return removed,
        }
    }
}

fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn answer(status_code: u16) -> Result<(), Error> {
        Err(Error::DockerResponseServerError {
            status_code,
            message: String::new(),
        })
    }

    /// Removes something of which Docker says `answers`, one after the other.
    async fn removal(answers: &[Option<u16>]) -> (Result<(), Error>, usize) {
        let asked = Cell::new(0);
        let result = until_gone(CONTAINER_PATIENCE, || {
            let index = asked.replace(asked.get() + 1).min(answers.len() - 1);
            std::future::ready(answers[index].map_or(Ok(()), answer))
        })
        .await;
        (result, asked.get())
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_gone_or_just_going_is_fine() {
        assert!(matches!(removal(&[None]).await, (Ok(()), 1)));
        assert!(matches!(removal(&[Some(404)]).await, (Ok(()), 1)));
        let (removed, asked) = removal(&[Some(409), Some(403), Some(404)]).await;
        assert!(removed.is_ok() && asked == 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_removed_is_given_up() {
        let (refused, asked) = removal(&[Some(400)]).await;
        assert!(refused.is_err() && asked == 1);
        let (stuck, asked) = removal(&[Some(500)]).await;
        assert!(matches!(stuck, Err(error) if status(&error) == Some(500)));
        assert!(asked >= 100, "{asked}");
    }
}
