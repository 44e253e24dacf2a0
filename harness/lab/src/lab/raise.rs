//! Raising: all networks at once, and each container on its whole way as soon as its networks exist.

use super::blueprint::{Blueprint, Vessel};
use super::container::{Endpoint, connect_others, create};
use super::error::{RaiseError, Step};
use super::gates::{Gates, Move, Moves};
use super::handle::{Lab, LabOptions};
use super::network::create_network;
use super::remains::Remains;
use super::standing::{Ids, Standing};
use crate::certificates::LabCa;
use crate::engine::Engine;
use crate::identity::{Labels, Owner};
use crate::images::AgentImage;
use crate::node::{EventSink, NodeHandle, Wires, attach};
use farcall_plan::{Node, Plan, Role};
use farcall_protocol::{CertificatePem, Command, PlainAccount, PlainSecret, Reply, Setup};
use farcall_scenario::CertificateFlaw;
use farcall_timeline::Entry;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use ipnet::Ipv4Net;
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// What every container's task shares.
struct Site {
    engine: Engine,
    image: AgentImage,
    blueprint: Blueprint,
    ca: LabCa,
    options: LabOptions,
    events: mpsc::UnboundedSender<Entry>,
    /// Docker's subnet of each network, once it exists.
    subnets: Vec<watch::Receiver<Option<Ipv4Net>>>,
    gates: Gates,
    joins: Moves,
    ids: Ids,
    steps: Mutex<BTreeMap<String, Step>>,
}

impl Lab {
    /// Raises a plan: creates its networks and containers and makes each the node that the plan
    /// says. Every event of every node goes to `events` from the first moment on.
    ///
    /// Dropping this future removes whatever there is by then, and blocks for as long as that takes.
    ///
    /// # Errors
    /// When Docker or a node cannot do its part in time. Everything is removed then, unless
    /// `options.keep` is set.
    pub async fn raise(
        engine: &Engine,
        image: &AgentImage,
        plan: &Plan,
        options: LabOptions,
        events: mpsc::UnboundedSender<Entry>,
    ) -> Result<Self, RaiseError> {
        let labels = Labels {
            session: options.session.clone(),
            scenario: plan.scenario.clone(),
            owner: Owner::this_process().map_err(RaiseError::Owner)?,
            keep: options.keep,
        };
        let blueprint = Blueprint::new(plan, labels)?;
        let standing = Standing::new(
            engine.docker.clone(),
            options.session.clone(),
            Remains::from(&blueprint),
        );
        let (announcers, subnets) = blueprint
            .networks
            .iter()
            .map(|_| watch::channel(None))
            .unzip::<_, _, Vec<_>, Vec<_>>();
        let networks = blueprint.networks.iter().map(|wire| wire.name.clone());
        let site = Arc::new(Site {
            gates: Gates::new(blueprint.networks.len()),
            joins: Moves::listen(&engine.docker, Move::Join, networks.collect()),
            engine: engine.clone(),
            image: image.clone(),
            blueprint,
            ca: LabCa::new(SystemTime::now())?,
            options,
            events,
            subnets,
            ids: standing.ids(),
            steps: Mutex::default(),
        });
        let all = raise_all(&site, &standing, announcers);
        let raised = match tokio::time::timeout(site.options.deadline, all).await {
            Ok(raised) => raised,
            Err(_elapsed) => Err(RaiseError::Deadline {
                within: site.options.deadline,
                awaited: site.awaited(),
            }),
        };
        match raised {
            Ok(nodes) => Ok(Self::new(
                engine.docker.clone(),
                site.options.keep,
                nodes,
                standing,
            )),
            Err(error) => {
                if site.options.keep {
                    standing.leave();
                } else if let Err(left) = standing.remove().await {
                    tracing::error!("{left}");
                }
                Err(error)
            }
        }
    }
}

