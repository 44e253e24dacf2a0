//! From a scenario and an ICE configuration to a plan.

use crate::call::call;
use crate::declarations::{declarations, declarations_elsewhere, deep_declarations};
use crate::error::PlanError;
use crate::expectations::expectations;
use crate::faults::faults;
use crate::layout::Layout;
use crate::model::{CallPlan, Node, Plan, PlannedFault};
use crate::nodes::{names, networks, nodes};
use crate::place::layout;
use crate::servers::demands;
use crate::topology::topology;
use crate::unsupported::unsupported;
use crate::validate;
use farcall_scenario::{IceConfiguration, Peer, Scenario};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Computes everything a lab would be. The same input gives the same plan.
///
/// # Errors
/// When no lab can be made of the input, with what to change: see [`PlanError`].
pub fn plan(scenario: &Scenario, ice: &IceConfiguration, seed: u64) -> Result<Plan, PlanError> {
    lab(scenario, ice, seed, peers(scenario)?)
}

/// Computes one lab in which a call is placed with each of several ICE configurations in turn: a plan for each,
/// which differ in the call and what is expected of it. The servers have the listeners and accounts of all.
///
/// # Errors
/// As of [`plan`], and when the configurations contradict each other, as two that know one account by two passwords.
pub fn plan_each(
    scenario: &Scenario,
    configurations: &[IceConfiguration],
    seed: u64,
) -> Result<Vec<Plan>, PlanError> {
    let all = together(configurations);
    let design = Design::new(scenario, &all, seed)?;
    let peers = peers(scenario)?;
    let with_all = design.plan(&all, design.call(&all, peers));
    let each = configurations.iter().map(|ice| {
        let call = design.call(ice, peers);
        Plan {
            ice_configuration: ice.name.clone(),
            expect: expectations(scenario, &design.layout, &call),
            call,
            ..with_all.clone()
        }
    });
    Ok(each.collect())
}

/// The lab of a scenario with any number of peers, two of which are to call each other. Whatever is about
/// peers is about all of them.
pub(crate) fn lab(
    scenario: &Scenario,
    ice: &IceConfiguration,
    seed: u64,
    peers: [&Peer; 2],
) -> Result<Plan, PlanError> {
    let design = Design::new(scenario, ice, seed)?;
    let call = design.call(ice, peers);
    Ok(design.plan(ice, call))
}

fn peers(scenario: &Scenario) -> Result<[&Peer; 2], PlanError> {
    match scenario.peers.as_slice() {
        [offerer, answerer] => Ok([offerer, answerer]),
        peers => Err(PlanError::PeerCount { found: peers.len() }),
    }
}

/// A configuration with the servers of all of these.
fn together(configurations: &[IceConfiguration]) -> IceConfiguration {
    let names: Vec<&str> = configurations.iter().map(|one| one.name.as_str()).collect();
    let servers = configurations.iter().flat_map(|one| &one.ice_servers);
    IceConfiguration {
        name: names.join(", "),
        ice_servers: servers.cloned().collect(),
        ice_transport_policy: None,
    }
}

/// A lab before it is known what is called in it.
struct Design<'a> {
    scenario: &'a Scenario,
    layout: Layout,
    names: BTreeMap<String, Ipv4Addr>,
    nodes: Vec<Node>,
    faults: Vec<PlannedFault>,
    seed: u64,
}

impl<'a> Design<'a> {
    fn new(scenario: &'a Scenario, ice: &IceConfiguration, seed: u64) -> Result<Self, PlanError> {
        if let Some(found) = unsupported(ice) {
            return Err(PlanError::Unsupported {
                configuration: ice.name.clone(),
                reason: found.reason,
            });
        }
        let layout = layout(scenario, demands(ice, scenario)?)?;
        validate::addresses(&layout)?;
        let names = names(&layout);
        let nodes = nodes(&layout, &names, seed);
        validate::names(&nodes)?;
        let faults = faults(scenario, &layout, &nodes, seed)?;
        Ok(Self {
            scenario,
            layout,
            names,
            nodes,
            faults,
            seed,
        })
    }

    fn call(&self, ice: &IceConfiguration, [offerer, answerer]: [&Peer; 2]) -> CallPlan {
        call(
            self.scenario,
            &self.layout,
            ice,
            offerer,
            answerer,
            self.seed,
        )
    }

    fn plan(&self, ice: &IceConfiguration, call: CallPlan) -> Plan {
        let Self {
            scenario,
            layout,
            names,
            nodes,
            faults,
            seed,
        } = self;
        Plan {
            scenario: scenario.name.clone(),
            written: scenario.written.clone(),
            ice_configuration: ice.name.clone(),
            seed: *seed,
            networks: networks(layout),
            faults: faults.clone(),
            attestation: declarations(layout, nodes, names, &call),
            attestation_elsewhere: declarations_elsewhere(layout, &call),
            deep_attestation: deep_declarations(layout, &call),
            expect: expectations(scenario, layout, &call),
            topology: topology(scenario, layout, nodes),
            nodes: nodes.clone(),
            names: names.clone(),
            call,
        }
    }
}
