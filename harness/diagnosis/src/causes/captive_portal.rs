//! The network answers everything with its login page.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::code;
use farcall_plan::{Fact, Passage};

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    let stranded = case.stranded();
    let is_redirected = |fact: &Fact| {
        matches!(
            fact,
            Fact::Passage {
                passage: Passage::Redirected,
                ..
            }
        )
    };
    let peer = stranded.into_iter().find(|&peer| {
        case.facts(peer)
            .any(|(fact, measured)| is_redirected(fact) && measured.holds)
    })?;
    let portal = case.facts(peer).find_map(|(fact, _)| match fact {
        Fact::Resolves { address, .. } => Some(*address),
        _ => None,
    });
    let portal = portal.map_or(String::new(), |at| format!(" at {at}"));
    let attempts = case.attempts(peer);
    let mut seen: Vec<_> = attempts.iter().map(evidence::attempt).collect();
    seen.extend(evidence::signalling(case, peer));
    seen.extend(evidence::attested(case, peer, is_redirected));
    seen.extend(evidence::attested(case, peer, |fact| {
        matches!(fact, Fact::Resolves { .. })
    }));
    seen.extend(evidence::rules(case, &attempts));
    let no_turn = case.turn_urls().next().is_none();
    let besides = match no_turn {
        true => " The configuration has no TURN server either; another network may need one.",
        false => "",
    };
    Some(Finding {
        summary: format!(
            "The network of {peer} is behind a captive portal that nobody has logged in to: every name leads to the portal\
             {portal}, web pages are answered with its login page, and everything else is dropped."
        ),
        evidence: seen,
        next_step: format!(
            "Nothing in the configuration helps. Tell the user to open any {} page in a browser, log in there, and call \
             again; an application can find this out itself by fetching a page of its own that must answer with 204.{besides}",
            code("http://")
        ),
        ..Finding::default()
    })
}