/// Ends with the first failure; the caller stops what is still under way.
async fn raise_all(
    site: &Arc<Site>,
    standing: &Standing,
    announcers: Vec<watch::Sender<Option<Ipv4Net>>>,
) -> Result<Vec<NodeHandle>, RaiseError> {
    let mut tasks = FuturesUnordered::new();
    for (index, announcer) in announcers.into_iter().enumerate() {
        let site = Arc::clone(site);
        tasks.push(standing.raising.spawn(async move {
            site.raise_network(index, &announcer).await?;
            Ok(None)
        }));
    }
    for index in 0..site.blueprint.containers.len() {
        let site = Arc::clone(site);
        let stop = standing.stop.clone();
        tasks.push(standing.raising.spawn(async move {
            let vessel = &site.blueprint.containers[index];
            site.raise_container(vessel, &stop).await
        }));
    }
    let mut nodes = Vec::with_capacity(site.blueprint.containers.len());
    while let Some(outcome) = tasks.next().await {
        let raised = outcome.map_err(|error| RaiseError::Stopped(error.to_string()))?;
        nodes.extend(raised?);
    }
    Ok(nodes)
}

impl Site {
    async fn raise_network(
        &self,
        index: usize,
        announcer: &watch::Sender<Option<Ipv4Net>>,
    ) -> Result<(), RaiseError> {
        let wire = &self.blueprint.networks[index];
        let subnet = create_network(&self.engine.docker, &self.blueprint.labels, wire).await?;
        announcer.send_replace(Some(subnet));
        Ok(())
    }

    /// Takes a container all the way. `None`: stopped.
    async fn raise_container(
        &self,
        vessel: &Vessel,
        stop: &CancellationToken,
    ) -> Result<Option<NodeHandle>, RaiseError> {
        self.step(vessel, Step::AwaitNetworks);
        let Some(networks) = self.networks_of(vessel).await else {
            return Ok(None);
        };
        let endpoints = vessel.endpoints(&networks);
        let Some(wires) = self.start(vessel, &endpoints, stop).await? else {
            return Ok(None);
        };

        self.step(vessel, Step::SetUp);
        let node = vessel.node.name.clone();
        let sink = EventSink::new(node.clone(), self.options.time_zero, self.events.clone());
        let handle = wires.converse(self.engine.docker.clone(), vessel.name.clone(), node, sink);
        let addresses = endpoints.iter().map(|endpoint| endpoint.address).collect();
        let set_up = self.set_up(&handle, &vessel.node, addresses);
        match stop.run_until_cancelled(set_up).await {
            Some(Ok(())) => {
                self.step(vessel, Step::Ready);
                Ok(Some(handle))
            }
            Some(Err(error)) => {
                handle.flush_events();
                Err(error)
            }
            None => {
                handle.flush_events();
                Ok(None)
            }
        }
    }

    /// Creates, connects and starts a container. A call to Docker is never broken off, since Docker
    /// would go on with it unwatched: `stop` is heeded between calls. `None`: stopped.
    async fn start(
        &self,
        vessel: &Vessel,
        endpoints: &[Endpoint],
        stop: &CancellationToken,
    ) -> Result<Option<Wires>, RaiseError> {
        let (docker, labels) = (&self.engine.docker, &self.blueprint.labels);
        if self.stopped(vessel, Step::Create, stop) {
            return Ok(None);
        }
        let capture = self.options.capture;
        let id = create(
            &self.engine,
            labels,
            &self.image,
            capture,
            vessel,
            endpoints,
        )
        .await?;
        self.remember(vessel, &id);
        if self.stopped(vessel, Step::Connect, stop) {
            return Ok(None);
        }
        connect_others(docker, vessel, endpoints).await?;
        if self.stopped(vessel, Step::Attach, stop) {
            return Ok(None);
        }
        let wires = attach(docker, &id).await;
        let wires = wires.map_err(|source| vessel.failed_to(Step::Attach, source))?;
        let networks = vessel.plugs.iter().map(|plug| plug.network);
        let passage = self.gates.enter(networks).await;
        if self.stopped(vessel, Step::Start, stop) {
            return Ok(None);
        }
        let start = docker.start_container(&id, None);
        let joining = self.joins.pass(passage, &id, vessel.plugs.len(), start);
        let started = joining.await;
        started.map_err(|source| vessel.failed_to(Step::Start, source))?;
        Ok(Some(wires))
    }

