//! Whether a matrix can be: networks as the sites of scenarios, cells of networks that there are.

use super::{CellSource, ExpectedCell, Matrix, Network};
use crate::model::{Call, Expect, Peer, Scenario};
use crate::read::{Finding, did_you_mean};
use crate::servers::Servers;
use crate::validate;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is wrong with a matrix.
pub(super) fn check(matrix: &Matrix) -> Vec<Finding> {
    let mut findings = Vec::new();
    if matrix.networks.is_empty() {
        let finding = Finding::new("networks", "there is no network");
        findings.push(finding.hint("write at least one: [[networks]]"));
    } else if matrix.networks.iter().all(|network| network.on_request) {
        let finding = Finding::new("networks", "every network is there on request alone");
        findings.push(finding.hint("leave `on_request` out of at least one"));
    }
    let mut names = BTreeSet::new();
    for (index, network) in matrix.networks.iter().enumerate() {
        if !names.insert(network.name.as_str()) {
            let message = format!("two networks have the name `{}`", network.name);
            let finding = Finding::new(format!("networks[{index}].name"), message);
            findings.push(finding.hint("give each a name of its own"));
        }
        let has_path =
            |cell: &ExpectedCell| cell.offerer == network.name || cell.answerer == network.name;
        if !network.connects && matrix.cells.iter().any(has_path) {
            let message = "a call that does not connect has no path, and `cells` names one";
            let finding = Finding::new(format!("networks[{index}].connects"), message);
            let finding = finding.because_of("cells");
            findings.push(finding.hint("leave this out, or the cells"));
        }
        findings.extend(check_network(index, network));
    }
    let reachable = matrix.networks.iter().filter(|network| network.connects);
    let reachable = reachable.map(|network| network.name.as_str()).collect();
    findings.extend(check_cells(&matrix.cells, &names, &reachable));
    findings
}

/// A network is what a scenario of two peers in its site could be.
fn check_network(index: usize, network: &Network) -> Vec<Finding> {
    let path = format!("networks[{index}]");
    let peer = |name: &str| Peer {
        name: name.to_owned(),
        site: network.name.clone(),
        muted: false,
        uses_proxy: network.uses_proxy,
        logs_in: network.logs_in,
    };
    let call = Call::default();
    let scenario = Scenario {
        written: None,
        name: "matrix".to_owned(),
        description: network.description.clone(),
        tags: Vec::new(),
        sites: BTreeMap::from([(network.name.clone(), network.site.clone())]),
        peers: vec![peer("offers"), peer("answers")],
        call: Call {
            media_ms: network.media_ms.unwrap_or(call.media_ms),
            gathering_timeout_ms: network
                .gathering_timeout_ms
                .unwrap_or(call.gathering_timeout_ms),
            ..call
        },
        servers: Servers::default(),
        recovery: None,
        faults: Vec::new(),
        expect: Expect {
            connects: network.connects,
            within_ms: network.within_ms.unwrap_or(10_000),
            relayed: None,
            media: network.media,
            selected_pair: BTreeMap::new(),
            recovery: None,
            flows: Default::default(),
        },
    };
    let site = format!("sites.{}", network.name);
    let place = |key: &str| {
        if key == site {
            return format!("{path}.name");
        }
        if let Some(rest) = key.strip_prefix(&site) {
            return format!("{path}.site{rest}");
        }
        if let Some(rest) = key.strip_prefix("peers[0]") {
            return format!("{path}{rest}");
        }
        // What a scenario says of its call in tables, a network says itself.
        let mut tables = ["call.", "expect."].into_iter();
        let own = tables.find_map(|table| key.strip_prefix(table));
        format!("{path}.{}", own.unwrap_or(key))
    };
    validate::check(&scenario)
        .into_iter()
        // The second peer is as the first.
        .filter(|finding| !finding.key.starts_with("peers[1]"))
        .map(|finding| Finding {
            key: place(&finding.key),
            because_of: finding.because_of.iter().map(|key| place(key)).collect(),
            ..finding
        })
        .collect()
}

/// `reachable`: the networks from and to which calls connect.
fn check_cells(
    cells: &[ExpectedCell],
    networks: &BTreeSet<&str>,
    reachable: &BTreeSet<&str>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = BTreeSet::new();
    for (index, cell) in cells.iter().enumerate() {
        for (key, name) in [("offerer", &cell.offerer), ("answerer", &cell.answerer)] {
            if !networks.contains(name.as_str()) {
                let key = format!("cells[{index}].{key}");
                let finding = Finding::new(key, format!("there is no network `{name}`"));
                findings.push(finding.hint(did_you_mean(name, networks.iter().copied())));
            }
        }
        if !seen.insert((&cell.offerer, &cell.answerer)) {
            let message = format!("{} to {} is there twice", cell.offerer, cell.answerer);
            let finding = Finding::new(format!("cells[{index}]"), message);
            findings.push(finding.hint("keep one of them"));
        }
        let explains = cell.source == CellSource::Reasoned || cell.here.is_some();
        if explains && cell.because.is_none() {
            let message = "what libwebrtc's table does not say needs a reason";
            let finding = Finding::new(format!("cells[{index}].because"), message);
            findings.push(finding.hint("write because = \"...\""));
        }
    }
    let missing = reachable
        .iter()
        .flat_map(|from| reachable.iter().map(move |to| (*from, *to)))
        .find(|(from, to)| {
            !cells
                .iter()
                .any(|cell| cell.offerer == *from && cell.answerer == *to)
        });
    if let (false, Some((from, to))) = (cells.is_empty(), missing) {
        let message = format!("nothing is expected of {from} to {to}");
        let finding = Finding::new("cells", message);
        findings.push(finding.hint("write a cell for each pair of networks, or none at all"));
    }
    findings
}
