//! Which calls are placed again.

use crate::Seen;
use farcall_verdict::Verdict;

/// Which calls are placed in an attempt, by the runs that each has had: in the first, number 0, all; in each of at most
/// `retries` further ones those whose last run was INVALID, which says nothing of the application, or did not come to its
/// end. Where there is none, what came is what counts.
#[must_use]
pub fn due(runs: &[Vec<Seen>], attempt: u32, retries: u32) -> Vec<usize> {
    if attempt > retries {
        return Vec::new();
    }
    let is_due = |runs: &Vec<Seen>| match runs.last() {
        None => true,
        Some(last) => last.verdict == Verdict::Invalid,
    };
    let each = runs.iter().enumerate();
    each.filter(|(_, runs)| is_due(runs))
        .map(|(index, _)| index)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TODAY, network, seen};
    use crate::{Answer, Entry, judge};
    use rstest::rstest;
    use std::path::Path;

    /// The runs of calls that come to these verdicts one after the other, as often as each is placed.
    fn placed(scripts: &[&[Verdict]], retries: u32) -> Vec<Vec<Seen>> {
        let mut runs: Vec<Vec<Seen>> = vec![Vec::new(); scripts.len()];
        for attempt in 0.. {
            let due = due(&runs, attempt, retries);
            if due.is_empty() {
                break;
            }
            for index in due {
                let verdict = scripts[index][runs[index].len()];
                runs[index].push(seen(verdict));
            }
        }
        runs
    }

    fn verdicts(runs: &[Seen]) -> Vec<Verdict> {
        runs.iter().map(|run| run.verdict).collect()
    }

    fn entry(runs: &[Seen]) -> Entry {
        judge(&network(""), "production", runs, Path::new("/gate"), TODAY)
    }

    #[rstest]
    #[case::never_without_retries(0, 1)]
    #[case::once(1, 2)]
    #[case::as_often_as_is_allowed(3, 4)]
    fn what_stays_invalid_is_run_again_up_to_the_limit(#[case] retries: u32, #[case] runs: usize) {
        let invalid = [Verdict::Invalid; 10];
        let placed = placed(&[&invalid], retries);
        assert_eq!(placed[0].len(), runs);
        assert_eq!(entry(&placed[0]).answer, Answer::Undecided);
    }

    #[rstest]
    #[case(Verdict::Pass)]
    #[case(Verdict::Fail)]
    #[case(Verdict::Unsupported)]
    fn nothing_but_invalid_is_run_again(#[case] verdict: Verdict) {
        // A second run would be INVALID.
        let placed = placed(&[&[verdict, Verdict::Invalid]], 3);
        assert_eq!(verdicts(&placed[0]), [verdict]);
    }

    #[rstest]
    #[case(Verdict::Pass, Answer::Yes)]
    #[case(Verdict::Fail, Answer::No)]
    #[case(Verdict::Unsupported, Answer::Undecided)]
    fn the_last_run_counts_and_how_often_it_was_run_again_is_told(
        #[case] last: Verdict,
        #[case] answer: Answer,
    ) {
        let placed = placed(&[&[Verdict::Invalid, Verdict::Invalid, last]], 5);
        let entry = entry(&placed[0]);
        assert_eq!((entry.answer, entry.runs.len()), (answer, 3));
        let said = entry.reruns_in_words(5).unwrap_or_default();
        assert!(
            said.starts_with("run again 2 of at most 5 times: "),
            "{said}"
        );
        assert!(said.contains(&format!("then {last}")), "{said}");
    }

    #[test]
    fn of_several_calls_in_a_lab_only_the_invalid_ones_are_placed_again() {
        let pass = [Verdict::Pass];
        let again = [Verdict::Invalid, Verdict::Pass];
        let placed = placed(&[&pass, &again, &pass], 2);
        let runs: Vec<usize> = placed.iter().map(Vec::len).collect();
        assert_eq!(runs, [1, 2, 1]);
        assert_eq!(entry(&placed[0]).reruns_in_words(2), None);
    }
}
