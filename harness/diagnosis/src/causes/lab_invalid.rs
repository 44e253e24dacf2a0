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
        .map_or("a check does not hold".to_owned(), |first| {
            let detail = first
                .evidence
                .first()
                .filter(|_| first.name == "harness/sound");
            let observed = detail.unwrap_or(&first.observed);
            format!("{} ({}; needed: {})", first.name, observed, first.expected)
        });
    let interrupted = case
        .run
        .all()
        .any(|(_, _, event)| matches!(event, Event::Interrupted));
    let summary = match interrupted {
        true => "The run was interrupted, so it says nothing about your configuration.".to_owned(),
        false => format!(
            "The lab was not what the scenario declares, or broke, so the run says nothing about your configuration: {what}."
        ),
    };
    let seen = invalid.iter().map(|check| {
        let observed = match check.evidence.first() {
            Some(first) if check.name == "harness/sound" => first.clone(),
            _ => format!("{}, where {} is needed", check.observed, check.expected),
        };
        evidence::check(&check.name, observed)
    });
    Some(Finding {
        summary,
        evidence: seen.collect(),
        next_step: "Run it again. Where it comes back, `farcall attest` with the scenario's name shows what of the network \
                    is not as declared, and `farcall doctor` what this machine lacks. Change nothing in the application for it."
            .to_owned(),
        ..Finding::default()
    })
}
