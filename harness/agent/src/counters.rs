//! What the rules of a node have counted.

use std::sync::atomic::{AtomicU64, Ordering};

use farcall_timeline::RuleCounter;
use serde::Deserialize;

use crate::tool::{self, ToolError};

/// The table of a node's own rules.
const OWN_TABLE: &str = "farcall";

/// The counters could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CountersError {
    /// nft failed.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// nft wrote something else than expected.
    #[error("failed to read what `nft -j list counters` wrote: {source}")]
    Json {
        /// Where it is other than expected.
        #[from]
        source: serde_json::Error,
    },
}

/// A counter that a gateway keeps in user space, reported beside those of its ruleset.
#[derive(Debug)]
pub(crate) struct Tally {
    rule: String,
    packets: AtomicU64,
    bytes: AtomicU64,
}

impl Tally {
    /// A counter with this name at zero.
    pub(crate) fn new(rule: &str) -> Self {
        Self {
            rule: rule.to_owned(),
            packets: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// Counts one packet, connection or request.
    pub(crate) fn count(&self) {
        self.packets.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts bytes that belong to what was counted.
    pub(crate) fn add_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// What it has counted so far.
    pub(crate) fn read(&self) -> RuleCounter {
        RuleCounter {
            rule: self.rule.clone(),
            packets: self.packets.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

/// Every named counter of the node's ruleset.
pub(crate) async fn counters() -> Result<Vec<RuleCounter>, CountersError> {
    counters_of(OWN_TABLE).await
}

/// Every named counter of a table.
pub(crate) async fn counters_of(table: &str) -> Result<Vec<RuleCounter>, CountersError> {
    let command = ["nft", "-j", "list", "counters", "table", "inet", table];
    Ok(parse(&tool::run(&command, "").await?)?)
}

fn parse(json: &str) -> Result<Vec<RuleCounter>, serde_json::Error> {
    let listing = serde_json::from_str::<Listing>(json)?;
    let counters = listing.nftables.into_iter().filter_map(|item| item.counter);
    Ok(counters
        .map(|counter| RuleCounter {
            rule: counter.name,
            packets: counter.packets,
            bytes: counter.bytes,
        })
        .collect())
}

/// See libnftables-json(5). Of each object only one member is there, named by its type.
#[derive(Deserialize)]
struct Listing {
    nftables: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    counter: Option<Counter>,
}

#[derive(Deserialize)]
struct Counter {
    name: String,
    packets: u64,
    bytes: u64,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn counters_are_read_beside_other_objects() {
        let json = r#"{"nftables": [
            {"metainfo": {"version": "1.0.6", "json_schema_version": 1}},
            {"counter": {"family": "inet", "name": "corporate/drop-other", "table": "farcall",
                         "handle": 1, "packets": 3, "bytes": 180}},
            {"counter": {"family": "inet", "name": "nat/masquerade", "table": "farcall",
                         "handle": 2, "packets": 0, "bytes": 0}}]}"#;
        let counters = parse(json).unwrap();
        assert_eq!(counters.len(), 2);
        assert_eq!(counters[0].rule, "corporate/drop-other");
        assert_eq!((counters[0].packets, counters[0].bytes), (3, 180));
        assert!(parse(r#"{"nftables": [{"counter": {"name": "x"}}]}"#).is_err());
    }
}
