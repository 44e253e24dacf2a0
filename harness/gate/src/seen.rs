//! What the gate looks at of a run.

use crate::{Measured, PathEnd};
use farcall_report::{Explanation, StoredRun};
use farcall_timeline::SelectedPair;
use farcall_verdict::{Check, CheckVerdict, Figures, Verdict};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What came of a run, as far as the gate looks at it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Its directory.
    pub directory: PathBuf,
    /// What it came to.
    pub verdict: Verdict,
    /// The selected pair of each peer that has one.
    pub pairs: BTreeMap<String, SelectedPair>,
    /// How long it took.
    pub figures: Figures,
    /// How many checks failed.
    pub failed_checks: usize,
    /// Why it did not pass.
    pub explanation: Option<Explanation>,
}

impl Seen {
    /// What is looked at of a stored run.
    #[must_use]
    pub fn of(run: &StoredRun) -> Self {
        let peers = run.result.peers.iter();
        let pairs =
            peers.filter_map(|(name, peer)| Some((name.clone(), peer.selected_pair.clone()?)));
        let failed = |check: &&Check| check.verdict == CheckVerdict::Fail;
        Self {
            directory: run.directory.clone(),
            verdict: run.result.verdict,
            pairs: pairs.collect(),
            figures: Figures::of(&run.timeline, &run.declared),
            failed_checks: run.result.checks.iter().filter(failed).count(),
            explanation: Explanation::of(run),
        }
    }

    /// Whether the call connected.
    #[must_use]
    pub fn connects(&self) -> bool {
        self.figures.connected_after_ms.is_some()
    }

    pub(crate) fn measured(&self) -> Measured {
        let ends = self.pairs.iter().map(|(peer, pair)| {
            let end = PathEnd {
                local: pair.local.candidate_type,
                relay_protocol: pair.local.relay_protocol,
                remote: pair.remote.candidate_type,
            };
            (peer.clone(), end)
        });
        Measured {
            connects: self.connects(),
            path: ends.collect(),
            connected_after_ms: self.figures.connected_after_ms,
            recovered_after_ms: self.figures.recovered_after_ms,
            attempts: self.figures.attempts,
        }
    }
}
