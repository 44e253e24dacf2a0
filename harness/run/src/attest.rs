//! Measures, from inside the lab, every fact that the plan declares.

use crate::recorder::Recorder;
use farcall_lab::{Lab, NodeError};
use farcall_plan::{Declaration, Plan};
use farcall_protocol::{Command, Reply};
use farcall_timeline::{Event, Measured};
use futures::future::try_join_all;
use std::time::Duration;

/// How long a single measurement may take. Each has a budget of its own far below this; the deadline
/// only guards against an agent that no longer answers.
const MEASUREMENT_DEADLINE: Duration = Duration::from_secs(20);

/// Measures everything at once and records each finding. `true` when all hold.
pub(crate) async fn attest(
    lab: &Lab,
    declared: &Plan,
    recorder: &Recorder,
) -> Result<bool, NodeError> {
    let findings = try_join_all(
        declared
            .attestation
            .iter()
            .map(|declaration| measure(lab, declaration)),
    )
    .await?;
    let all_hold = findings.iter().all(|finding| finding.holds);
    for finding in findings {
        recorder.record(Event::Attested(finding));
    }
    Ok(all_hold)
}

async fn measure(lab: &Lab, declaration: &Declaration) -> Result<Measured, NodeError> {
    let node = lab.node(&declaration.node)?;
    let command = Command::Measure {
        fact: declaration.fact.clone(),
    };
    match node.request(command, MEASUREMENT_DEADLINE).await? {
        Reply::Measured(measured) => Ok(measured),
        other => Err(node.unexpected(&other)),
    }
}
