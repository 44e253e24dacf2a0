//! This machine cannot build the network.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use farcall_timeline::Event;
use farcall_verdict::Verdict;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    if case.judgement.verdict != Verdict::Unsupported {
        return None;
    }
    let reasons = case.run.all().filter_map(|(node, _, event)| match event {
        Event::Unsupported { reason } => Some((node, reason)),
        _ => None,
    });
    let reasons: Vec<_> = reasons.collect();
    let (_, first) = reasons.first()?;
    Some(Finding {
        summary: format!(
            "This machine cannot build the network, so no call was placed and nothing is known of your configuration: {first}."
        ),
        evidence: reasons
            .iter()
            .map(|(node, reason)| evidence::check("harness/supported", format!("{node}: {reason}")))
            .collect(),
        next_step:
            "Run the scenario on a machine that can: `farcall doctor` says what this one lacks."
                .to_owned(),
        ..Finding::default()
    })
}
