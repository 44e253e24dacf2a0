//! Signalling over the network opens where it must, and does not where rules forbid it.

use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_plan::ExpectedSignalling;
use farcall_timeline::{Event, SignallingEvent};

/// One check for each peer whose signalling goes over the network.
pub(crate) fn signalling(case: &Case<'_>) -> Vec<Check> {
    let expected = case.declared.expect.signalling.iter();
    expected
        .map(|(peer, expected)| check(case, peer, expected))
        .collect()
}

fn check(case: &Case<'_>, peer: &str, expected: &ExpectedSignalling) -> Check {
    let wanted = match expected.opens {
        true => format!("it opens, because {}", expected.because),
        false => format!("it does not open, because {}", expected.because),
    };
    let opened = steps(case, peer).find_map(|step| match step {
        SignallingEvent::Open { url, after_ms } => Some((url, after_ms)),
        _ => None,
    });
    let observed = match (opened, unopened(case, peer)) {
        (Some((url, after_ms)), _) => format!("{url} opened after {after_ms:.0} ms"),
        (None, Some(reason)) => reason,
        (None, None) => "no attempt to open it came to an end".to_owned(),
    };
    let verdict = match opened.is_some() == expected.opens {
        true => CheckVerdict::Pass,
        false => CheckVerdict::Fail,
    };
    Check::new(format!("signalling/{peer}"), verdict, wanted, observed)
}

/// What keeps the peers from saying anything to each other, if something does: that the signalling of one of them
/// never opened.
pub(super) fn never_opened(case: &Case<'_>) -> Option<String> {
    let peers = case.declared.expect.signalling.keys();
    let mut unopened = peers.filter_map(|peer| {
        let reason = unopened(case, peer)?;
        Some(format!("{peer}'s signalling did not open: {reason}"))
    });
    unopened.next()
}

/// How the last attempt of a peer failed, whose signalling never opened.
fn unopened(case: &Case<'_>, peer: &str) -> Option<String> {
    let mut last = None;
    for step in steps(case, peer) {
        match step {
            SignallingEvent::Open { .. } => return None,
            SignallingEvent::Failed { url, reason } => last = Some(format!("{url}: {reason}")),
            SignallingEvent::Closed { .. } => {}
        }
    }
    last
}

fn steps<'a>(case: &Case<'a>, peer: &str) -> impl Iterator<Item = &'a SignallingEvent> {
    let events: Vec<&'a SignallingEvent> = case
        .of(peer)
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Signalling(step) => Some(step),
            _ => None,
        })
        .collect();
    events.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CheckVerdict::{Fail, Invalid, Pass, Skipped};
    use crate::Verdict;
    use crate::sample::{Sample, UDP_URL};

    const URL: &str = "wss://signalling.test:443/";

    fn open() -> SignallingEvent {
        SignallingEvent::Open {
            url: URL.to_owned(),
            after_ms: 41.7,
        }
    }

    fn failed() -> SignallingEvent {
        SignallingEvent::Failed {
            url: URL.to_owned(),
            reason: "no connection within 8 s".to_owned(),
        }
    }

    /// A call whose signalling is to open or not, with what became of it.
    fn sample(mut sample: Sample, peer: &str, opens: bool, steps: &[SignallingEvent]) -> Sample {
        let expected = ExpectedSignalling {
            opens,
            because: "a rule says so".to_owned(),
        };
        let signalling = &mut sample.declared.expect.signalling;
        signalling.insert(peer.to_owned(), expected);
        for (index, step) in steps.iter().enumerate() {
            let at_ms = 3_000.0 + index as f64;
            sample.add(at_ms, peer, Event::Signalling(step.clone()));
        }
        sample
    }

    #[test]
    fn it_passes_where_it_does_what_follows_from_the_rules() {
        for (opens, steps, verdict, observed) in [
            (true, vec![open()], Pass, "opened after 42 ms"),
            // A first attempt may fail, and an open connection may break.
            (true, vec![failed(), open()], Pass, "opened after 42 ms"),
            (true, vec![failed()], Fail, "no connection within 8 s"),
            (true, vec![], Fail, "no attempt"),
            (false, vec![failed(), failed()], Pass, "no connection"),
            (false, vec![open()], Fail, "opened"),
        ] {
            let check = sample(Sample::good(), "alice", opens, &steps).check("signalling/alice");
            assert_eq!(check.verdict, verdict, "{opens} {steps:?}");
            assert!(check.observed.contains(observed), "{}", check.observed);
        }
    }

    #[test]
    fn a_call_that_signalling_keeps_from_being_placed_says_so() {
        let sample = sample(Sample::not_connected(), "alice", true, &[failed()]);
        assert_eq!(sample.judge().verdict, Verdict::Fail);
        let check = sample.check("connection");
        assert_eq!(check.verdict, Fail);
        assert!(check.observed.contains("signalling"), "{}", check.observed);
    }

    #[test]
    fn who_was_never_called_need_not_have_asked_any_server() {
        let name = format!("ice-server/bob/{UDP_URL}");
        let rule = "blocking-rule/office-gateway/corporate/drop-udp/alice";
        for (step, of_url, of_rule) in [(open(), Invalid, Invalid), (failed(), Skipped, Skipped)] {
            let mut sample = sample(Sample::not_connected(), "alice", true, &[step]);
            sample.remove(|entry| matches!(entry.event, Event::IceServer(_)));
            sample.change_counter("office-gateway", "corporate/drop-udp", |counter| {
                // As many as before the call.
                counter.packets = 3;
            });
            assert_eq!(sample.check(&name).verdict, of_url);
            assert_eq!(sample.check(rule).verdict, of_rule);
        }
    }
}