    /// Sends the node what it is to become, and learns its clock meanwhile.
    async fn set_up(
        &self,
        handle: &NodeHandle,
        node: &Node,
        docker_addresses: Vec<Ipv4Addr>,
    ) -> Result<(), RaiseError> {
        let setup = Setup {
            node: node.clone(),
            docker_addresses,
            ca_pem: self.ca.pem().to_owned(),
            certificate: self.certificate(node)?,
            replacements: self.replacements(node)?,
            accounts: accounts(node),
            secret: secret(node),
            capture: self.options.capture,
            detached: self.options.keep,
        };
        let within = self.options.deadline;
        let done = async {
            let reply = handle
                .request(Command::Setup(Box::new(setup)), within)
                .await?;
            match reply {
                Reply::Done => Ok(()),
                other => Err(handle.unexpected(&other)),
            }
        };
        let both = futures::future::try_join(done, handle.synchronise(within)).await;
        both.map(drop).map_err(|source| RaiseError::SetUp {
            node: node.name.clone(),
            source: Box::new(source),
        })
    }

    fn certificate(&self, node: &Node) -> Result<Option<CertificatePem>, RaiseError> {
        let flaw = match &node.role {
            Role::TurnServer(server) => server.certificate_flaw,
            _ => None,
        };
        let issue = |host| match flaw {
            None => self.ca.issue(host),
            Some(flaw) => self.ca.issue_with(host, flaw),
        };
        let issued = node.certificate().map(issue);
        Ok(issued.transpose()?)
    }

    fn replacements(
        &self,
        node: &Node,
    ) -> Result<Vec<(CertificateFlaw, CertificatePem)>, RaiseError> {
        let Role::TurnServer(server) = &node.role else {
            return Ok(Vec::new());
        };
        let flaws = server.replacement_flaws.iter();
        let issued = flaws.map(|flaw| Ok((*flaw, self.ca.issue_with(&server.host, *flaw)?)));
        issued.collect()
    }

    /// The names and Docker's subnets of a container's networks, as soon as all exist; `None` when
    /// one of them failed.
    async fn networks_of(&self, vessel: &Vessel) -> Option<Vec<(String, Ipv4Net)>> {
        let mut networks = Vec::with_capacity(vessel.plugs.len());
        for plug in &vessel.plugs {
            let mut subnet = self.subnets[plug.network].clone();
            let exists = subnet.wait_for(Option::is_some).await.ok()?;
            let name = self.blueprint.networks[plug.network].name.clone();
            networks.push((name, (*exists)?));
        }
        Some(networks)
    }

    fn remember(&self, vessel: &Vessel, id: &str) {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.insert(vessel.name.clone(), id.to_owned());
    }

    fn stopped(&self, vessel: &Vessel, next: Step, stop: &CancellationToken) -> bool {
        self.step(vessel, next);
        stop.is_cancelled()
    }

    fn step(&self, vessel: &Vessel, step: Step) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.insert(vessel.node.name.clone(), step);
    }

    /// What is still awaited, node by node.
    fn awaited(&self) -> String {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let late = steps.iter().filter(|(_, step)| **step != Step::Ready);
        let late: Vec<String> = late.map(|(node, step)| format!("{step} {node}")).collect();
        late.join(", ")
    }
}

fn secret(node: &Node) -> Option<PlainSecret> {
    let Role::TurnServer(server) = &node.role else {
        return None;
    };
    let secret = server.secret.as_ref()?;
    Some(PlainSecret(secret.expose().to_owned()))
}

fn accounts(node: &Node) -> Vec<PlainAccount> {
    let Role::TurnServer(server) = &node.role else {
        return Vec::new();
    };
    let accounts = server.accounts.iter();
    accounts
        .map(|account| PlainAccount {
            username: account.username.clone(),
            password: account.credential.expose().to_owned(),
        })
        .collect()
}
