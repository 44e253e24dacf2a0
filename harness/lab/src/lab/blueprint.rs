//! A plan in Docker's terms: names, labels and the place of each container in its networks.

use super::error::RaiseError;
use crate::identity::{Labels, container_name, network_name};
use farcall_plan::{Network, Node, Plan};
use std::collections::BTreeMap;

/// What every task of a raising needs to know.
#[derive(Debug, Clone)]
pub(crate) struct Blueprint {
    pub(crate) labels: Labels,
    pub(crate) networks: Vec<Wire>,
    pub(crate) containers: Vec<Vessel>,
}

/// A Docker network to be.
#[derive(Debug, Clone)]
pub(crate) struct Wire {
    /// Its name in the plan.
    pub(crate) network: String,
    /// Its name in Docker.
    pub(crate) name: String,
    /// How many containers it connects.
    pub(crate) endpoints: u32,
}

/// A container to be.
#[derive(Debug, Clone)]
pub(crate) struct Vessel {
    /// The node.
    pub(crate) node: Node,
    /// Its name in Docker.
    pub(crate) name: String,
    /// Its place in each of its networks, in the order of the node's interfaces.
    pub(crate) plugs: Vec<Plug>,
}

/// The place of a container in a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plug {
    /// Index into [`Blueprint::networks`].
    pub(crate) network: usize,
    /// Which of the network's containers this is, from 0.
    pub(crate) index: u32,
}

impl Blueprint {
    pub(crate) fn new(plan: &Plan, labels: Labels) -> Result<Self, RaiseError> {
        let session = labels.session.clone();
        let mut networks: Vec<Wire> = plan
            .networks
            .iter()
            .map(|Network { name, .. }| Wire {
                network: name.clone(),
                name: network_name(&session, name),
                endpoints: 0,
            })
            .collect();
        let by_name: BTreeMap<String, usize> = networks
            .iter()
            .enumerate()
            .map(|(index, wire)| (wire.network.clone(), index))
            .collect();

        let mut plug = |node: &Node, network: &str| {
            let found = by_name.get(network).copied();
            let network = found.ok_or_else(|| RaiseError::NoNetwork {
                node: node.name.clone(),
                network: network.to_owned(),
            })?;
            let endpoints = &mut networks[network].endpoints;
            let index = *endpoints;
            *endpoints += 1;
            Ok::<_, RaiseError>(Plug { network, index })
        };
        let mut containers = Vec::with_capacity(plan.nodes.len());
        for node in &plan.nodes {
            let plugs = node
                .interfaces
                .iter()
                .map(|interface| plug(node, &interface.network))
                .collect::<Result<_, _>>()?;
            containers.push(Vessel {
                node: node.clone(),
                name: container_name(&session, &node.name),
                plugs,
            });
        }
        Ok(Self {
            labels,
            networks,
            containers,
        })
    }
}
