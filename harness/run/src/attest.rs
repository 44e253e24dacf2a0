//! Measures, from inside the lab, every fact that the plan declares.

use crate::recorder::Recorder;
use farcall_lab::{Lab, NodeError};
use farcall_plan::{Declaration, Plan};
use farcall_protocol::{Command, Reply};
use farcall_timeline::{Event, Measured};
use futures::future::join_all;
use std::time::Duration;

/// How long a single measurement may take. Each has a budget of its own far below this; the deadline
/// only guards against an agent that no longer answers.
const MEASUREMENT_DEADLINE: Duration = Duration::from_secs(20);

/// Measures everything at once and records each finding as it comes. `true` when all hold.
///
/// # Errors
/// When a node could not measure; what the others found is recorded all the same.
pub(crate) async fn attest(
    lab: &Lab,
    declared: &Plan,
    recorder: &Recorder,
) -> Result<bool, NodeError> {
    let findings = declared.attestation.iter().map(async |declaration| {
        let finding = measure(lab, declaration).await?;
        let holds = finding.holds;
        recorder.record(Event::Attested(finding));
        Ok(holds)
    });
    let findings: Result<Vec<bool>, NodeError> = join_all(findings).await.into_iter().collect();
    Ok(findings?.into_iter().all(|holds| holds))
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
