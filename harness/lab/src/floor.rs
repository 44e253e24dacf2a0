//! The time that the bare Docker API needs for the same networks and containers, with nothing else
//! done: what raising and removing a lab are measured against.

use crate::engine::Engine;
use crate::identity::{Labels, Owner, SessionId};
use crate::images::AgentImage;
use crate::lab::{
    Blueprint, RaiseError, Remains, RemoveError, Step, connect_others, create, create_network,
};
use farcall_plan::Plan;
use futures::future::{join_all, try_join_all};
use ipnet::Ipv4Net;
use std::time::Instant;

/// What one measurement gave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Floor {
    /// From nothing to all containers started, in milliseconds.
    pub raise_ms: f64,
    /// From there to nothing again, in milliseconds.
    pub remove_ms: f64,
}

/// The bare API could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum FloorError {
    /// Something could not be created or started.
    #[error(transparent)]
    Raise(#[from] RaiseError),
    /// Something could not be removed.
    #[error(transparent)]
    Remove(#[from] RemoveError),
}

/// Creates a plan's networks, then creates, connects and starts its containers, then removes
/// them, all at once. The agents in them wait for their first
/// command, which never comes.
///
/// # Errors
/// When Docker refuses any of it; what there was is removed.
pub async fn measure(
    engine: &Engine,
    plan: &Plan,
    image: &AgentImage,
) -> Result<Floor, FloorError> {
    let labels = Labels {
        session: SessionId::random(),
        scenario: plan.scenario.clone(),
        owner: Owner::this_process().map_err(RaiseError::Owner)?,
        keep: false,
    };
    let blueprint = Blueprint::new(plan, labels)?;
    let all = Remains::from(&blueprint);

    let began = Instant::now();
    let raised = raise(engine, &blueprint, image).await;
    let raise_ms = began.elapsed().as_secs_f64() * 1000.0;
    if let Err(error) = raised {
        all.remove(&engine.docker).await?;
        return Err(error.into());
    }

    let began = Instant::now();
    all.remove_at_once(&engine.docker).await?;
    let remove_ms = began.elapsed().as_secs_f64() * 1000.0;
    Ok(Floor {
        raise_ms,
        remove_ms,
    })
}

async fn raise(
    engine: &Engine,
    blueprint: &Blueprint,
    image: &AgentImage,
) -> Result<(), RaiseError> {
    let docker = &engine.docker;
    let labels = &blueprint.labels;
    let networks = blueprint.networks.iter();
    let subnets: Vec<Ipv4Net> =
        try_join_all(networks.map(|wire| create_network(docker, labels, wire))).await?;
    let started = join_all(blueprint.containers.iter().map(async |vessel| {
        let networks: Vec<(String, Ipv4Net)> = vessel
            .plugs
            .iter()
            .map(|plug| {
                let name = blueprint.networks[plug.network].name.clone();
                (name, subnets[plug.network])
            })
            .collect();
        let endpoints = vessel.endpoints(&networks);
        create(engine, labels, image, false, vessel, &endpoints).await?;
        connect_others(docker, vessel, &endpoints).await?;
        let started = docker.start_container(&vessel.name, None).await;
        started.map_err(|source| vessel.failed_to(Step::Start, source))
    }));
    // All come to their end before anything is removed, also when one of them failed.
    started.await.into_iter().collect()
}
