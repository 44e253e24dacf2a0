//! The connection forms in time and lasts.

use super::ice_server::describe;
use super::signalling::never_placed;
use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_scenario::MediaQuality;

/// Both peers reach the connection state `connected` (ICE and DTLS, W3C `RTCPeerConnectionState`)
/// within the deadline, counted from the offer: the first `have-local-offer` of either peer.
pub(crate) fn connection(case: &Case<'_>) -> Vec<Check> {
    let expect = &case.declared.expect;
    let expected = if expect.connects {
        format!(
            "both peers connected within {} ms of the offer",
            expect.within_ms
        )
    } else {
        "no connection, since no configuration can succeed in this network".to_owned()
    };
    let Some(offer_ms) = offered_at(case) else {
        let observed = "no peer made an offer: the call was never placed";
        return vec![Check::new(
            "connection",
            CheckVerdict::Invalid,
            expected,
            observed,
        )];
    };
    let formed_after_ms = all_connected_at(case).map(|at_ms| at_ms - offer_ms);
    let observed = formed_after_ms.map_or_else(
        || match never_placed(case) {
            Some(reason) => format!("the call did not connect: {reason}"),
            None => "the call did not connect".to_owned(),
        },
        |after_ms| format!("both peers connected after {after_ms:.0} ms"),
    );
    let in_time = formed_after_ms.is_some_and(|after_ms| after_ms <= f64::from(expect.within_ms));
    let is_as_expected = if expect.connects {
        in_time
    } else {
        formed_after_ms.is_none()
    };
    if is_as_expected {
        return vec![Check::new(
            "connection",
            CheckVerdict::Pass,
            expected,
            observed,
        )];
    }
    let check = Check::new("connection", CheckVerdict::Fail, expected, observed);
    vec![check.with_evidence(evidence(case, offer_ms))]
}

/// The connection that formed is still there when the harness ends the call.
pub(crate) fn connection_lasts(case: &Case<'_>) -> Vec<Check> {
    let name = "connection/lasts";
    let expected = match case.declared.expect.media {
        MediaQuality::Good => "both peers connected until the harness ends the call",
        // What carries less than is sent loses connectivity checks too. Consent outlasts that for 30 s (RFC 7675).
        MediaQuality::Degraded => {
            "both peers connected, or disconnected for a while, until the harness ends the call"
        }
    };
    let lasts = |state: &str| match case.declared.expect.media {
        MediaQuality::Good => state == "connected",
        MediaQuality::Degraded => matches!(state, "connected" | "disconnected"),
    };
    if let Some(observed) = nothing_to_observe(case) {
        return vec![Check::new(name, CheckVerdict::Skipped, expected, observed)];
    }
    let (verdict, observed) = match case.call_ended() {
        None => (
            CheckVerdict::Invalid,
            "the harness did not end the call".to_owned(),
        ),
        Some((_, Some(reason))) => (CheckVerdict::Fail, format!("given up: {reason}")),
        Some((at_ms, None)) => {
            let broken: Vec<String> = case
                .peers
                .iter()
                .filter_map(|peer| {
                    let state = case.state_at(peer, "connection", at_ms)?;
                    (!lasts(state)).then(|| format!("{peer} is {state}"))
                })
                .collect();
            if broken.is_empty() {
                (CheckVerdict::Pass, "neither has lost it".to_owned())
            } else {
                (CheckVerdict::Fail, broken.join(", "))
            }
        }
    };
    vec![Check::new(name, verdict, expected, observed)]
}

/// Why there is no call of which pair or media could be observed, if so: it did not connect within
/// its deadline, or ought not to.
pub(super) fn nothing_to_observe(case: &Case<'_>) -> Option<&'static str> {
    let expect = &case.declared.expect;
    if !expect.connects {
        return Some("no call is expected");
    }
    let formed_after_ms = offered_at(case)
        .zip(all_connected_at(case))
        .map(|(offer_ms, connected_ms)| connected_ms - offer_ms);
    let in_time = formed_after_ms.is_some_and(|after_ms| after_ms <= f64::from(expect.within_ms));
    (!in_time).then_some("the call did not connect in time")
}

/// When the first peer made its offer.
pub(crate) fn offered_at(case: &Case<'_>) -> Option<f64> {
    case.peers
        .iter()
        .filter_map(|peer| case.first_state(peer, "signaling", "have-local-offer"))
        .min_by(f64::total_cmp)
}

fn connected_at(case: &Case<'_>, peer: &str) -> Option<f64> {
    case.first_state(peer, "connection", "connected")
}

/// When the last peer was connected, if all were.
pub(crate) fn all_connected_at(case: &Case<'_>) -> Option<f64> {
    let times: Option<Vec<f64>> = case
        .peers
        .iter()
        .map(|peer| connected_at(case, peer))
        .collect();
    times?.into_iter().max_by(f64::total_cmp)
}

/// How far each peer came, and what became of each URL: most calls that do not connect have no
/// usable server.
fn evidence(case: &Case<'_>, offer_ms: f64) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some((_, Some(reason))) = case.call_ended() {
        lines.push(format!("given up: {reason}"));
    }
    for peer in &case.peers {
        lines.push(progress(case, peer, offer_ms));
        let planned = case.declared.expect.ice_servers.get(*peer);
        let reports = case.servers(peer);
        lines.extend(planned.into_iter().flatten().map(|expected| {
            let outcome = reports.get(expected.url.as_str()).map_or_else(
                || "no outcome reported".to_owned(),
                |report| describe(report),
            );
            format!("{peer}: {}: {outcome}", expected.url)
        }));
    }
    lines
}

