//! The client has given up after all its attempts.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::{code, count};
use farcall_timeline::RecoveryEvent;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    let steps = case.recovery();
    let (attempts, trigger) = steps.iter().find_map(|(_, _, step)| match step {
        RecoveryEvent::GaveUp { attempts, trigger } => Some((*attempts, trigger.as_str())),
        _ => None,
    })?;
    let broken = case.broken();
    let names: Vec<String> = broken.iter().map(|one| code(&one.fault.what)).collect();
    let why = match names.is_empty() {
        true => format!("the last failure was {}", code(trigger)),
        false => format!("what was broken then: {}", names.join(", ")),
    };
    let mut seen: Vec<_> = broken.iter().map(evidence::fault).collect();
    seen.extend(evidence::loss(case));
    seen.extend(evidence::recovery(case));
    Some(Finding {
        summary: format!(
            "The connection was lost and the client gave up after {}, while the network was still broken ({why}).",
            count(u64::from(attempts), "attempt")
        ),
        evidence: seen,
        next_step: format!(
            "If the outage is one that users have, let the client try for longer: more attempts, or longer pauses between \
             them ({} and {} of its policy). When it has given up, tell the user so and offer to call again.",
            code("max_attempts"),
            code("backoff")
        ),
        ..Finding::default()
    })
}
