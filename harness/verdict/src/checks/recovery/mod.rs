//! What broke in the call took effect, and the peers made of it what is expected.

mod attempts;
mod faults;
mod media;
mod outcome;
mod policy;
#[cfg(test)]
mod tests;

pub(crate) use attempts::{attempts, attempts_made};
pub(crate) use faults::faults;
pub(crate) use media::media_again;
pub(crate) use outcome::{final_state, outcome};
pub(crate) use policy::policy;

use crate::CheckVerdict;
use crate::case::Case;
use farcall_timeline::{Event, FaultEdge, FaultEvent};

/// When the two peers were last both connected after not having been, if they are in the end: at the beginning of the
/// first fault if the connection was never lost.
pub(crate) fn connected_again(case: &Case<'_>) -> Option<f64> {
    let begun_ms = first_fault(case)?;
    let ended_ms = case.ended_ms();
    let mut again_ms = begun_ms;
    for peer in &case.peers {
        let mut since = None;
        for (at_ms, event) in case.of(peer).iter().filter(|(at_ms, _)| *at_ms <= ended_ms) {
            match event {
                Event::CallStarted { .. } => since = None,
                Event::State(state) if state.machine == "connection" => {
                    since = match state.state.as_str() {
                        "connected" => since.or(Some(*at_ms)),
                        _ => None,
                    };
                }
                _ => {}
            }
        }
        again_ms = f64::max(again_ms, since?);
    }
    Some(again_ms)
}

pub(crate) fn first_fault(case: &Case<'_>) -> Option<f64> {
    of_fault(case, 1)
        .find(|(_, event)| event.edge == FaultEdge::Begun)
        .map(|(at_ms, _)| at_ms)
}

fn of_fault<'a>(case: &Case<'a>, number: usize) -> impl Iterator<Item = (f64, &'a FaultEvent)> {
    let wanted = u32::try_from(number).ok();
    let events: Vec<_> = case
        .all()
        .filter_map(|(_, at_ms, event)| match event {
            Event::Fault(fault) if Some(fault.number) == wanted => Some((at_ms, fault)),
            _ => None,
        })
        .collect();
    events.into_iter()
}

fn pass_if(is_right: bool) -> CheckVerdict {
    match is_right {
        true => CheckVerdict::Pass,
        false => CheckVerdict::Fail,
    }
}
