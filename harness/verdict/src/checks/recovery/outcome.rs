//! Both peers are connected again, or have given up.

use super::attempts::count;
use super::{connected_again, first_fault, pass_if};
use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_timeline::{Event, RecoveryEvent};

/// By how much a peer's clock may be ahead of the harness's when the call ends: some milliseconds, and nothing else comes
/// in that time.
const CLOCKS_MS: f64 = 50.0;

/// Both peers are connected again, or both have given up, in time.
pub(crate) fn outcome(case: &Case<'_>) -> Vec<Check> {
    let (Some(expected), Some(begun_ms)) = (&case.declared.expect.recovery, first_fault(case))
    else {
        return Vec::new();
    };
    let name = "recovery/outcome";
    let within = expected.within_ms;
    if expected.recovers {
        let again_ms = connected_again(case);
        let after_ms = again_ms.map(|again_ms| (again_ms - begun_ms).max(0.0));
        let in_time = after_ms.is_some_and(|after_ms| after_ms <= f64::from(within));
        let observed = match after_ms {
            None => "not both connected in the end".to_owned(),
            Some(0.0) => "the connection was never lost".to_owned(),
            Some(after_ms) => format!("both connected again after {after_ms:.0} ms"),
        };
        let expected = format!("both peers connected again within {within} ms of the first fault");
        let check = Check::new(name, pass_if(in_time), expected, observed);
        return vec![check.with_evidence(noticed(case, begun_ms))];
    }
    let gave_up: Vec<Option<(f64, u32)>> =
        case.peers.iter().map(|peer| gave_up(case, peer)).collect();
    let is_right = gave_up.iter().all(|gave_up| {
        gave_up.is_some_and(|(at_ms, attempts)| {
            attempts == expected.attempts && at_ms - begun_ms <= f64::from(within)
        })
    });
    let observed: Vec<String> = case
        .peers
        .iter()
        .zip(&gave_up)
        .map(|(peer, gave_up)| match gave_up {
            Some((at_ms, attempts)) => {
                format!(
                    "{peer} gave up after {:.0} ms and {}",
                    at_ms - begun_ms,
                    count(*attempts)
                )
            }
            None => format!("{peer} did not give up"),
        })
        .collect();
    let expected = format!(
        "both peers give up within {within} ms of the first fault, after {}",
        count(expected.attempts)
    );
    vec![
        Check::new(name, pass_if(is_right), expected, observed.join(", "))
            .with_evidence(noticed(case, begun_ms)),
    ]
}

/// What a client's recovery is in at the end is what its user is left with: `connected`, or for good `failed`.
pub(crate) fn final_state(case: &Case<'_>) -> Vec<Check> {
    let Some(expected) = case.declared.expect.recovery.as_ref() else {
        return Vec::new();
    };
    let wanted = if expected.recovers {
        "connected"
    } else {
        "failed"
    };
    let ended_ms = case.ended_ms() + CLOCKS_MS;
    let state = |peer: &str| case.state_at(peer, "recovery", ended_ms);
    let states: Vec<Option<&str>> = case.peers.iter().map(|peer| state(peer)).collect();
    let verdict = match states.iter().all(Option::is_none) {
        // A client whose recovery is not farcall's library may have none.
        true => CheckVerdict::Skipped,
        false => pass_if(states.iter().all(|state| *state == Some(wanted))),
    };
    let observed: Vec<String> = case
        .peers
        .iter()
        .zip(&states)
        .map(|(peer, state)| format!("{peer} {}", state.unwrap_or("told none")))
        .collect();
    let name = "recovery/final-state";
    let expected = format!("both clients are {wanted} in the end");
    vec![Check::new(name, verdict, expected, observed.join(", "))]
}

/// When each peer first called its connection something else than connected after the first fault.
fn noticed(case: &Case<'_>, begun_ms: f64) -> Vec<String> {
    let noticed = case.peers.iter().filter_map(|peer| {
        let mut events = case.of(peer).iter();
        events.find_map(|(at_ms, event)| match event {
            Event::State(state)
                if state.machine == "connection"
                    && *at_ms >= begun_ms
                    && matches!(state.state.as_str(), "disconnected" | "failed") =>
            {
                let after_ms = at_ms - begun_ms;
                Some(format!(
                    "{peer} noticed {after_ms:.0} ms after the first fault: {}",
                    state.state
                ))
            }
            _ => None,
        })
    });
    noticed.collect()
}

fn gave_up(case: &Case<'_>, peer: &str) -> Option<(f64, u32)> {
    case.of(peer).iter().find_map(|(at_ms, event)| match event {
        Event::Recovery(RecoveryEvent::GaveUp { attempts, .. }) => Some((*at_ms, *attempts)),
        _ => None,
    })
}
