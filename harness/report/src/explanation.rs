//! Why a run did not pass, as every format puts it first.

use crate::StoredRun;
use farcall_diagnosis::Diagnosis;
use farcall_timeline::Event;
use farcall_verdict::{Check, CheckVerdict, Verdict};

/// Why a run did not pass, in plain words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// In a word or two: the name of the cause, or of the check that failed.
    pub cause: String,
    /// What is wrong, as a sentence.
    pub sentence: String,
    /// What was seen.
    pub evidence: Vec<String>,
    /// What to do, where that is known.
    pub next_step: Option<String>,
}

impl Explanation {
    /// Of a run that did not pass; `None` of one that did. It is the diagnosis, and where there is none the first check
    /// that failed, or that is invalid.
    #[must_use]
    pub fn of(run: &StoredRun) -> Option<Self> {
        let diagnosis = run.result.diagnosis.as_ref();
        let diagnosis = diagnosis.filter(|_| run.result.verdict != Verdict::Pass);
        diagnosis
            .map(from_diagnosis)
            .or_else(|| Self::of_checks(run))
    }

    fn of_checks(run: &StoredRun) -> Option<Self> {
        let of_check = |wrong: CheckVerdict| {
            let mut checks = run.result.checks.iter();
            checks.find(|check| check.verdict == wrong).map(from_check)
        };
        match run.result.verdict {
            Verdict::Pass => None,
            Verdict::Fail => of_check(CheckVerdict::Fail),
            Verdict::Invalid => of_check(CheckVerdict::Invalid),
            Verdict::Unsupported => unsupported(run),
        }
    }
}

fn from_diagnosis(diagnosis: &Diagnosis) -> Explanation {
    Explanation {
        cause: diagnosis.cause.to_string(),
        sentence: diagnosis.summary.clone(),
        evidence: diagnosis.evidence.iter().map(ToString::to_string).collect(),
        next_step: Some(diagnosis.next_step.clone()),
    }
}

fn from_check(check: &Check) -> Explanation {
    Explanation {
        cause: check.name.clone(),
        sentence: format!("{}; expected: {}", check.observed, check.expected),
        evidence: check.evidence.clone(),
        next_step: None,
    }
}

fn unsupported(run: &StoredRun) -> Option<Explanation> {
    let mut entries = run.timeline.entries().iter();
    entries.find_map(|entry| match &entry.event {
        Event::Unsupported { reason } | Event::ConfigurationUnsupported { reason } => {
            Some(Explanation {
                cause: "unsupported".to_owned(),
                sentence: reason.clone(),
                evidence: Vec::new(),
                next_step: None,
            })
        }
        _ => None,
    })
}

/// The checks that failed, or that are invalid, in their order.
pub(crate) fn wrong(run: &StoredRun) -> impl Iterator<Item = &Check> {
    let is_wrong =
        |check: &&Check| matches!(check.verdict, CheckVerdict::Fail | CheckVerdict::Invalid);
    run.result.checks.iter().filter(is_wrong)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::stored::tests::{about, stored};
    use farcall_verdict::sample::Sample;

    fn explain(sample: &Sample) -> Option<Explanation> {
        let out = tempfile::tempdir().unwrap();
        Explanation::of(&stored(&out, &about(), sample))
    }

    #[test]
    fn what_passed_needs_none() {
        assert_eq!(explain(&Sample::good()), None);
    }

    #[test]
    fn a_failure_is_explained_by_its_diagnosis() {
        let out = tempfile::tempdir().unwrap();
        let mut run = stored(&out, &about(), &Sample::not_connected());
        let explained = Explanation::of(&run).unwrap();
        let diagnosis = run.result.diagnosis.take().unwrap();
        assert_eq!(explained.cause, diagnosis.cause.to_string());
        assert_eq!(explained.sentence, diagnosis.summary);
        assert_eq!(explained.next_step, Some(diagnosis.next_step));
        // Without one it is by what failed first.
        let explained = Explanation::of(&run).unwrap();
        assert!(
            explained.sentence.starts_with("the call did not connect"),
            "{explained:?}"
        );
    }

    #[test]
    fn what_no_lab_can_have_is_explained_with_and_without_a_diagnosis() {
        let mut sample = Sample::good();
        sample.remove(|_| true);
        let reason = "turn:[2001:db8::7]: write a host name".to_owned();
        sample.add(0.0, "harness", Event::ConfigurationUnsupported { reason });
        let out = tempfile::tempdir().unwrap();
        let mut run = stored(&out, &about(), &sample);
        let explained = Explanation::of(&run).unwrap();
        assert_eq!(explained.cause, "configuration-unsupported");
        run.result.diagnosis = None;
        for explained in [explained, Explanation::of(&run).unwrap()] {
            assert!(
                explained.sentence.contains("turn:[2001:db8::7]"),
                "{explained:?}"
            );
        }
    }

    #[test]
    fn what_a_machine_cannot_is_in_the_machines_words() {
        let mut sample = Sample::good();
        let reason = "no /dev/net/tun".to_owned();
        sample.add(1.0, "harness", Event::Unsupported { reason });
        let explained = explain(&sample).unwrap();
        assert!(
            explained.sentence.contains("no /dev/net/tun"),
            "{explained:?}"
        );
    }
}
