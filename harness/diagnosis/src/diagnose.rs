//! Which rule speaks.

use crate::case::Case;
use crate::causes::RULES;
use crate::model::Finding;
use crate::{Diagnosis, Evidence};
use farcall_timeline::{Flow, Timeline};
use farcall_verdict::{Declared, Judgement, Verdict};
use std::collections::VecDeque;

/// Says why a run fell short; `None` if it did not.
///
/// `began_at_s` is when the run began, in seconds since 1970 (UTC): accounts of TURN servers expire by it.
#[must_use]
pub fn diagnose(
    timeline: &Timeline,
    declared: &Declared,
    began_at_s: i64,
    judgement: &Judgement,
) -> Option<Diagnosis> {
    let case = Case::new(timeline, declared, began_at_s, judgement);
    if !fell_short(&case) {
        return None;
    }
    let found = RULES.iter().find_map(|rule| {
        let finding = (rule.find)(&case)?;
        Some((rule.cause, finding))
    });
    let (cause, finding) = found?;
    let Finding {
        candidates,
        summary,
        evidence,
        next_step,
        add_urls,
    } = finding;
    Some(Diagnosis {
        cause,
        candidates,
        summary,
        evidence: in_turn(evidence),
        next_step,
        add_urls,
    })
}

/// Each thing once, and the kinds of witnesses in turn: who reads two lines has heard two.
fn in_turn(evidence: Vec<Evidence>) -> Vec<Evidence> {
    let mut kinds: Vec<VecDeque<Evidence>> = Vec::new();
    for one in evidence {
        if kinds.iter().flatten().any(|known| *known == one) {
            continue;
        }
        let is_same = |kind: &VecDeque<Evidence>| {
            let first = kind.front();
            first.is_some_and(|first| first.witness == one.witness)
        };
        match kinds.iter().position(is_same) {
            Some(index) => kinds[index].push_back(one),
            None => kinds.push(VecDeque::from([one])),
        }
    }
    let longest = kinds.iter().map(VecDeque::len).max().unwrap_or(0);
    let mut told = Vec::new();
    for _ in 0..longest {
        told.extend(kinds.iter_mut().filter_map(VecDeque::pop_front));
    }
    told
}

/// A run that passes falls short too where its network lets no call through, has the client give up, or carries no media.
fn fell_short(case: &Case<'_>) -> bool {
    let expect = &case.run.declared.expect;
    let gives_up = expect.recovery.as_ref().is_some_and(|one| !one.recovers);
    let mut flows = expect.flows.values();
    let carries_less = flows.any(|flows| {
        [flows.audio, flows.video, flows.data]
            .iter()
            .any(|flow| *flow != Flow::Flows)
    });
    let is_expected = !expect.connects || gives_up || carries_less;
    case.judgement.verdict != Verdict::Pass || is_expected
}
