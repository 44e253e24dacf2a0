//! The results of several shards as one.

use crate::{Answer, GateResult, Subject};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A result and the directory that it was found in.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// The directory of its `gate.json`, wherever that was moved to.
    pub directory: PathBuf,
    /// What it says.
    pub result: GateResult,
}

/// Results that do not belong together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is none.
    #[error("failed to merge: there is no result")]
    Nothing,
    /// One is no shard, and is not alone.
    #[error(
        "failed to merge {}: it is a whole gate or a merged one, and not a shard; leave it out, or name it alone",
        directory.display()
    )]
    NoShard {
        /// Where it is.
        directory: PathBuf,
    },
    /// A shard is there twice, with two results.
    #[error(
        "failed to merge: shard {number} is doubled, in {} and in {}; keep the one that belongs to the others",
        one.display(),
        other.display()
    )]
    Doubled {
        /// Which.
        number: u32,
        /// Where it is.
        one: PathBuf,
        /// Where it is again.
        other: PathBuf,
    },
    /// Two were asked different things.
    #[error(
        "failed to merge {} with {}: {what}; run all shards of one gate with the same",
        other.display(),
        one.display()
    )]
    Different {
        /// Where one is.
        one: PathBuf,
        /// Where the other is.
        other: PathBuf,
        /// What differs, in words.
        what: String,
    },
    /// All shards are there, and their calls are not those of the baseline.
    #[error(
        "failed to merge: {call} is in {found} of the shards, and not in one; run all shards with the same farcall"
    )]
    NotDivided {
        /// The call.
        call: String,
        /// In how many shards it is.
        found: usize,
    },
}

/// Joins the shards of one gate. Copies of a result count once. Where a shard is missing the answer is never yes. The
/// directories of runs are told relative to where the parts' directories are.
///
/// # Errors
/// When the results do not belong together: a shard is doubled, or they were asked different things.
pub fn merge(parts: Vec<Part>) -> Result<GateResult, MergeError> {
    let mut known = BTreeSet::new();
    let mut parts: Vec<Part> = parts
        .into_iter()
        .filter(|part| known.insert(part.result.id.clone()))
        .collect();
    parts.sort_by_key(|part| part.result.shard.map_or(0, |shard| shard.number));
    let Some(first) = parts.first().cloned() else {
        return Err(MergeError::Nothing);
    };
    if parts.len() > 1 || first.result.shard.is_some() {
        check(&first, &parts)?;
    }
    let GateResult {
        shard,
        missing_shards,
        ..
    } = first.result.clone();
    let mut merged = GateResult {
        shard: None,
        missing_shards: match shard {
            None => missing_shards,
            Some(shard) => missing(shard.of, &parts),
        },
        entries: Vec::new(),
        ..first.result
    };
    for part in parts {
        let result = part.result;
        merged.started_at = merged.started_at.min(result.started_at);
        merged.today = merged.today.max(result.today);
        merged.seed = merged.seed.filter(|seed| result.seed == Some(*seed));
        merged.retries = merged.retries.max(result.retries);
        for mut entry in result.entries {
            for run in &mut entry.runs {
                run.directory = joined(&part.directory, &run.directory);
            }
            merged.entries.push(entry);
        }
    }
    let place = |call: &Subject| merged.calls.iter().position(|known| known == call);
    merged
        .entries
        .sort_by_cached_key(|entry| place(&entry.call));
    if merged.missing_shards.is_empty() {
        divided(&merged)?;
    }
    merged.answer = merged.answered();
    Ok(merged)
}

fn check(first: &Part, parts: &[Part]) -> Result<(), MergeError> {
    for (index, part) in parts.iter().enumerate() {
        let Some(shard) = part.result.shard else {
            return Err(MergeError::NoShard {
                directory: part.directory.clone(),
            });
        };
        let before = parts[..index].last();
        if let Some(before) = before.filter(|before| before.result.shard == Some(shard)) {
            return Err(MergeError::Doubled {
                number: shard.number,
                one: before.directory.clone(),
                other: part.directory.clone(),
            });
        }
        if let Some(what) = difference(&first.result, &part.result) {
            return Err(MergeError::Different {
                one: first.directory.clone(),
                other: part.directory.clone(),
                what,
            });
        }
    }
    Ok(())
}

