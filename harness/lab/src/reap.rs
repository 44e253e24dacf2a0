//! What labs left in Docker: found by their labels, judged by whether their process still runs.

use crate::engine::Engine;
use crate::identity::{LAB, Labels, OwnerState, SESSION, SessionId};
use crate::images::LABEL;
use crate::lab::{NetworkRemains, Remains, RemoveError};
use bollard::Docker;
use bollard::query_parameters::{ListContainersOptionsBuilder, ListNetworksOptionsBuilder};
use futures::future::{join_all, try_join};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// A lab in Docker, as its labels tell.
#[derive(Debug, Clone)]
pub struct Leftover {
    /// The lab.
    pub session: SessionId,
    /// The scenario's name.
    pub scenario: String,
    /// Whether it was raised to outlive its process (`farcall up`, `farcall run --keep`).
    pub kept: bool,
    /// The process that raised it.
    pub owner_pid: u32,
    /// What has become of that process.
    pub owner: OwnerState,
    /// Its nodes, by name.
    pub nodes: Vec<String>,
    /// How many networks it has.
    pub networks: usize,
    remains: Remains,
}

impl fmt::Display for Leftover {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} of session {}: {} containers, {} networks, raised by process {}{}",
            self.scenario,
            self.session,
            self.nodes.len(),
            self.networks,
            self.owner_pid,
            if self.kept { ", kept" } else { "" },
        )
    }
}

/// The labs that nobody will remove: their process is dead, and they were not to outlive it.
///
/// # Errors
/// When Docker cannot list them.
pub async fn leftovers(engine: &Engine) -> Result<Vec<Leftover>, RemoveError> {
    let mut labs = survey(engine).await?;
    labs.retain(|lab| lab.owner == OwnerState::Dead && !lab.kept);
    Ok(labs)
}

/// Everything that earlier runs left, kept labs included. Labs whose process still runs are not
/// among them, nor those of other hosts that use the same engine.
///
/// # Errors
/// When Docker cannot list them.
pub async fn all(engine: &Engine) -> Result<Vec<Leftover>, RemoveError> {
    let mut labs = survey(engine).await?;
    labs.retain(|lab| lab.owner == OwnerState::Dead);
    Ok(labs)
}

/// The labs that were raised to outlive their process.
///
/// # Errors
/// When Docker cannot list them.
pub async fn kept_labs(engine: &Engine) -> Result<Vec<Leftover>, RemoveError> {
    let mut labs = survey(engine).await?;
    labs.retain(|lab| lab.kept);
    Ok(labs)
}

/// Removes labs, all at once.
///
/// # Errors
/// When Docker cannot remove something; the others are removed all the same.
pub async fn remove(engine: &Engine, labs: &[Leftover]) -> Result<(), RemoveError> {
    let removals = labs.iter().map(|lab| lab.remains.remove(&engine.docker));
    let mut failures = Vec::new();
    for removed in join_all(removals).await {
        match removed {
            Ok(()) => {}
            Err(RemoveError::Left { failures: left }) => failures.extend(left),
            Err(other) => return Err(other),
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(RemoveError::Left { failures })
    }
}

/// Every lab in Docker, in the order of their sessions.
///
/// # Errors
/// When Docker cannot list them, or this host cannot tell which processes run.
pub async fn survey(engine: &Engine) -> Result<Vec<Leftover>, RemoveError> {
    let found = list(&engine.docker, format!("{LABEL}={LAB}")).await?;
    let mut labs = BTreeMap::<SessionId, Leftover>::new();
    for thing in found {
        // Labels that cannot be read are another version's, or another program's.
        let Some((labels, node)) = Labels::read(&thing.labels) else {
            continue;
        };
        let lab = match labs.entry(labels.session.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(Leftover {
                session: labels.session,
                scenario: labels.scenario,
                kept: labels.keep,
                owner_pid: labels.owner.pid,
                owner: labels.owner.state().map_err(RemoveError::Owner)?,
                nodes: Vec::new(),
                networks: 0,
                remains: Remains::default(),
            }),
        };
        lab.nodes.extend(node);
        lab.nodes.sort();
        lab.networks += usize::from(thing.kind == Kind::Network);
        thing.add_to(&mut lab.remains);
    }
    Ok(labs.into_values().collect())
}

/// Whatever there is of one lab.
pub(crate) async fn remains_of(
    docker: &Docker,
    session: &SessionId,
) -> Result<Remains, RemoveError> {
    let mut remains = Remains::default();
    for thing in list(docker, format!("{SESSION}={session}")).await? {
        thing.add_to(&mut remains);
    }
    Ok(remains)
}

/// A container or network with its labels.
struct Thing {
    kind: Kind,
    name: String,
    labels: HashMap<String, String>,
}

#[derive(PartialEq, Eq)]
enum Kind {
    Container,
    Network,
}

impl Thing {
    /// Networks go when all the lab's containers are gone, which costs little and is always right.
    fn add_to(self, remains: &mut Remains) {
        match self.kind {
            Kind::Container => {
                let index = remains.containers.len();
                remains.containers.push(self.name);
                for network in &mut remains.networks {
                    network.users.push(index);
                }
            }
            Kind::Network => remains.networks.push(NetworkRemains {
                name: self.name,
                users: (0..remains.containers.len()).collect(),
            }),
        }
    }
}

async fn list(docker: &Docker, label: String) -> Result<Vec<Thing>, RemoveError> {
    let filters = HashMap::from([("label", vec![label])]);
    let of_containers = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&filters)
        .build();
    let of_networks = ListNetworksOptionsBuilder::default()
        .filters(&filters)
        .build();
    let (containers, networks) = try_join(
        docker.list_containers(Some(of_containers)),
        docker.list_networks(Some(of_networks)),
    )
    .await
    .map_err(|source| RemoveError::List { source })?;

    let containers = containers.into_iter().filter_map(|container| {
        Some(Thing {
            kind: Kind::Container,
            name: container.id?,
            labels: container.labels.unwrap_or_default(),
        })
    });
    let networks = networks.into_iter().filter_map(|network| {
        Some(Thing {
            kind: Kind::Network,
            name: network.id?,
            labels: network.labels.unwrap_or_default(),
        })
    });
    Ok(containers.chain(networks).collect())
}
