//! From a scenario and an ICE configuration to a plan.

use crate::call::call;
use crate::declarations::{declarations, deep_declarations};
use crate::error::PlanError;
use crate::expectations::expectations;
use crate::model::Plan;
use crate::nodes::{names, networks, nodes};
use crate::place::layout;
use crate::servers::demands;
use crate::validate;
use farcall_scenario::{IceConfiguration, Peer, Scenario};

/// Computes everything a lab would be. The same input gives the same plan.
///
/// # Errors
/// When no lab can be made of the input, with what to change: see [`PlanError`].
pub fn plan(scenario: &Scenario, ice: &IceConfiguration, seed: u64) -> Result<Plan, PlanError> {
    let [offerer, answerer] = scenario.peers.as_slice() else {
        return Err(PlanError::PeerCount {
            found: scenario.peers.len(),
        });
    };
    lab(scenario, ice, seed, [offerer, answerer])
}

/// The lab of a scenario with any number of peers, two of which are to call each other. Whatever is about
/// peers is about all of them.
pub(crate) fn lab(
    scenario: &Scenario,
    ice: &IceConfiguration,
    seed: u64,
    [offerer, answerer]: [&Peer; 2],
) -> Result<Plan, PlanError> {
    let layout = layout(scenario, demands(ice, &scenario.servers)?)?;
    validate::addresses(&layout)?;
    let names = names(&layout);
    let nodes = nodes(&layout, &names, seed);
    validate::names(&nodes)?;
    let call = call(scenario, &layout, ice, offerer, answerer);
    Ok(Plan {
        scenario: scenario.name.clone(),
        ice_configuration: ice.name.clone(),
        seed,
        networks: networks(&layout),
        attestation: declarations(&layout, &nodes, &names, &call),
        deep_attestation: deep_declarations(&layout, &call),
        expect: expectations(scenario, &layout, &call),
        nodes,
        names,
        call,
    })
}
