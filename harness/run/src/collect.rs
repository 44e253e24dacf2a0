//! Fetches what the nodes have before they are removed: counters, connection tables, logs, captures.

use crate::recorder::Recorder;
use farcall_lab::{Lab, NodeError};
use farcall_plan::{Interface, Node, Plan, Role};
use farcall_protocol::{Command, Reply};
use farcall_report::{CapturePoint, ReportError, RunDirectory};
use farcall_timeline::Event;
use futures::future::{join_all, try_join_all};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a node may take to read its counters or hand over its files.
const COLLECT_DEADLINE: Duration = Duration::from_secs(10);

/// The moments at which gateways' counters are read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Moment {
    BeforeCall,
    AfterCall,
}

impl Moment {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BeforeCall => "before-call",
            Self::AfterCall => "after-call",
        }
    }
}

/// Reads the counters of these gateways and records them.
pub(crate) async fn counters(
    lab: &Lab,
    gateways: impl IntoIterator<Item = &str>,
    recorder: &Recorder,
    moment: Moment,
) -> Result<(), NodeError> {
    let counts = try_join_all(gateways.into_iter().map(async |gateway| {
        let node = lab.node(gateway)?;
        match node.request(Command::Counters, COLLECT_DEADLINE).await? {
            Reply::Counters { rules } => Ok((gateway.to_owned(), rules)),
            other => Err(node.unexpected(&other)),
        }
    }))
    .await?;
    for (gateway, rules) in counts {
        recorder.record_of(
            &gateway,
            Event::Counters {
                moment: moment.name().to_owned(),
                rules,
            },
        );
    }
    Ok(())
}

/// The gateways and carriers of a plan.
pub(crate) fn gateways(plan: &Plan) -> impl Iterator<Item = &str> {
    let nodes = plan.nodes.iter();
    let gateways = nodes.filter(|node| matches!(node.role, Role::Gateway(_)));
    gateways.map(|node| node.name.as_str())
}

/// Has every TURN server tell of the allocations of the call that is over, so that none is taken for one of the next.
pub(crate) async fn sessions(lab: &Lab, plan: &Plan) -> Result<(), NodeError> {
    let nodes = plan.nodes.iter();
    let servers = nodes.filter(|node| matches!(node.role, Role::TurnServer(_)));
    try_join_all(servers.map(async |server| {
        let node = lab.node(&server.name)?;
        match node
            .request(Command::TellSessions, COLLECT_DEADLINE)
            .await?
        {
            Reply::Done => Ok(()),
            other => Err(node.unexpected(&other)),
        }
    }))
    .await
    .map(drop)
}

/// Asks every node for its files and writes them to each directory; `end_services` before, unless the lab is to go on. A
/// node that cannot answer is recorded and does not keep the others' files from being saved.
pub(crate) async fn files(
    lab: &Lab,
    plan: &Plan,
    recorder: &Recorder,
    directories: impl Iterator<Item = &RunDirectory> + Clone,
    end_services: bool,
) -> Result<(), ReportError> {
    let answers = join_all(plan.nodes.iter().map(async |planned| {
        let answer = match lab.node(&planned.name) {
            Ok(node) => {
                let collect = Command::Collect { end_services };
                node.request(collect, COLLECT_DEADLINE).await
            }
            Err(error) => Err(error),
        };
        (planned.name.as_str(), answer)
    }))
    .await;
    for (name, answer) in answers {
        match answer {
            Ok(Reply::Files { files }) => {
                for directory in directories.clone() {
                    for (file, text) in &files {
                        directory.write_node_file(name, file, text.as_bytes())?;
                    }
                }
            }
            Ok(other) => recorder.fault(format!("{name} answered collect with {other:?}")),
            Err(error) => recorder.fault(error.to_string()),
        }
    }
    Ok(())
}

/// Writes what every container printed.
pub(crate) fn logs(lab: &Lab, plan: &Plan, directory: &RunDirectory) -> Result<(), ReportError> {
    for planned in &plan.nodes {
        if let Ok(node) = lab.node(&planned.name) {
            directory.write_log(&planned.name, node.log().as_bytes())?;
        }
    }
    Ok(())
}

/// What was captured at an interface of a node, as pcap.
type Captured<'a> = (&'a Node, &'a Interface, Vec<u8>);

/// Fetches the capture of every interface and merges them, one file for each network in each directory.
pub(crate) async fn captures(
    lab: &Lab,
    plan: &Plan,
    recorder: &Recorder,
    directories: &[&RunDirectory],
) -> Result<(), ReportError> {
    let points = plan.nodes.iter().flat_map(|node| {
        node.interfaces
            .iter()
            .map(move |interface| (node, interface))
    });
    let fetched = join_all(points.map(async |(node, interface)| {
        let path = format!("/run/farcall/capture/{}.pcap", interface.name);
        (node, interface, lab.fetch_file(&node.name, &path).await)
    }))
    .await;
    let mut networks: BTreeMap<&str, Vec<Captured<'_>>> = BTreeMap::new();
    for (node, interface, fetched) in fetched {
        match fetched {
            Ok(pcap) => networks
                .entry(&interface.network)
                .or_default()
                .push((node, interface, pcap)),
            Err(error) => recorder.fault(error.to_string()),
        }
    }
    for (network, captured) in &networks {
        for directory in directories {
            let points = captured.iter().map(|(node, interface, pcap)| CapturePoint {
                node: node.name.clone(),
                interface: interface.name.clone(),
                pcap: pcap.as_slice(),
            });
            directory.write_capture(network, points.collect())?;
        }
    }
    Ok(())
}
