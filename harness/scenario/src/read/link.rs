//! The keys of a link's override.

use super::{Node, Read};
use crate::model::{LinkDirectionOverride, LinkOverride};
use crate::preset::{JitterDistribution, LinkPreset, Loss};
use std::path::PathBuf;

const LOSS_KINDS: [&str; 3] = ["none", "random", "bursts"];

impl Read for LinkPreset {
    fn read(node: Node<'_>) -> Self {
        node.word("link preset").unwrap_or_default()
    }
}

impl Read for LinkOverride {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            up: table.optional("up").unwrap_or_default(),
            down: table.optional("down").unwrap_or_default(),
        })
    }
}

impl Read for LinkDirectionOverride {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            delay_ms: table.optional_with("delay_ms", |node| node.fraction()),
            jitter_ms: table.optional_with("jitter_ms", |node| node.fraction()),
            jitter_distribution: table.optional("jitter_distribution"),
            loss: table.optional("loss"),
            duplicate_percent: table.optional_with("duplicate_percent", |node| node.fraction()),
            reorder_percent: table.optional_with("reorder_percent", |node| node.fraction()),
            rate_kbit: table.optional_with("rate_kbit", |node| node.number(&(8..=1_000_000))),
            trace: table.optional_with("trace", |node| {
                PathBuf::from(node.text().unwrap_or_default())
            }),
            trace_rate: None,
            queue_ms: table.optional_with("queue_ms", |node| node.number(&(1..=10_000))),
            mtu: table.optional_with("mtu", |node| {
                let mtu = node.number(&(1_280..=1_500));
                u16::try_from(mtu).unwrap_or(u16::MAX)
            }),
            fragmentation_needed: table.optional("fragmentation_needed"),
        })
    }
}

impl Read for JitterDistribution {
    fn read(node: Node<'_>) -> Self {
        node.word("jitter distribution").unwrap_or_default()
    }
}

impl Read for Loss {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| {
            let kind: String = table.required_with("kind", "kind = \"random\"", |node| {
                node.one_of("kind of loss", &LOSS_KINDS);
                node.text().unwrap_or_default().to_owned()
            });
            match kind.as_str() {
                "random" => Self::Random {
                    percent: table
                        .required_with("percent", "percent = 0.5", |node| node.fraction()),
                },
                "bursts" => {
                    let mut percent = |key, example: &str| {
                        table.required_with(key, example, |node| node.fraction())
                    };
                    Self::Bursts {
                        good_to_bad_percent: percent(
                            "good_to_bad_percent",
                            "good_to_bad_percent = 1.0",
                        ),
                        bad_to_good_percent: percent(
                            "bad_to_good_percent",
                            "bad_to_good_percent = 25.0",
                        ),
                        good_loss_percent: percent("good_loss_percent", "good_loss_percent = 0.0"),
                        bad_loss_percent: percent("bad_loss_percent", "bad_loss_percent = 80.0"),
                    }
                }
                _ => Self::None,
            }
        })
    }
}
