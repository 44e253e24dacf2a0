//! Whether the peers' signalling opened, on one line.

use crate::StoredRun;
use farcall_timeline::SignallingEvent;
use farcall_verdict::Case;

/// `wss://HOST:443/ open at alice after 18 ms, open at bob after 3 ms`; `None` where it goes through the harness.
pub(super) fn line(run: &StoredRun) -> Option<String> {
    let case = Case::new(&run.timeline, &run.declared);
    let peers = run.declared.expect.signalling.keys();
    let told: Vec<(Option<&str>, String)> = peers.map(|peer| at(&case, peer)).collect();
    if told.is_empty() {
        return None;
    }
    let url = told.iter().find_map(|(url, _)| *url);
    let words: Vec<&str> = told.iter().map(|(_, words)| words.as_str()).collect();
    Some(format!(
        "{} {}",
        url.unwrap_or("over the network"),
        words.join(", ")
    ))
}

/// The URL, and what came of it at a peer.
fn at<'a>(case: &Case<'a>, peer: &str) -> (Option<&'a str>, String) {
    match case.signalling(peer) {
        Some(SignallingEvent::Open { url, after_ms }) => {
            (Some(url), format!("open at {peer} after {after_ms:.0} ms"))
        }
        Some(SignallingEvent::Failed { url, reason }) => {
            (Some(url), format!("not open at {peer} ({reason})"))
        }
        _ => (None, format!("not open at {peer}")),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::stored::tests::{about, stored};
    use farcall_plan::ExpectedSignalling;
    use farcall_timeline::Event;
    use farcall_verdict::sample::Sample;

    const URL: &str = "wss://signalling.test:443/";

    fn open(after_ms: f64) -> Event {
        let url = URL.to_owned();
        Event::Signalling(SignallingEvent::Open { url, after_ms })
    }

    fn failed(reason: &str) -> Event {
        Event::Signalling(SignallingEvent::Failed {
            url: URL.to_owned(),
            reason: reason.to_owned(),
        })
    }

    /// What is said where signalling of both goes over the network.
    fn of(events: &[(&str, Event)]) -> Option<String> {
        let mut sample = Sample::good();
        for peer in ["alice", "bob"] {
            let expected = ExpectedSignalling {
                opens: true,
                because: "it does".to_owned(),
            };
            let expect = &mut sample.declared.expect;
            expect.signalling.insert(peer.to_owned(), expected);
        }
        for (at_ms, (peer, event)) in (100..).zip(events) {
            sample.add(f64::from(at_ms), peer, event.clone());
        }
        said_of(&sample)
    }

    fn said_of(sample: &Sample) -> Option<String> {
        let out = tempfile::tempdir().unwrap();
        line(&stored(&out, &about(), sample))
    }

    #[test]
    fn it_is_open_where_it_opened_in_the_end() {
        let events = [
            ("alice", failed("no connection within 8 s")),
            ("bob", open(3.4)),
            ("alice", open(18.0)),
        ];
        let words = "wss://signalling.test:443/ open at alice after 18 ms, open at bob after 3 ms";
        assert_eq!(of(&events).as_deref(), Some(words));
    }

    #[test]
    fn it_did_not_open_for_the_last_reason_if_there_is_one() {
        let events = [
            ("alice", failed("refused")),
            ("alice", failed("no connection within 8 s")),
        ];
        let words = "wss://signalling.test:443/ not open at alice (no connection within 8 s), not open at bob";
        assert_eq!(of(&events).as_deref(), Some(words));
        let words = "over the network not open at alice, not open at bob";
        assert_eq!(of(&[]).as_deref(), Some(words));
    }

    #[test]
    fn nothing_is_said_where_it_is_the_harnesss() {
        assert_eq!(said_of(&Sample::good()), None);
    }
}
