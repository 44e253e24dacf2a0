//! A call as reports show it: its run, and what whoever asked for it makes of that.

use crate::StoredRun;
use crate::explanation::Explanation;
use farcall_scenario::Written;
use farcall_verdict::Verdict;

/// The cause of a call that has no result.
pub(crate) const NO_RESULT: &str = "no result";

/// A call as reports show it. A stored run makes one that stands for itself; a gate makes them of its entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The scenario's name.
    pub scenario: String,
    /// The ICE configuration's name.
    pub ice_configuration: String,
    /// Where what is expected of it is written, if it is in a file.
    pub written: Option<Written>,
    /// The run that counts; where there is none, why, in words.
    pub run: Result<StoredRun, String>,
    /// What it weighs in an answer.
    pub weight: Weight,
    /// What else is to be said of it, a sentence each.
    pub remarks: Vec<String>,
    /// The runs before the one that counts, in order.
    pub earlier: Vec<Earlier>,
}

/// What a call weighs in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Weight {
    /// There is no answer but its own.
    Alone,
    /// It decides: whatever is not a pass keeps the answer from being yes.
    Decides,
    /// It does not decide; why, and until when, in words.
    Quarantined(String),
}

/// A run that does not count, since the call was placed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// What it came to.
    pub verdict: Verdict,
    /// The cause's name, or that of the check.
    pub cause: Option<String>,
    /// Why it did not pass, in plain words.
    pub sentence: Option<String>,
}

/// What a call counts as, gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    Failed,
    NoResult,
    Invalid,
    Unsupported,
    Quarantined,
    Passed,
}

impl Standing {
    pub(crate) const ALL: [Self; 6] = [
        Self::Failed,
        Self::NoResult,
        Self::Invalid,
        Self::Unsupported,
        Self::Quarantined,
        Self::Passed,
    ];

    /// The class by which it is coloured and filtered.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Failed => "fail",
            Self::NoResult => "no-result",
            Self::Invalid => "invalid",
            Self::Unsupported => "unsupported",
            Self::Quarantined => "quarantined",
            Self::Passed => "pass",
        }
    }
}

impl std::fmt::Display for Standing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Failed => "FAIL",
            Self::NoResult => "NO RESULT",
            Self::Invalid => "INVALID",
            Self::Unsupported => "UNSUPPORTED",
            Self::Quarantined => "QUARANTINED",
            Self::Passed => "PASS",
        })
    }
}

impl From<StoredRun> for Call {
    fn from(run: StoredRun) -> Self {
        Self {
            scenario: run.result.scenario.clone(),
            ice_configuration: run.result.ice_configuration.clone(),
            written: run.about.written.clone(),
            run: Ok(run),
            weight: Weight::Alone,
            remarks: Vec::new(),
            earlier: Vec::new(),
        }
    }
}

impl Call {
    pub(crate) fn standing(&self) -> Standing {
        match (&self.weight, &self.run) {
            (Weight::Quarantined(_), _) => Standing::Quarantined,
            (_, Ok(run)) => of_verdict(run.result.verdict),
            (_, Err(_)) => Standing::NoResult,
        }
    }

    /// Whether its run passed, whatever it weighs.
    pub(crate) fn has_passed(&self) -> bool {
        let run = self.run.as_ref();
        run.is_ok_and(|run| run.result.verdict == Verdict::Pass)
    }

    /// Why it did not pass.
    pub(crate) fn explanation(&self) -> Option<Explanation> {
        match &self.run {
            Ok(run) => Explanation::of(run),
            Err(why) => Some(Explanation {
                cause: NO_RESULT.to_owned(),
                sentence: why.clone(),
                evidence: Vec::new(),
                next_step: None,
            }),
        }
    }

    /// Why it does not decide, and all else that is to be said of it.
    pub(crate) fn notes(&self) -> Vec<&str> {
        let quarantine = match &self.weight {
            Weight::Quarantined(why) => Some(why),
            Weight::Alone | Weight::Decides => None,
        };
        let notes = quarantine.into_iter().chain(&self.remarks);
        notes.map(String::as_str).collect()
    }

    /// `corporate-firewall with production`.
    pub(crate) fn subject(&self) -> String {
        format!("{} with {}", self.scenario, self.ice_configuration)
    }

    /// `FAIL`, `NO RESULT`, `FAIL, quarantined`.
    pub(crate) fn word(&self) -> String {
        let came = match &self.run {
            Ok(run) => of_verdict(run.result.verdict),
            Err(_) => Standing::NoResult,
        };
        match self.weight {
            Weight::Quarantined(_) => format!("{came}, quarantined"),
            Weight::Alone | Weight::Decides => came.to_string(),
        }
    }

    /// `FAIL corporate-firewall with production`.
    pub(crate) fn named(&self) -> String {
        format!("{} {}", self.word(), self.subject())
    }
}

fn of_verdict(verdict: Verdict) -> Standing {
    match verdict {
        Verdict::Fail => Standing::Failed,
        Verdict::Invalid => Standing::Invalid,
        Verdict::Unsupported => Standing::Unsupported,
        Verdict::Pass => Standing::Passed,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::stored::tests::{about, stored};
    use farcall_verdict::sample::Sample;

    pub(crate) const WHY: &str = "quarantined until 2026-06-30: TLS comes in July";
    pub(crate) const AGAIN: &str = "run again 1 of at most 2 times";
    pub(crate) const MISSING: &str = "shard 2 is missing";

    /// The only call in a network, which decides.
    pub(crate) fn call(out: &tempfile::TempDir, scenario: &str, sample: &Sample) -> Call {
        let mut about = about();
        scenario.clone_into(&mut about.scenario);
        about.written = Some(Written {
            file: format!("scenarios/{scenario}.toml"),
            line: 29,
        });
        Call {
            weight: Weight::Decides,
            ..Call::from(stored(out, &about, sample))
        }
    }

    pub(crate) fn quarantined(call: Call) -> Call {
        Call {
            weight: Weight::Quarantined(WHY.to_owned()),
            ..call
        }
    }

    /// One that was INVALID before.
    pub(crate) fn again(call: Call) -> Call {
        Call {
            remarks: vec![AGAIN.to_owned()],
            earlier: vec![Earlier {
                verdict: Verdict::Invalid,
                cause: Some("lab-invalid".to_owned()),
                sentence: Some("The lab was not as declared.".to_owned()),
            }],
            ..call
        }
    }

    pub(crate) fn missing(scenario: &str) -> Call {
        Call {
            scenario: scenario.to_owned(),
            ice_configuration: "production".to_owned(),
            written: None,
            run: Err(MISSING.to_owned()),
            weight: Weight::Decides,
            remarks: Vec::new(),
            earlier: Vec::new(),
        }
    }

    #[test]
    fn what_does_not_decide_is_neither_a_pass_nor_a_failure() {
        let out = tempfile::tempdir().unwrap();
        for sample in [Sample::good(), Sample::not_connected()] {
            let call = quarantined(call(&out, "vpn", &sample));
            assert_eq!(call.standing(), Standing::Quarantined);
            assert_eq!(call.notes(), [WHY]);
        }
    }

    #[test]
    fn without_a_run_there_is_no_result() {
        let call = missing("vpn");
        assert_eq!(call.named(), "NO RESULT vpn with production");
        assert!(!call.has_passed());
        assert_eq!(call.explanation().unwrap().sentence, MISSING);
    }
}
