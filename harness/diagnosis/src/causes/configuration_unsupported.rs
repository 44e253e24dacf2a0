//! No lab can have what the ICE configuration asks for.

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
        Event::ConfigurationUnsupported { reason } => Some((node, reason)),
        _ => None,
    });
    let reasons: Vec<_> = reasons.collect();
    let (_, first) = reasons.first()?;
    Some(Finding {
        summary: format!(
            "No lab can have what the configuration asks for, so no call was placed and nothing is known of it: {first}."
        ),
        evidence: reasons
            .iter()
            .map(|(node, reason)| evidence::check("harness/supported", format!("{node}: {reason}")))
            .collect(),
        next_step: "Write a host name in place of the IPv6 address. It serves networks without IPv6 too, and TLS needs \
                    one for the certificate."
            .to_owned(),
        ..Finding::default()
    })
}
