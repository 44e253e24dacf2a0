//! Signalling over the network opens where it must, and does not where rules forbid it.

use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_plan::ExpectedSignalling;
use farcall_timeline::SignallingEvent;

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
    let (has_opened, observed) = match case.signalling(peer) {
        Some(SignallingEvent::Open { url, after_ms }) => {
            (true, format!("{url} opened after {after_ms:.0} ms"))
        }
        other => (false, unopened(other)),
    };
    let verdict = match has_opened == expected.opens {
        true => CheckVerdict::Pass,
        false => CheckVerdict::Fail,
    };
    Check::new(format!("signalling/{peer}"), verdict, wanted, observed)
}

/// What kept a peer from learning of the call, if signalling over the network did: that it never opened, or that it
/// opened and brought the peer nothing.
pub(super) fn never_placed(case: &Case<'_>) -> Option<String> {
    let peers = || case.declared.expect.signalling.keys();
    let unopened = peers().find_map(|peer| match case.signalling(peer) {
        Some(SignallingEvent::Open { .. }) => None,
        other => Some(format!(
            "{peer}'s signalling did not open: {}",
            unopened(other)
        )),
    });
    unopened.or_else(|| {
        let unaware = peers().find(|peer| !knows_of_the_call(case, peer))?;
        Some(format!(
            "{unaware}'s signalling opened, and no offer came through it"
        ))
    })
}

/// Whether a peer has made an offer or got one.
fn knows_of_the_call(case: &Case<'_>, peer: &str) -> bool {
    ["have-local-offer", "have-remote-offer"]
        .iter()
        .any(|state| case.first_state(peer, "signaling", state).is_some())
}

/// How the last attempt failed where signalling never opened.
fn unopened(last: Option<&SignallingEvent>) -> String {
    match last {
        Some(SignallingEvent::Failed { url, reason }) => format!("{url}: {reason}"),
        _ => "no attempt to open it came to an end".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CheckVerdict::{Fail, Invalid, Pass, Skipped};
    use crate::Verdict;
    use crate::sample::{Sample, UDP_URL};
    use farcall_timeline::Event;

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
    fn signalling_that_opens_and_brings_no_offer_has_placed_no_call() {
        let mut sample = sample(Sample::not_connected(), "bob", true, &[open()]);
        sample.remove(|entry| matches!(entry.event, Event::IceServer(_)));
        let name = format!("ice-server/bob/{UDP_URL}");
        assert_eq!(sample.check(&name).verdict, Invalid);
        for state in ["have-remote-offer", "stable"] {
            sample.remove_state("bob", "signaling", state);
        }
        assert_eq!(sample.check(&name).verdict, Skipped);
        let connection = sample.check("connection");
        assert_eq!(connection.verdict, Fail);
        let words = "bob's signalling opened, and no offer came through it";
        assert!(
            connection.observed.contains(words),
            "{}",
            connection.observed
        );
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
