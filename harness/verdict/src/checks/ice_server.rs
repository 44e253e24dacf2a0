//! Each URL of the ICE configuration came to the outcome that follows from the plan.

use super::signalling::never_placed;
use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_plan::ExpectedOutcome;
use farcall_scenario::MediaQuality;
use farcall_timeline::{IceServerOutcome, IceServerReport};

/// One check for each peer and URL.
pub(crate) fn ice_servers(case: &Case<'_>) -> Vec<Check> {
    case.peers
        .iter()
        .flat_map(|peer| of_peer(case, peer))
        .collect()
}

fn of_peer(case: &Case<'_>, peer: &str) -> Vec<Check> {
    let mut reports = case.servers(peer);
    let planned = case.declared.expect.ice_servers.get(peer);
    let mut checks: Vec<Check> = planned
        .into_iter()
        .flatten()
        .map(|expected| {
            let report = reports.remove(expected.url.as_str());
            let is_unasked =
                report.is_none_or(|report| report.outcome == IceServerOutcome::NotUsed);
            match is_unasked.then(|| never_placed(case)).flatten() {
                None => compare(peer, expected, report, case.declared.expect.media),
                Some(reason) => {
                    let wanted = format!("{}, because {}", expected.outcome, expected.because);
                    let observed = format!("it was not asked: {reason}");
                    let name = name(peer, &expected.url);
                    Check::new(name, CheckVerdict::Skipped, wanted, observed)
                }
            }
        })
        .collect();
    checks.extend(reports.into_values().map(|report| {
        Check::new(
            name(peer, &report.url),
            CheckVerdict::Invalid,
            "no such URL in the configuration",
            describe(report),
        )
    }));
    checks
}

/// Where a network loses so much that media need not be good, no answer in time proves nothing: over TCP with a round
/// trip of a second a few retransmissions outlast webrtc-rs's client (seen: an answer after eight seconds found nobody
/// who waited for it).
fn compare(
    peer: &str,
    expected: &ExpectedOutcome,
    report: Option<&IceServerReport>,
    media: MediaQuality,
) -> Check {
    let name = name(peer, &expected.url);
    let wanted = format!("{}, because {}", expected.outcome, expected.because);
    let Some(report) = report else {
        let observed = "the peer reported no outcome";
        return Check::new(name, CheckVerdict::Invalid, wanted, observed);
    };
    let verdict = if report.outcome == expected.outcome {
        CheckVerdict::Pass
    } else if media == MediaQuality::Degraded && report.outcome == IceServerOutcome::NoAnswer {
        CheckVerdict::Skipped
    } else {
        CheckVerdict::Fail
    };
    Check::new(name, verdict, wanted, describe(report))
}

fn name(peer: &str, url: &str) -> String {
    format!("ice-server/{peer}/{url}")
}

/// An outcome in words: `no answer after 5000 ms (0 bytes came back)`.
pub(super) fn describe(report: &IceServerReport) -> String {
    let mut text = format!("{} after {:.0} ms", report.outcome, report.after_ms);
    if !report.reason.is_empty() {
        text.push_str(&format!(": {}", report.reason));
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::CheckVerdict::{Fail, Invalid, Pass, Skipped};
    use crate::sample::{Sample, TCP_URL, UDP_URL};
    use farcall_scenario::MediaQuality;
    use farcall_timeline::{Event, IceServerOutcome};

    #[test]
    fn where_most_is_lost_no_answer_proves_nothing_and_a_refusal_does() {
        let name = format!("ice-server/alice/{TCP_URL}");
        for (outcome, verdict) in [
            (IceServerOutcome::NoAnswer, Skipped),
            (IceServerOutcome::Refused, Fail),
        ] {
            let mut sample = Sample::good();
            sample.change_server("alice", TCP_URL, |report| report.outcome = outcome);
            assert_eq!(sample.check(&name).verdict, Fail);
            sample.declared.expect.media = MediaQuality::Degraded;
            assert_eq!(sample.check(&name).verdict, verdict);
        }
    }

    #[test]
    fn outcomes_that_follow_from_the_plan_pass() {
        let sample = Sample::good();
        assert_eq!(
            sample.check(&format!("ice-server/alice/{UDP_URL}")).verdict,
            Pass
        );
        assert_eq!(
            sample.check(&format!("ice-server/bob/{UDP_URL}")).verdict,
            Pass
        );
    }

    #[test]
    fn another_outcome_fails() {
        let mut sample = Sample::good();
        sample.change_server("alice", TCP_URL, |report| {
            report.outcome = IceServerOutcome::Unauthorized;
            report.reason = "401 (Unauthorized)".into();
        });
        let check = sample.check(&format!("ice-server/alice/{TCP_URL}"));
        assert_eq!(check.verdict, Fail);
        assert_eq!(
            check.expected,
            "allocated, because tcp 443 passes office-gateway and turn listens on it"
        );
        assert_eq!(
            check.observed,
            "unauthorized after 24 ms: 401 (Unauthorized)"
        );
    }

    #[test]
    fn a_missing_outcome_is_invalid() {
        let mut sample = Sample::good();
        sample.remove(|entry| {
            entry.node == "alice"
                && matches!(&entry.event, Event::IceServer(report) if report.url == TCP_URL)
        });
        let check = sample.check(&format!("ice-server/alice/{TCP_URL}"));
        assert_eq!(check.verdict, Invalid);
    }

    #[test]
    fn an_unknown_url_is_invalid() {
        let mut sample = Sample::good();
        sample.change_server("alice", UDP_URL, |report| report.url = "turn:else".into());
        assert_eq!(sample.check("ice-server/alice/turn:else").verdict, Invalid);
    }
}
