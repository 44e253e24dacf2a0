//! The sender sends silence.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::{and, code, count};
use std::collections::BTreeSet;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    let silent: Vec<_> = case
        .missing()
        .into_iter()
        .filter(|missing| {
            let stats = case.run.media(missing.to, missing.kind);
            stats.is_some_and(|stats| stats.frames_silent > 0 && stats.frames_intact == 0)
        })
        .collect();
    let first = silent.first()?;
    let kinds: BTreeSet<String> = silent.iter().map(|one| one.kind.to_string()).collect();
    let mut seen = Vec::new();
    for missing in &silent {
        if let Some(stats) = case.run.media(missing.to, missing.kind) {
            let seen_at = format!(
                "{} of {} arrived, all of silence or blackness, {} lost",
                count(stats.frames_silent, "frame"),
                missing.kind,
                stats.frames_lost
            );
            seen.push(evidence::statistics(missing.to, seen_at));
        }
    }
    seen.extend(
        silent
            .iter()
            .flat_map(|missing| evidence::missing(case, missing)),
    );
    seen.extend(evidence::left_home(case, first.from));
    let (from, to) = (first.from, first.to);
    Some(Finding {
        summary: format!(
            "{from} sends {} without content, silence or blackness, and all of it arrives at {to}: the network is not at \
             fault.",
            and(&kinds)
        ),
        evidence: seen,
        next_step: format!(
            "Look at the sender's application: is its track muted or ended ({}, {}, {}), was the wrong microphone or camera \
             chosen, or was the permission refused? In Chrome {} of the sender stays at 0 in such a case.",
            code("track.muted"),
            code("track.enabled"),
            code("track.readyState"),
            code("media-source audioLevel")
        ),
        ..Finding::default()
    })
}
