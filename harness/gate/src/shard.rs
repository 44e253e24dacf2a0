//! A baseline in parts of about the same length, for several workers.

use farcall_scenario::Scenario;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// About what a lab takes beside its calls: raise, attest, collect, remove.
const LAB_MS: u64 = 5_000;

/// One of several parts: `2/4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shard {
    /// Which, from 1.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

/// A text that is no shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write K/N, such as 2/4: the part K of N, from 1/N to N/N, N at most 1000")]
pub struct ShardError;

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let (number, of) = text.split_once('/').ok_or(ShardError)?;
        let number = number.parse().map_err(|_| ShardError)?;
        let of = of.parse().map_err(|_| ShardError)?;
        match (1..=1_000).contains(&of) && (1..=of).contains(&number) {
            true => Ok(Self { number, of }),
            false => Err(ShardError),
        }
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} of {}", self.number, self.of)
    }
}

/// About how long a lab with so many calls takes, in milliseconds: what the scenario says of its own length. A call that
/// must not connect is waited for to its deadline, and one that recovers takes about half of the time that it has.
#[must_use]
pub fn cost_ms(scenario: &Scenario, calls: usize) -> u64 {
    let expect = &scenario.expect;
    let connect_ms = match expect.connects {
        true => scenario.call.gathering_timeout_ms / 2,
        false => expect.within_ms,
    };
    let recovery_ms = expect.recovery.as_ref().map_or(0, |one| one.within_ms / 2);
    let call_ms = [connect_ms, recovery_ms, scenario.call.media_ms].map(u64::from);
    let calls = u64::try_from(calls).unwrap_or(u64::MAX);
    LAB_MS.saturating_add(calls.saturating_mul(call_ms.iter().sum()))
}

/// To which of `of` shards, from 1, each lab falls, given its name and cost. The most expensive come first, each to the
/// shard that has least to do so far. What is dearer than a lab that is added stays where it is.
#[must_use]
pub fn divide(labs: &[(&str, u64)], of: u32) -> Vec<u32> {
    let mut order: Vec<usize> = (0..labs.len()).collect();
    order.sort_by_key(|index| {
        let (name, cost_ms) = labs[*index];
        (std::cmp::Reverse(cost_ms), name)
    });
    let mut loads: Vec<(u64, u32)> = (1..=of.max(1)).map(|number| (0, number)).collect();
    let mut shards = vec![1; labs.len()];
    for index in order {
        if let Some((load_ms, number)) = loads.iter_mut().min() {
            *load_ms = load_ms.saturating_add(labs[index].1);
            shards[index] = *number;
        }
    }
    shards
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use proptest::prelude::*;

    fn named(costs: &[u64]) -> Vec<(String, u64)> {
        let numbered = costs.iter().enumerate();
        numbered
            .map(|(index, cost)| (format!("network-{index}"), *cost))
            .collect()
    }

    fn divided(labs: &[(String, u64)], of: u32) -> Vec<u32> {
        let labs: Vec<(&str, u64)> = labs.iter().map(|(name, cost)| (&**name, *cost)).collect();
        divide(&labs, of)
    }

    #[test]
    fn a_shard_is_written_as_two_numbers() {
        let shard = Shard::from_str("2/4").unwrap();
        assert_eq!((shard.number, shard.of), (2, 4));
        for wrong in [
            "", "2", "0/4", "5/4", "1/0", "a/b", "1/1001", "-1/4", "1/4/2",
        ] {
            assert_eq!(Shard::from_str(wrong), Err(ShardError), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn each_lab_falls_to_exactly_one_shard_and_none_has_much_more_to_do(
            costs in proptest::collection::vec(1_u64..100_000, 0..60),
            of in 1_u32..12,
        ) {
            let labs = named(&costs);
            let shards = divided(&labs, of);
            prop_assert_eq!(shards.len(), labs.len());
            prop_assert!(shards.iter().all(|shard| (1..=of).contains(shard)));
            let load = |number| -> u64 {
                let of_shard = shards.iter().zip(&costs).filter(|(shard, _)| **shard == number);
                of_shard.map(|(_, cost)| cost).sum()
            };
            let loads: Vec<u64> = (1..=of).map(load).collect();
            let most = loads.iter().max().copied().unwrap_or(0);
            let least = loads.iter().min().copied().unwrap_or(0);
            prop_assert!(most - least <= costs.iter().max().copied().unwrap_or(0));
        }

        #[test]
        fn the_order_in_the_file_does_not_matter(
            costs in proptest::collection::vec(1_u64..100, 1..40),
            of in 1_u32..8,
        ) {
            let labs = named(&costs);
            let turned: Vec<_> = labs.iter().rev().cloned().collect();
            let mut shards = divided(&turned, of);
            shards.reverse();
            prop_assert_eq!(shards, divided(&labs, of));
        }

        #[test]
        fn a_lab_that_is_added_moves_none_that_is_dearer(
            costs in proptest::collection::vec(1_u64..100_000, 1..40),
            new in 1_u64..100_000,
            of in 1_u32..8,
        ) {
            let before = named(&costs);
            let mut after = before.clone();
            after.push(("new".to_owned(), new));
            let (before_shards, after_shards) = (divided(&before, of), divided(&after, of));
            for (index, (_, cost)) in before.iter().enumerate() {
                if *cost > new {
                    prop_assert_eq!(before_shards[index], after_shards[index]);
                }
            }
        }
    }

    #[test]
    fn what_waits_longer_costs_more() {
        let cost = |name: &str, calls| cost_ms(&Scenario::builtin(name).unwrap(), calls);
        assert!(cost("captive-portal", 1) > cost("open-internet", 1));
        assert!(cost("recovery-attempt-3", 1) > cost("recovery-attempt-1", 1));
        assert!(cost("open-internet", 2) > cost("open-internet", 1));
        assert!(cost("open-internet", 2) < 2 * cost("open-internet", 1));
    }
}
