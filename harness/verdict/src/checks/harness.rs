//! The harness did its part.

use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_timeline::{Event, Phase};

/// Nothing of the harness or of Docker failed, and no node ended by itself.
pub(crate) fn harness_sound(case: &Case<'_>) -> Vec<Check> {
    let evidence: Vec<String> = case
        .all()
        .filter_map(|(node, at_ms, event)| match event {
            Event::HarnessFault { message } => Some(format!("{node} at {at_ms:.0} ms: {message}")),
            Event::NodeExited { exit_code } => Some(format!(
                "{node} ended by itself at {at_ms:.0} ms{}",
                exit_code.map_or(String::new(), |code| format!(", exit status {code}"))
            )),
            _ => None,
        })
        .collect();
    let (verdict, observed) = if evidence.is_empty() {
        (CheckVerdict::Pass, "no fault".to_owned())
    } else {
        (CheckVerdict::Invalid, count(evidence.len(), "fault"))
    };
    vec![
        Check::new(
            "harness/sound",
            verdict,
            "no fault of the harness or of Docker, no node ends by itself",
            observed,
        )
        .with_evidence(evidence),
    ]
}

/// The lab was raised and attested and the call placed, each to its end. A lab that is not as declared
/// is not called in.
pub(crate) fn harness_complete(case: &Case<'_>) -> Vec<Check> {
    let missing: Vec<String> = [Phase::Raise, Phase::Attest, Phase::Call]
        .into_iter()
        .filter(|phase| !case.has_ended(*phase))
        .map(|phase| {
            let how = if case.has_begun(phase) {
                "end"
            } else {
                "begin"
            };
            format!("{phase} did not {how}")
        })
        .collect();
    let (verdict, observed) = if missing.is_empty() {
        (CheckVerdict::Pass, "all of them did".to_owned())
    } else {
        (CheckVerdict::Invalid, missing.join(", "))
    };
    vec![Check::new(
        "harness/complete",
        verdict,
        "raise, attest and call come to their end",
        observed,
    )]
}

/// The machine can build the network, and a lab can have what the configuration asks for; nothing is said of it where
/// they can.
pub(crate) fn unsupported(case: &Case<'_>) -> Vec<Check> {
    let found: Vec<(&str, String)> = case
        .all()
        .filter_map(|(node, _, event)| match event {
            Event::Unsupported { reason } => Some((
                "this machine can build the scenario's network",
                format!("{node}: {reason}"),
            )),
            Event::ConfigurationUnsupported { reason } => Some((
                "a lab can have what the ICE configuration asks for",
                format!("{node}: {reason}"),
            )),
            _ => None,
        })
        .collect();
    let Some((expected, observed)) = found.first().cloned() else {
        return Vec::new();
    };
    vec![
        Check::new(
            "harness/supported",
            CheckVerdict::Invalid,
            expected,
            observed,
        )
        .with_evidence(found.into_iter().map(|(_, reason)| reason)),
    ]
}

/// Nobody interrupted the run.
pub(crate) fn not_interrupted(case: &Case<'_>) -> Vec<Check> {
    let interrupted = case
        .all()
        .find(|(_, _, event)| matches!(event, Event::Interrupted));
    let (verdict, observed) = match interrupted {
        None => (CheckVerdict::Pass, "not interrupted".to_owned()),
        Some((_, at_ms, _)) => (
            CheckVerdict::Invalid,
            format!("interrupted by a signal after {at_ms:.0} ms"),
        ),
    };
    vec![Check::new(
        "harness/not-interrupted",
        verdict,
        "the run comes to its own end",
        observed,
    )]
}

fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use crate::CheckVerdict::{Invalid, Pass};
    use crate::sample::Sample;
    use farcall_timeline::{Event, Phase};

    #[test]
    fn a_sound_run_passes() {
        let sample = Sample::good();
        assert_eq!(sample.check("harness/sound").verdict, Pass);
        assert_eq!(sample.check("harness/complete").verdict, Pass);
        assert_eq!(sample.check("harness/not-interrupted").verdict, Pass);
    }

    #[test]
    fn a_fault_of_the_harness_is_invalid() {
        let mut sample = Sample::good();
        sample.add(
            5_000.0,
            "harness",
            Event::HarnessFault {
                message: "failed to start bob: no space left; free some".into(),
            },
        );
        let check = sample.check("harness/sound");
        assert_eq!(check.verdict, Invalid);
        assert_eq!(
            check.evidence,
            ["harness at 5000 ms: failed to start bob: no space left; free some"]
        );
    }

    #[test]
    fn a_node_that_ended_by_itself_is_invalid() {
        let mut sample = Sample::good();
        let exited = Event::NodeExited {
            exit_code: Some(139),
        };
        sample.add(5_000.0, "turn", exited);
        let check = sample.check("harness/sound");
        assert_eq!(check.verdict, Invalid);
        assert_eq!(
            check.evidence,
            ["turn ended by itself at 5000 ms, exit status 139"]
        );
    }

    #[test]
    fn a_phase_that_did_not_end_is_invalid() {
        let mut sample = Sample::good();
        sample.remove(|entry| {
            let call = Phase::Call;
            matches!(entry.event, Event::PhaseEnded { phase } if phase == call)
        });
        let check = sample.check("harness/complete");
        assert_eq!(check.verdict, Invalid);
        assert_eq!(check.observed, "call did not end");
        sample.remove(|entry| entry.at_ms > 2_500.0);
        let check = sample.check("harness/complete");
        assert_eq!(check.observed, "attest did not end, call did not begin");
    }

    #[test]
    fn an_interrupted_run_is_invalid() {
        let mut sample = Sample::good();
        sample.add(4_000.0, "harness", Event::Interrupted);
        let check = sample.check("harness/not-interrupted");
        assert_eq!(check.verdict, Invalid);
        assert_eq!(check.observed, "interrupted by a signal after 4000 ms");
    }
}