/// In what two shards were asked different things, in words.
fn difference(one: &GateResult, other: &GateResult) -> Option<String> {
    let of = |result: &GateResult| result.shard.map(|shard| shard.of);
    if of(one) != of(other) {
        let parts = [one, other].map(|result| of(result).unwrap_or(1));
        return Some(format!(
            "one is a shard of {}, the other of {}",
            parts[0], parts[1]
        ));
    }
    if one.baseline.sha256 != other.baseline.sha256 {
        return Some("they were run against different baselines".to_owned());
    }
    if one.ice_configurations != other.ice_configurations {
        return Some("they were run with different ICE configurations".to_owned());
    }
    if one.farcall != other.farcall {
        return Some(format!(
            "they were run by farcall {} and {}",
            one.farcall, other.farcall
        ));
    }
    (one.calls != other.calls).then(|| "they know of different calls".to_owned())
}

fn missing(of: u32, parts: &[Part]) -> Vec<u32> {
    let there: BTreeSet<u32> = parts
        .iter()
        .filter_map(|part| Some(part.result.shard?.number))
        .collect();
    (1..=of).filter(|number| !there.contains(number)).collect()
}

/// Each call of the baseline is in exactly one shard.
fn divided(merged: &GateResult) -> Result<(), MergeError> {
    for call in &merged.calls {
        let found = merged.entries.iter().filter(|entry| entry.call == *call);
        let found = found.count();
        if found != 1 {
            return Err(MergeError::NotDivided {
                call: call.to_string(),
                found,
            });
        }
    }
    Ok(())
}

fn joined(directory: &Path, run: &str) -> String {
    directory.join(run).display().to_string()
}

