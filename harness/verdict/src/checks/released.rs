//! A call that is over has left nothing behind in the peers.

use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_timeline::{Event, Holdings};

/// One check for each peer.
pub(crate) fn released(case: &Case<'_>) -> Vec<Check> {
    case.peers.iter().map(|peer| check(case, peer)).collect()
}

fn check(case: &Case<'_>, peer: &str) -> Check {
    let name = format!("released/{peer}");
    let expected = "after the call no more sockets and tasks than before it";
    let told = case
        .of(peer)
        .iter()
        .rev()
        .find_map(|(_, event)| match event {
            Event::Released { before, after } => Some((*before, *after)),
            _ => None,
        });
    let Some((before, after)) = told else {
        let observed = "it did not tell what it holds after the call";
        return Check::new(name, CheckVerdict::Invalid, expected, observed);
    };
    let is_released = after.sockets <= before.sockets && after.tasks <= before.tasks;
    let verdict = match is_released {
        true => CheckVerdict::Pass,
        false => CheckVerdict::Fail,
    };
    let observed = format!("{} before, {} after", words(before), words(after));
    Check::new(name, verdict, expected, observed)
}

fn words(held: Holdings) -> String {
    format!("{} sockets and {} tasks", held.sockets, held.tasks)
}

#[cfg(test)]
mod tests {
    use crate::CheckVerdict::{Fail, Invalid, Pass};
    use crate::sample::Sample;
    use farcall_timeline::Event;

    #[test]
    fn what_is_still_held_after_the_call_fails() {
        assert_eq!(Sample::good().check("released/alice").verdict, Pass);
        for (sockets, tasks) in [(1, 0), (0, 1)] {
            let mut sample = Sample::good();
            sample.change_of("alice", |event| {
                if let Event::Released { after, .. } = event {
                    after.sockets += sockets;
                    after.tasks += tasks;
                }
            });
            let check = sample.check("released/alice");
            assert_eq!(check.verdict, Fail, "{}", check.observed);
            assert_eq!(sample.check("released/bob").verdict, Pass);
        }
    }

    #[test]
    fn a_peer_that_does_not_tell_proves_nothing() {
        let mut sample = Sample::good();
        sample.remove(|entry| matches!(entry.event, Event::Released { .. }));
        assert_eq!(sample.check("released/bob").verdict, Invalid);
    }
}
