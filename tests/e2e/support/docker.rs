//! What is in Docker, asked without farcall's own help.

use farcall::lab::bollard::Docker;
use farcall::lab::bollard::query_parameters::{
    ListContainersOptions, ListNetworksOptions, RemoveContainerOptions,
};
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// The containers and networks of one process's labs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Left {
    containers: Vec<String>,
    networks: Vec<String>,
}

impl Left {
    /// Whether there is any container.
    pub fn has_containers(&self) -> bool {
        !self.containers.is_empty()
    }

    /// Removes the containers, running or not, as far as Docker can: it lists one a little before it can be spoken of, and
    /// a little longer than it is there.
    pub fn remove_containers(&self) {
        let options = RemoveContainerOptions {
            force: true,
            ..RemoveContainerOptions::default()
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let docker = Docker::connect_with_defaults().unwrap();
            for container in &self.containers {
                let removed = docker.remove_container(container, Some(options.clone()));
                let _ = removed.await;
            }
        });
    }
}

/// What the labs of the process with this id have in Docker now.
pub fn left_of(pid: u32) -> Left {
    let filters = HashMap::from([("label".to_owned(), vec![format!("farcall.pid={pid}")])]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let docker = Docker::connect_with_defaults().unwrap();
        let containers = ListContainersOptions {
            all: true,
            filters: Some(filters.clone()),
            ..ListContainersOptions::default()
        };
        let networks = ListNetworksOptions {
            filters: Some(filters),
        };
        let containers = docker.list_containers(Some(containers)).await.unwrap();
        let networks = docker.list_networks(Some(networks)).await.unwrap();
        Left {
            containers: containers.into_iter().filter_map(|c| c.id).collect(),
            networks: networks.into_iter().filter_map(|n| n.id).collect(),
        }
    })
}

/// Waits until `condition` holds, which `awaited` names in the failure.
pub fn wait_until(awaited: &str, deadline: Duration, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(
            began.elapsed() < deadline,
            "{awaited}: not within {deadline:?}"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}
