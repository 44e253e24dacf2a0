//! A lab in which peers exchange traffic with the probe, without a call: what the emulation does to packets, in
//! figures.

use crate::Harness;
use farcall_lab::{Lab, LabOptions, NodeError, NodeHandle};
use farcall_plan::Plan;
use farcall_protocol::{Carried, Command, Reply, Traffic};
use farcall_scenario::{IceConfiguration, Scenario};
use futures::future::try_join_all;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long an exchange may take beside what it takes by its nature.
const MARGIN: Duration = Duration::from_secs(20);

/// How long an agent may take to tell what it has used.
const USED_DEADLINE: Duration = Duration::from_secs(5);

/// Traffic of one peer, all at once.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The peer.
    pub peer: String,
    /// What it exchanges with the probe.
    pub traffic: Vec<Traffic>,
}

/// What came of an exchange.
#[derive(Debug, Clone)]
pub struct Exchanged {
    /// What arrived of each traffic, in their order.
    pub carried: Vec<Carried>,
    /// The processor time that the agent of the gateway in front of the peer used meanwhile, in milliseconds.
    pub gateway_cpu_ms: f64,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
}

/// Traffic could not be exchanged.
#[derive(Debug, thiserror::Error)]
pub enum TrafficError {
    /// The scenario and the ICE configuration do not make a lab.
    #[error(transparent)]
    Plan(#[from] farcall_plan::PlanError),
    /// The lab could not be raised.
    #[error(transparent)]
    Raise(#[from] farcall_lab::RaiseError),
    /// A node could not do its part.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The lab could not be removed.
    #[error(transparent)]
    Remove(#[from] farcall_lab::RemoveError),
    /// The caller wanted to stop.
    #[error("interrupted")]
    Interrupted,
}

impl Harness {
    /// Raises a scenario's lab, has its peers exchange traffic with the probe, one exchange after the other, and
    /// removes it.
    ///
    /// # Errors
    /// When that cannot be done; the lab is removed then too.
    pub async fn exchange(
        &self,
        scenario: &Scenario,
        ice: &IceConfiguration,
        exchanges: &[Exchange],
        stop: &CancellationToken,
    ) -> Result<Vec<Exchanged>, TrafficError> {
        let plan = farcall_plan::plan(scenario, ice, 1)?;
        // What the nodes have to tell beside their answers is in nobody's way here.
        let (events, _told) = mpsc::unbounded_channel();
        let options = LabOptions::new();
        let lab = tokio::select! {
            lab = Lab::raise(&self.engine, &self.image, &plan, options, events) => lab?,
            () = stop.cancelled() => return Err(TrafficError::Interrupted),
        };
        let all = async {
            let mut exchanged = Vec::new();
            for one in exchanges {
                exchanged.push(exchange(&lab, scenario, &plan, one).await?);
            }
            Ok(exchanged)
        };
        let exchanged = tokio::select! {
            exchanged = all => exchanged,
            () = stop.cancelled() => Err(TrafficError::Interrupted),
        };
        let removed = lab.remove().await;
        let exchanged = exchanged?;
        removed?;
        Ok(exchanged)
    }
}

async fn exchange(
    lab: &Lab,
    scenario: &Scenario,
    plan: &Plan,
    exchange: &Exchange,
) -> Result<Exchanged, TrafficError> {
    let Exchange { peer, traffic } = exchange;
    let of_peer = scenario.peers.iter().find(|one| one.name == *peer);
    let site = of_peer.map_or("", |peer| peer.site.as_str());
    let gateway = lab.node(&format!("{site}-gateway"))?;
    let node = lab.node(peer)?;
    let declarations = plan.attestation.iter().filter(|one| one.node == *peer);
    let round_trips_ms = declarations.map(|declaration| declaration.round_trip_ms);
    let round_trip_ms = round_trips_ms.max().unwrap_or_default();

    let used_before_ms = cpu_ms(gateway).await?;
    let began = Instant::now();
    let carrying = traffic.iter().map(async |&traffic| {
        let command = Command::Carry {
            traffic,
            round_trip_ms,
        };
        match node.request(command, MARGIN + by_nature(traffic)).await? {
            Reply::Carried(carried) => Ok(carried),
            other => Err(node.unexpected(&other)),
        }
    });
    let carried = try_join_all(carrying).await?;
    let took_ms = began.elapsed().as_secs_f64() * 1_000.0;
    Ok(Exchanged {
        carried,
        gateway_cpu_ms: cpu_ms(gateway).await? - used_before_ms,
        took_ms,
    })
}

async fn cpu_ms(node: &NodeHandle) -> Result<f64, NodeError> {
    match node.request(Command::Used, USED_DEADLINE).await? {
        Reply::Used { cpu_ms } => Ok(cpu_ms),
        other => Err(node.unexpected(&other)),
    }
}

fn by_nature(traffic: Traffic) -> Duration {
    match traffic {
        Traffic::Packets {
            packets,
            per_second,
            ..
        } => Duration::from_secs((packets / per_second.max(1)).into()),
        Traffic::Bulk { ms, .. } => Duration::from_millis(ms.into()),
    }
}
