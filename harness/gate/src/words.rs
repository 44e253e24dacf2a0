//! What is said of an entry, in the answer and in every report.

use crate::Entry;
use farcall_verdict::Verdict;

impl Entry {
    /// Whether its quarantine holds, until when, and why it is there.
    pub(crate) fn quarantine_in_words(&self) -> Option<String> {
        let quarantine = self.expected.quarantine.as_ref()?;
        let (reason, until) = (&quarantine.reason, quarantine.until);
        Some(match self.decides {
            true => format!("quarantine has expired on {until}, so it decides again: {reason}"),
            false => format!("quarantined until {until}, so it does not decide: {reason}"),
        })
    }

    /// How often it was run again, and what each run came to; `None` where it was not.
    pub(crate) fn reruns_in_words(&self, retries: u32) -> Option<String> {
        let again = self.runs.len().checked_sub(1).filter(|again| *again > 0)?;
        let verdicts = self.runs.iter().map(|run| match (&run.cause, run.verdict) {
            (_, Verdict::Pass) | (None, _) => run.verdict.to_string(),
            (Some(cause), verdict) => format!("{verdict} ({cause})"),
        });
        let verdicts: Vec<String> = verdicts.collect();
        Some(format!(
            "run again {again} of at most {retries} times: {}",
            verdicts.join(", then ")
        ))
    }
}
