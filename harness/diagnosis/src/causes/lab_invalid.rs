//! The lab did not hold.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use farcall_timeline::Event;
use farcall_verdict::{Check, CheckVerdict, Verdict};

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    if case.judgement.verdict != Verdict::Invalid {
        return None;
    }
    let checks = case.judgement.checks.iter();
    let invalid: Vec<&Check> = checks
        .filter(|check| check.verdict == CheckVerdict::Invalid)
        .collect();
    let what = invalid
        .first()
        .map(|first| format!("{}: {}", first.name, detail(first)));
    let what = what.unwrap_or_else(|| "a check does not hold".to_owned());
    let mut all = case.run.all();
    let summary = match all.any(|(_, _, event)| matches!(event, Event::Interrupted)) {
        true => "The run was interrupted, so it says nothing about your configuration.".to_owned(),
        false => format!(
            "The lab was not what the scenario declares, or broke, so the run says nothing about your configuration ({what})."
        ),
    };
    let seen = invalid
        .iter()
        .map(|check| evidence::check(&check.name, detail(check)));
    Some(Finding {
        summary,
        evidence: seen.collect(),
        next_step: "Run it again. Where it comes back, `farcall attest` with the scenario's name shows what of the network \
                    is not as declared, and `farcall doctor` what this machine lacks. Change nothing in the application for it."
            .to_owned(),
        ..Finding::default()
    })
}

/// What was seen that is not as it must be, as closely as the check knows it.
fn detail(check: &Check) -> String {
    match check.evidence.first() {
        Some(first) => first.clone(),
        None => format!("{}; needed: {}", check.observed, check.expected),
    }
}