fn progress(case: &Case<'_>, peer: &str, offer_ms: f64) -> String {
    if let Some(at_ms) = connected_at(case, peer) {
        return format!(
            "{peer}: connected {:.0} ms after the offer",
            at_ms - offer_ms
        );
    }
    let state = |machine| case.state_at(peer, machine, f64::INFINITY).unwrap_or("new");
    format!(
        "{peer}: ice-connection {}, connection {}",
        state("ice-connection"),
        state("connection")
    )
}

#[cfg(test)]
mod tests {
    use crate::CheckVerdict::{Fail, Invalid, Pass, Skipped};
    use crate::sample::{Sample, TCP_URL};
    use farcall_scenario::MediaQuality;
    use farcall_timeline::{Event, IceServerOutcome};

    #[test]
    fn a_connection_in_time_passes() {
        let check = Sample::good().check("connection");
        assert_eq!(check.verdict, Pass);
        assert_eq!(check.observed, "both peers connected after 2400 ms");
        assert_eq!(Sample::good().check("connection/lasts").verdict, Pass);
    }

    #[test]
    fn a_late_connection_fails() {
        let mut sample = Sample::good();
        sample.declared.expect.within_ms = 2_000;
        let check = sample.check("connection");
        assert_eq!(check.verdict, Fail);
        assert_eq!(
            check.evidence[0],
            "alice: connected 2390 ms after the offer"
        );
        assert_eq!(sample.check("connection/lasts").verdict, Skipped);
    }

    #[test]
    fn a_call_that_does_not_connect_fails_with_what_became_of_each_url() {
        let mut sample = Sample::not_connected();
        sample.change_server("alice", TCP_URL, |report| {
            report.outcome = IceServerOutcome::Refused;
            report.reason = "TCP reset".into();
        });
        let check = sample.check("connection");
        assert_eq!(check.verdict, Fail);
        assert_eq!(check.observed, "the call did not connect");
        assert!(
            check
                .evidence
                .contains(&format!("alice: {TCP_URL}: refused after 24 ms: TCP reset")),
            "{:?}",
            check.evidence
        );
        assert!(
            check
                .evidence
                .contains(&"bob: ice-connection checking, connection connecting".to_owned()),
            "{:?}",
            check.evidence
        );
    }

    #[test]
    fn one_connected_peer_is_no_connection() {
        let mut sample = Sample::good();
        sample.remove_state("bob", "connection", "connected");
        assert_eq!(sample.check("connection").verdict, Fail);
    }

    #[test]
    fn a_call_that_was_never_placed_is_invalid() {
        let mut sample = Sample::good();
        sample.remove_state("alice", "signaling", "have-local-offer");
        assert_eq!(sample.check("connection").verdict, Invalid);
    }

    #[test]
    fn where_no_call_can_connect_a_connected_one_fails() {
        let mut sample = Sample::good();
        sample.declared.expect.connects = false;
        assert_eq!(sample.check("connection").verdict, Fail);
        assert_eq!(sample.check("connection/lasts").verdict, Skipped);
    }

    #[test]
    fn where_no_call_can_connect_one_that_does_not_passes() {
        let mut sample = Sample::not_connected();
        sample.declared.expect.connects = false;
        assert_eq!(sample.check("connection").verdict, Pass);
    }

    #[test]
    fn a_connection_that_breaks_does_not_last() {
        let mut sample = Sample::good();
        sample.add_state(9_000.0, "bob", "connection", "failed");
        let check = sample.check("connection/lasts");
        assert_eq!(check.verdict, Fail);
        assert_eq!(check.observed, "bob is failed");
    }

    #[test]
    fn a_link_that_carries_too_little_may_hold_the_connection_up_but_not_end_it() {
        for (state, verdict) in [("disconnected", Pass), ("failed", Fail)] {
            let mut sample = Sample::good();
            sample.add_state(9_000.0, "bob", "connection", state);
            assert_eq!(sample.check("connection/lasts").verdict, Fail, "{state}");
            sample.declared.expect.media = MediaQuality::Degraded;
            assert_eq!(sample.check("connection/lasts").verdict, verdict, "{state}");
        }
    }

    #[test]
    fn what_happens_after_the_end_of_the_call_does_not_count() {
        let mut sample = Sample::good();
        sample.add_state(10_100.0, "bob", "connection", "closed");
        assert_eq!(sample.check("connection/lasts").verdict, Pass);
    }

    #[test]
    fn a_call_that_was_given_up_does_not_last() {
        let mut sample = Sample::good();
        sample.change(|event| {
            if let Event::CallEnded { reason } = event {
                *reason = Some("bob stopped answering".into());
            }
        });
        let check = sample.check("connection/lasts");
        assert_eq!(check.verdict, Fail);
        assert_eq!(check.observed, "given up: bob stopped answering");
    }

    #[test]
    fn a_call_without_an_end_is_invalid() {
        let mut sample = Sample::good();
        sample.remove(|entry| matches!(entry.event, Event::CallEnded { .. }));
        assert_eq!(sample.check("connection/lasts").verdict, Invalid);
    }
}
