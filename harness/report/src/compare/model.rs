//! What a comparison says: the content of `farcall compare --format json`.

use super::noise::Margin;
use farcall_scenario::IceTransportPolicy;
use farcall_verdict::Verdict;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// The version of a comparison's JSON. It grows with every change of its fields.
pub const COMPARISON_SCHEMA_VERSION: u32 = 1;

/// What changed from the runs before to those after.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Comparison {
    /// [`COMPARISON_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// By how much a figure of each kind must differ to have changed.
    pub margins: Vec<Margin>,
    /// So many runs on each side are many.
    pub many_runs: usize,
    /// What there are runs of on both sides, in the order of their first run before.
    pub groups: Vec<Group>,
    /// What there are no runs of after.
    pub only_before: Vec<Subject>,
    /// What there are no runs of before.
    pub only_after: Vec<Subject>,
}

/// What runs have in common that are compared with each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Subject {
    /// The scenario's name.
    pub scenario: String,
    /// The ICE configuration's name.
    pub ice_configuration: String,
    /// The transport policy in force.
    pub policy: IceTransportPolicy,
}

/// The runs of one scenario with one configuration, before and after.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Group {
    /// What they have in common.
    pub subject: Subject,
    /// The runs before.
    pub before: Runs,
    /// The runs after.
    pub after: Runs,
    /// What changed, the most important first. Nothing where a side [is not known](Runs::is_known).
    pub changes: Vec<Change>,
}

/// The runs of one side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Runs {
    /// How many passed.
    pub pass: usize,
    /// How many failed.
    pub fail: usize,
    /// How many are INVALID: nothing is known of their calls, and they are not compared.
    pub invalid: usize,
    /// How many are UNSUPPORTED: as those.
    pub unsupported: usize,
    /// Their directories.
    pub directories: Vec<String>,
}

/// Something that is otherwise after than before.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Change {
    /// Which way.
    pub direction: Direction,
    /// What kind of thing it is.
    pub kind: Kind,
    /// What it is: `alice, turn:turn.example.net:443`.
    pub what: String,
    /// As it was.
    pub before: Side,
    /// As it is.
    pub after: Side,
}

/// Which way something changed. The most important is the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// It got worse.
    Worse,
    /// It got better.
    Better,
    /// It is otherwise, and neither can be said.
    Other,
}

/// The kinds of things that are compared, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// What the runs came to.
    Verdict,
    /// Why the call fell short.
    Cause,
    /// What connected the peers: the pair's types, and the transport to the TURN server.
    Path,
    /// What became of a URL of the ICE configuration.
    IceServer,
    /// Whether the peers recovered, and how many attempts that took.
    Recovery,
    /// What a check came to.
    Check,
    /// How long it took to set up the call.
    SetUpTime,
    /// How long it took to recover.
    RecoveryTime,
    /// Lost packets, in percent of those that were sent.
    Loss,
    /// The shortest round trip over the selected pair.
    RoundTrip,
    /// Interarrival jitter.
    Jitter,
    /// What the run was judged against.
    Expectation,
}

/// How something is on one side.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[schemars(deny_unknown_fields)]
pub enum Side {
    /// Words, each with the number of runs in which it is so.
    Words {
        /// The runs by word.
        runs_by_word: BTreeMap<String, usize>,
    },
    /// A figure.
    Figure {
        /// Of the runs that have it.
        figure: Figure,
    },
}

/// A figure of several runs, in the [unit of its kind](Kind::unit).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Figure {
    /// The median of the runs.
    pub median: f64,
    /// The least of them.
    pub least: f64,
    /// The most of them.
    pub most: f64,
    /// How many runs have it.
    pub runs: usize,
}

impl Comparison {
    /// Whether anything got worse.
    #[must_use]
    pub fn is_worse(&self) -> bool {
        self.changes()
            .any(|(_, change)| change.direction == Direction::Worse)
    }

    /// Whether everything that has a counterpart is known on both sides.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.groups.iter().all(Group::is_known)
    }

    /// All changes with what they are of, in the order of the groups.
    pub fn changes(&self) -> impl Iterator<Item = (&Subject, &Change)> {
        self.groups.iter().flat_map(|group| {
            let changes = group.changes.iter();
            changes.map(|change| (&group.subject, change))
        })
    }
}

impl Group {
    /// Whether anything is known of both sides.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.before.is_known() && self.after.is_known()
    }
}

impl Runs {
    /// Whether there is a run of which anything is known.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.pass + self.fail > 0
    }

    pub(super) fn count(&mut self, verdict: Verdict, directory: String) {
        let count = match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Fail => &mut self.fail,
            Verdict::Invalid => &mut self.invalid,
            Verdict::Unsupported => &mut self.unsupported,
        };
        *count += 1;
        self.directories.push(directory);
    }
}

impl Kind {
    /// Its name in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Verdict => "verdict",
            Self::Cause => "cause",
            Self::Path => "path",
            Self::IceServer => "URL",
            Self::Recovery => "recovery",
            Self::Check => "check",
            Self::SetUpTime => "set-up time",
            Self::RecoveryTime => "recovery time",
            Self::Loss => "loss",
            Self::RoundTrip => "round trip",
            Self::Jitter => "jitter",
            Self::Expectation => "expectation",
        }
    }

    /// The unit of its figures; empty for what has none.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::SetUpTime | Self::RecoveryTime | Self::RoundTrip | Self::Jitter => "ms",
            Self::Loss => "%",
            Self::Verdict
            | Self::Cause
            | Self::Path
            | Self::IceServer
            | Self::Recovery
            | Self::Check
            | Self::Expectation => "",
        }
    }
}

impl Direction {
    /// All of them, the most important first.
    pub const ALL: [Self; 3] = [Self::Worse, Self::Better, Self::Other];
}

impl std::fmt::Display for Direction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Other => "other",
        })
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} with {}",
            self.scenario, self.ice_configuration
        )?;
        match self.policy {
            IceTransportPolicy::All => Ok(()),
            IceTransportPolicy::Relay => formatter.write_str(" (relay only)"),
        }
    }
}

/// `2 PASS, 1 FAIL`.
impl std::fmt::Display for Runs {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts = [
            (self.pass, Verdict::Pass),
            (self.fail, Verdict::Fail),
            (self.invalid, Verdict::Invalid),
            (self.unsupported, Verdict::Unsupported),
        ];
        let words = counts.iter().filter(|(count, _)| *count > 0);
        let words: Vec<String> = words
            .map(|(count, verdict)| format!("{count} {verdict}"))
            .collect();
        formatter.write_str(&words.join(", "))
    }
}

/// The JSON Schema of a comparison, generated from [`Comparison`].
#[must_use]
pub fn comparison_schema() -> serde_json::Value {
    schemars::schema_for!(Comparison).to_value()
}