impl GateResult {
    /// The answer that follows from the entries: what decides and falls short is a no, and where nothing does, but
    /// something is not known, nothing is. A whole gate in which nothing decides has no answer.
    #[must_use]
    pub fn answered(&self) -> Answer {
        let deciding = self.entries.iter().filter(|entry| entry.decides);
        let answers: Vec<Answer> = deciding.map(|entry| entry.answer).collect();
        let is_open = !self.missing_shards.is_empty()
            || answers.contains(&Answer::Undecided)
            || (answers.is_empty() && self.shard.is_none());
        match (answers.contains(&Answer::No), is_open) {
            (true, _) => Answer::No,
            (false, true) => Answer::Undecided,
            (false, false) => Answer::Yes,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::testing::{entry, result};
    use crate::{Entry, Shard};
    use rstest::rstest;

    /// The shard `number` of two, with one of the two calls.
    fn shard(number: u32) -> Part {
        let mut result = result();
        let entries: Vec<Entry> = ["home-to-home", "corporate-firewall"].map(entry).into();
        result.calls = entries.iter().map(|entry| entry.call.clone()).collect();
        result.entries = vec![entries[usize::try_from(number).unwrap() - 1].clone()];
        result.shard = Some(Shard { number, of: 2 });
        result.id = format!("gate-{number}");
        result.seed = Some(u64::from(number));
        Part {
            directory: PathBuf::from(format!("artifacts/{number}")),
            result,
        }
    }

    #[test]
    fn shards_are_one_gate_whatever_their_order_and_place() {
        let merged = merge(vec![shard(2), shard(1)]).unwrap();
        assert_eq!(merged.answer, Answer::Yes);
        assert_eq!((merged.shard, merged.seed), (None, None));
        let runs: Vec<&str> = merged
            .entries
            .iter()
            .map(|entry| entry.runs[0].directory.as_str())
            .collect();
        assert_eq!(runs, ["artifacts/1/run", "artifacts/2/run"]);
    }

    #[test]
    fn a_no_of_any_shard_is_a_no() {
        let mut other = shard(2);
        other.result.entries[0].answer = Answer::No;
        assert_eq!(merge(vec![shard(1), other]).unwrap().answer, Answer::No);
    }

    #[test]
    fn what_a_shard_says_of_itself_does_not_count() {
        let mut other = shard(2);
        other.result.entries[0].answer = Answer::Undecided;
        other.result.answer = Answer::Yes;
        let merged = merge(vec![shard(1), other]).unwrap();
        assert_eq!(merged.answer, Answer::Undecided);
    }

    #[test]
    fn without_a_shard_the_answer_is_never_yes() {
        let merged = merge(vec![shard(2)]).unwrap();
        assert_eq!(merged.missing_shards, [1]);
        assert_eq!(merged.answer, Answer::Undecided);
        let mut failed = shard(2);
        failed.result.entries[0].answer = Answer::No;
        assert_eq!(merge(vec![failed]).unwrap().answer, Answer::No);
    }

    #[test]
    fn a_copy_of_a_shard_counts_once_and_another_result_of_it_is_refused() {
        let mut copy = shard(1);
        copy.directory = "artifacts/latest".into();
        let merged = merge(vec![shard(1), copy.clone(), shard(2)]).unwrap();
        assert_eq!(merged.entries.len(), 2);
        copy.result.id = "another".to_owned();
        let error = merge(vec![shard(1), copy, shard(2)]).unwrap_err();
        assert!(
            matches!(error, MergeError::Doubled { number: 1, .. }),
            "{error}"
        );
    }

    fn other_baseline(result: &mut GateResult) {
        result.baseline.sha256 = "ff".to_owned();
    }

    fn other_ice(result: &mut GateResult) {
        result.ice_configurations[0].sha256 = "ff".to_owned();
    }

    #[rstest]
    #[case::baseline(other_baseline, "different baselines")]
    #[case::ice(other_ice, "different ICE configurations")]
    #[case::number(|result: &mut GateResult| result.shard = Some(Shard { number: 2, of: 3 }), "of 2, the other of 3")]
    #[case::farcall(|result: &mut GateResult| result.farcall = "9.9.9".to_owned(), "by farcall 0.1.0 and 9.9.9")]
    fn what_was_asked_other_things_is_refused(
        #[case] change: fn(&mut GateResult),
        #[case] said: &str,
    ) {
        let mut other = shard(2);
        change(&mut other.result);
        let error = merge(vec![shard(1), other]).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }

    #[test]
    fn a_file_of_another_name_with_the_same_baseline_in_it_is_the_same() {
        let mut other = shard(2);
        other.result.baseline.name = "checkout/baseline.toml".to_owned();
        assert_eq!(merge(vec![shard(1), other]).unwrap().answer, Answer::Yes);
    }

    #[test]
    fn a_call_that_no_shard_has_or_two_have_is_refused() {
        let mut other = shard(2);
        other.result.entries.clear();
        let error = merge(vec![shard(1), other.clone()]).unwrap_err();
        assert!(
            matches!(error, MergeError::NotDivided { found: 0, .. }),
            "{error}"
        );
        other.result.entries = ["home-to-home", "corporate-firewall"].map(entry).into();
        let error = merge(vec![shard(1), other]).unwrap_err();
        assert!(
            matches!(error, MergeError::NotDivided { found: 2, .. }),
            "{error}"
        );
    }

    #[test]
    fn a_whole_gate_is_its_own_merge_and_goes_with_no_shard() {
        let mut whole = shard(1);
        whole.result = result();
        assert_eq!(merge(vec![whole.clone()]).unwrap().answer, Answer::Yes);
        whole.result.id = "whole".to_owned();
        let error = merge(vec![whole, shard(2)]).unwrap_err();
        assert!(matches!(error, MergeError::NoShard { .. }), "{error}");
        assert_eq!(merge(Vec::new()), Err(MergeError::Nothing));
    }

    #[rstest]
    #[case(&[], Answer::Undecided)]
    #[case(&[(Answer::Yes, true)], Answer::Yes)]
    #[case(&[(Answer::Yes, true), (Answer::Undecided, true)], Answer::Undecided)]
    #[case(&[(Answer::Undecided, true), (Answer::No, true)], Answer::No)]
    #[case(&[(Answer::Yes, true), (Answer::No, false)], Answer::Yes)]
    #[case(&[(Answer::Yes, true), (Answer::Undecided, false)], Answer::Yes)]
    #[case(&[(Answer::Yes, false)], Answer::Undecided)]
    fn the_gravest_of_what_decides_is_the_answer(
        #[case] entries: &[(Answer, bool)],
        #[case] answer: Answer,
    ) {
        let mut gate = result();
        let one = |(answer, decides): &(Answer, bool)| Entry {
            answer: *answer,
            decides: *decides,
            ..entry("home-to-home")
        };
        gate.entries = entries.iter().map(one).collect();
        assert_eq!(gate.answered(), answer);
    }

    #[test]
    fn a_shard_to_which_nothing_falls_is_no_hindrance() {
        let mut gate = result();
        gate.entries.clear();
        gate.shard = Some(Shard { number: 3, of: 3 });
        assert_eq!(gate.answered(), Answer::Yes);
    }
}
