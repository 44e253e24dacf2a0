//! When something that is told in words has changed.

use super::facts::Word;
use super::model::Direction;
use std::collections::BTreeMap;

/// How something is in the runs of a side: each word with the number of runs.
pub(super) type Words = BTreeMap<Word, usize>;

/// Two sides with the same words have changed where the share of the best differs by at least so many percent of the
/// runs.
const MANY_PERCENT: usize = 50;

/// Which way it has changed, if it has. A side is as bad as its worst run and as good as its best: it got worse where
/// one of the two got worse and neither better.
pub(super) fn change(before: &Words, after: &Words) -> Option<Direction> {
    if before.keys().eq(after.keys()) {
        return change_of_shares(before, after);
    }
    let direction = range(before).zip(range(after)).map_or(
        Direction::Other,
        |((best, worst), (new_best, new_worst))| {
            let is_worse = new_best > best || new_worst > worst;
            let is_better = new_best < best || new_worst < worst;
            match (is_worse, is_better) {
                (true, false) => Direction::Worse,
                (false, true) => Direction::Better,
                _ => Direction::Other,
            }
        },
    );
    Some(direction)
}

/// The ranks of the best and the worst; `None` where one of the words is neither good nor bad.
fn range(words: &Words) -> Option<(u32, u32)> {
    let ranks: Option<Vec<u32>> = words.keys().map(|word| word.rank).collect();
    let ranks = ranks?;
    Some((*ranks.iter().min()?, *ranks.iter().max()?))
}

/// By the share of the runs that are as good as the best.
fn change_of_shares(before: &Words, after: &Words) -> Option<Direction> {
    let (best, _) = range(before)?;
    let best_of_all = |words: &Words| {
        let good = words.iter().filter(|(word, _)| word.rank == Some(best));
        let good: usize = good.map(|(_, runs)| runs).sum();
        (good, words.values().sum::<usize>())
    };
    let ((was_good, was), (is_good, is)) = (best_of_all(before), best_of_all(after));
    // Over the common denominator.
    let (was_good, is_good, all) = (was_good * is, is_good * was, was * is);
    if was_good.abs_diff(is_good) * 100 < MANY_PERCENT * all {
        return None;
    }
    Some(match is_good > was_good {
        true => Direction::Better,
        false => Direction::Worse,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{Better, Other, Worse};
    use rstest::rstest;

    fn words(of: &[(&str, Option<u32>, usize)]) -> Words {
        let word = |text: &str, rank| Word {
            text: text.to_owned(),
            rank,
        };
        of.iter()
            .map(|(text, rank, runs)| (word(text, *rank), *runs))
            .collect()
    }

    const PASS: (&str, Option<u32>) = ("PASS", Some(0));
    const FAIL: (&str, Option<u32>) = ("FAIL", Some(1));

    fn sides(pass: usize, fail: usize) -> Words {
        let mut of = Vec::new();
        for ((text, rank), runs) in [(PASS, pass), (FAIL, fail)] {
            if runs > 0 {
                of.push((text, rank, runs));
            }
        }
        words(&of)
    }

    #[rstest]
    #[case::the_same((1, 0), (1, 0), None)]
    #[case::as_often_in_more_runs((1, 0), (9, 0), None)]
    #[case::fails_now((1, 0), (0, 1), Some(Worse))]
    #[case::fails_now_and_then((9, 0), (8, 1), Some(Worse))]
    #[case::fails_always((8, 1), (0, 9), Some(Worse))]
    #[case::fails_much_more_often((9, 1), (3, 7), Some(Worse))]
    #[case::fails_a_little_more_often((9, 1), (7, 3), None)]
    fn a_verdict_changes(
        #[case] before: (usize, usize),
        #[case] after: (usize, usize),
        #[case] expected: Option<Direction>,
    ) {
        let (before, after) = (sides(before.0, before.1), sides(after.0, after.1));
        assert_eq!(change(&before, &after), expected);
        let opposite = expected.map(|direction| match direction {
            Worse => Better,
            Better => Worse,
            Other => Other,
        });
        assert_eq!(change(&after, &before), opposite);
    }

    #[test]
    fn what_is_neither_good_nor_bad_is_otherwise() {
        let one = words(&[("SKIPPED", None, 1)]);
        assert_eq!(change(&one, &sides(1, 0)), Some(Other));
        assert_eq!(change(&sides(0, 1), &one), Some(Other));
    }

    #[test]
    fn the_best_that_got_worse_and_the_worst_that_got_better_are_otherwise() {
        let wide = words(&[("host", Some(0), 1), ("relay/tls", Some(4), 1)]);
        let narrow = words(&[("relay/udp", Some(2), 2)]);
        assert_eq!(change(&wide, &narrow), Some(Other));
    }

    #[test]
    fn words_of_one_rank_are_otherwise() {
        let (one, other) = (
            words(&[("reset", Some(1), 1)]),
            words(&[("refused", Some(1), 1)]),
        );
        assert_eq!(change(&one, &other), Some(Other));
    }
}
