//! A lab that is raised, measured and removed, without a call.

use crate::login::log_in;
use crate::{Harness, RunError, RunOptions, attest};
use farcall_lab::{Lab, LabOptions, NodeError};
use farcall_plan::{Declaration, Plan};
use farcall_report::Attestation;
use farcall_scenario::{IceConfiguration, Scenario};
use farcall_timeline::{Entry, Event, Measured};
use std::cell::RefCell;
use std::time::Instant;
use tokio::sync::mpsc;

impl Harness {
    /// Raises a scenario's lab, measures all that is declared of it, with `deep` also what takes seconds to
    /// minutes, and removes it. Of the options `raise_instead`, `seed` and `stop` count.
    ///
    /// # Errors
    /// When the scenario cannot be planned. Whatever goes wrong in the lab itself is a fault in the result.
    pub async fn attest(
        &self,
        scenario: &Scenario,
        ice: &IceConfiguration,
        deep: bool,
        options: &RunOptions,
    ) -> Result<Attestation, RunError> {
        let plan = farcall_plan::plan(scenario, ice, options.seed)?;
        let mut attestation = Attestation {
            scenario: plan.scenario.clone(),
            ice_configuration: plan.ice_configuration.clone(),
            seed: plan.seed,
            deep,
            holds: false,
            raise_ms: None,
            attest_ms: None,
            attestation: Vec::new(),
            faults: Vec::new(),
        };
        let (events, mut reported) = mpsc::unbounded_channel();
        let raised = options.raise_instead.as_ref().unwrap_or(&plan);
        if let Err(fault) = self
            .measure(&plan, raised, options, events, &mut attestation)
            .await
        {
            attestation.faults.push(fault);
        }
        // Whoever reports is gone with the lab.
        while let Ok(entry) = reported.try_recv() {
            attestation.faults.extend(fault(entry));
        }
        attestation.holds &= attestation.faults.is_empty();
        Ok(attestation)
    }

    async fn measure(
        &self,
        plan: &Plan,
        raised: &Plan,
        options: &RunOptions,
        events: mpsc::UnboundedSender<Entry>,
        attestation: &mut Attestation,
    ) -> Result<(), String> {
        let started = Instant::now();
        let lab_options = LabOptions {
            time_zero: started,
            ..LabOptions::new()
        };
        let raise = Lab::raise(&self.engine, &self.image, raised, lab_options, events);
        let lab = tokio::select! {
            lab = raise => lab.map_err(|error| error.to_string())?,
            () = options.stop.cancelled() => return Err(interrupted()),
        };
        attestation.raise_ms = Some(in_ms(started));

        let mut declarations = plan.attestation.clone();
        if attestation.deep {
            declarations.extend(plan.deep_attestation.clone());
        }
        let started = Instant::now();
        let findings = RefCell::new(Vec::new());
        let attested = tokio::select! {
            attested = findings_of(&lab, plan, &declarations, &findings) => {
                attested.map_err(|error| error.to_string())
            }
            () = options.stop.cancelled() => Err(interrupted()),
        };
        let attest_ms = in_ms(started);
        let mut findings = findings.into_inner();
        findings.sort_by_key(|(index, _)| *index);
        attestation.attestation = findings.into_iter().map(|(_, finding)| finding).collect();
        let removed = lab.remove().await.map_err(|error| error.to_string());
        attestation.holds = attested?;
        attestation.attest_ms = Some(attest_ms);
        removed
    }
}

async fn findings_of(
    lab: &Lab,
    plan: &Plan,
    declarations: &[Declaration],
    findings: &RefCell<Vec<(usize, Measured)>>,
) -> Result<bool, NodeError> {
    log_in(lab, &plan.call).await?;
    let keep = |index, finding| findings.borrow_mut().push((index, finding));
    attest::measure_all(lab, declarations, keep).await
}

fn fault(entry: Entry) -> Option<String> {
    match entry.event {
        Event::HarnessFault { message } => Some(format!("{}: {message}", entry.node)),
        _ => None,
    }
}

fn interrupted() -> String {
    "interrupted".to_owned()
}

fn in_ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1_000.0
}
