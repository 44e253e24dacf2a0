//! Whether a baseline can be: scenarios that there are, and expectations that they can have.

use super::ExpectedNetwork;
use crate::model::Scenario;
use crate::problem::InputError;
use crate::read::{Finding, did_you_mean, out_of_range};
use farcall_timeline::CandidateType;
use std::ops::RangeInclusive;

/// The scenarios of a baseline, and those that could not be had for another reason than their name.
#[derive(Default)]
pub(super) struct Found {
    scenarios: Vec<Scenario>,
    errors: Vec<InputError>,
}

impl Found {
    /// The scenario of each network, if all are right.
    pub fn into_scenarios(mut self) -> Result<Vec<Scenario>, InputError> {
        match self.errors.pop() {
            None => Ok(self.scenarios),
            Some(only) if self.errors.is_empty() => Err(only),
            Some(last) => {
                self.errors.push(last);
                Err(InputError::Several(self.errors))
            }
        }
    }
}

/// Everything that is wrong with a baseline.
pub(super) fn check(
    networks: &[ExpectedNetwork],
    find: &dyn Fn(&str) -> Result<Scenario, InputError>,
    found: &mut Found,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if networks.is_empty() {
        let finding = Finding::new("networks", "there is no network");
        findings.push(finding.hint("write at least one: [[networks]]"));
    }
    let mut names: Vec<Option<String>> = Vec::new();
    for (index, expected) in networks.iter().enumerate() {
        let path = format!("networks[{index}]");
        let name = match find(&expected.scenario) {
            Ok(scenario) => {
                findings.extend(check_network(&path, expected, &scenario));
                let name = scenario.name.clone();
                found.scenarios.push(scenario);
                Some(name)
            }
            Err(InputError::UnknownScenario { name, hint }) => {
                let message = format!("there is no scenario called `{name}`");
                findings.push(Finding::new(format!("{path}.scenario"), message).hint(hint));
                None
            }
            Err(error) => {
                found.errors.push(error);
                None
            }
        };
        findings.extend(check_ranges(&path, expected));
        let earlier = networks.iter().zip(&names);
        let is_same = |(other, other_name): (&ExpectedNetwork, &Option<String>)| {
            let is_same_call = match (&other.ice, &expected.ice) {
                (Some(one), Some(other)) => one == other,
                _ => true,
            };
            name.is_some() && name == *other_name && is_same_call
        };
        if earlier.into_iter().any(is_same) {
            let message = format!("`{}` is written twice", expected.scenario);
            let finding = Finding::new(format!("{path}.scenario"), message);
            findings.push(finding.hint("keep one of them, or give each an `ice` of its own"));
        }
        names.push(name);
    }
    findings
}

fn check_ranges(path: &str, expected: &ExpectedNetwork) -> Vec<Finding> {
    let numbers = [
        (
            "connect_within_ms",
            expected.connect_within_ms,
            &ExpectedNetwork::CONNECT_WITHIN_MS,
        ),
        (
            "recover_within_ms",
            expected.recover_within_ms,
            &ExpectedNetwork::RECOVER_WITHIN_MS,
        ),
        (
            "max_attempts",
            expected.max_attempts,
            &ExpectedNetwork::MAX_ATTEMPTS,
        ),
    ];
    let wrong = |(key, number, range): (&str, Option<u32>, &RangeInclusive<u32>)| {
        let number = number.filter(|number| !range.contains(number))?;
        let (message, hint) = out_of_range(number, range);
        Some(Finding::new(format!("{path}.{key}"), message).hint(hint))
    };
    let mut findings: Vec<Finding> = numbers.into_iter().filter_map(wrong).collect();
    let quarantine = expected.quarantine.as_ref();
    if quarantine.is_some_and(|quarantine| quarantine.reason.trim().is_empty()) {
        let key = format!("{path}.quarantine.reason");
        let finding = Finding::new(key, "a quarantine needs a reason");
        findings.push(finding.hint("say what is wrong, and who sees to it"));
    }
    findings
}

/// What a network is expected to come to is what its scenario can come to.
fn check_network(path: &str, expected: &ExpectedNetwork, scenario: &Scenario) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut reject = |key: &str, message: String, hint: String| {
        findings.push(Finding::new(format!("{path}.{key}"), message).hint(hint));
    };
    let connects = expected.connects.unwrap_or(scenario.expect.connects);
    if !connects {
        let hint = || "leave it out, or write `connects = true`".to_owned();
        if !expected.path.is_empty() {
            let message = "a call that does not connect has no path".to_owned();
            reject("path", message, hint());
        }
        if expected.connect_within_ms.is_some() {
            let message = "a call that does not connect takes no time to".to_owned();
            reject("connect_within_ms", message, hint());
        }
    }
    for peer in expected.path.keys() {
        let peers = scenario.peers.iter().map(|peer| peer.name.as_str());
        if !peers.clone().any(|known| known == peer) {
            let message = format!("`{}` has no peer called `{peer}`", scenario.name);
            reject(&format!("path.{peer}"), message, did_you_mean(peer, peers));
        }
    }
    let recovery = scenario.expect.recovery.as_ref();
    let message = |what| format!("in `{}` {what}", scenario.name);
    let hint = || "leave it out".to_owned();
    if expected.max_attempts.is_some() && recovery.is_none() {
        reject("max_attempts", message("nobody recovers"), hint());
    }
    if expected.recover_within_ms.is_some() && !recovery.is_some_and(|one| one.recovers) {
        reject("recover_within_ms", message("nobody recovers"), hint());
    }
    findings.extend(transports_of_no_relay(path, expected));
    findings
}

fn transports_of_no_relay(path: &str, expected: &ExpectedNetwork) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (peer, pair) in &expected.path {
        let may_relay = pair.local.is_empty() || pair.local.contains(&CandidateType::Relay);
        if !may_relay && !pair.relay_protocol.is_empty() {
            let key = |name| format!("{path}.path.{peer}.{name}");
            let message = "what is not relayed has no transport to a TURN server";
            let finding = Finding::new(key("relay_protocol"), message).because_of(key("local"));
            findings.push(finding.hint("leave it out, or add \"relay\" to `local`"));
        }
    }
    findings
}
