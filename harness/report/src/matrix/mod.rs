//! What came of a matrix: which networks connected to which, and by which path.

mod grid;
mod path;

pub use grid::Grid;
pub(crate) use path::formed_after_ms;
pub use path::{ConnectedPath, path_of};

use crate::Environment;
use farcall_timeline::SelectedPair;
use farcall_verdict::{Check, CheckVerdict, Judgement, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// The version of `matrix.json`. It grows when a field changes its meaning or goes away, not when one is
/// added.
pub const MATRIX_SCHEMA_VERSION: u32 = 1;

/// What came of a matrix: the content of `matrix.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatrixResult {
    /// [`MATRIX_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The matrix's name.
    pub matrix: String,
    /// The ICE configuration's name.
    pub ice_configuration: String,
    /// The seed that the lab was given.
    pub seed: u64,
    /// The session that the lab's containers and networks were labelled with.
    pub session: String,
    /// When it began (RFC 3339, UTC).
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub started_at: OffsetDateTime,
    /// The versions of what it depended on.
    pub environment: Environment,
    /// How long each phase took.
    pub times: MatrixTimes,
    /// The networks, in the order of rows and columns.
    pub networks: Vec<String>,
    /// Each call, row by row.
    pub cells: Vec<CellResult>,
    /// Faults of the harness that were not of one call, such as something that could not be removed.
    pub faults: Vec<String>,
}

/// The time of each phase in milliseconds; `None` for one that did not come to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatrixTimes {
    /// Creating and configuring networks and containers.
    pub raise_ms: Option<f64>,
    /// Measuring the lab against the plan.
    pub attest_ms: Option<f64>,
    /// All calls.
    pub calls_ms: Option<f64>,
    /// Fetching logs.
    pub collect_ms: Option<f64>,
    /// Removing everything.
    pub teardown_ms: Option<f64>,
    /// All of it.
    pub total_ms: f64,
}

/// What came of one call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellResult {
    /// The network of the peer that offers.
    pub offerer: String,
    /// The network of the peer that answers.
    pub answerer: String,
    /// What it came to.
    pub verdict: Verdict,
    /// What connected the two; `None` where nothing did.
    pub path: Option<ConnectedPath>,
    /// The pair that the offering peer used last.
    pub offerer_pair: Option<SelectedPair>,
    /// The pair that the answering peer used last.
    pub answerer_pair: Option<SelectedPair>,
    /// From the offer to both peers connected, in milliseconds.
    pub connected_after_ms: Option<f64>,
    /// Where the expected path is from: `libwebrtc` or `reasoned`; `None` where any will do.
    pub source: Option<String>,
    /// Why it is expected, where that is not plain.
    pub because: Option<String>,
    /// The checks that did not pass.
    pub wrong: Vec<Check>,
}

impl CellResult {
    /// Puts together what is known of a call. `source` and `because` are of the expectation.
    #[must_use]
    pub fn new(
        [offerer, answerer]: [&str; 2],
        peers: [&str; 2],
        judgement: Judgement,
        source: Option<String>,
        because: Option<String>,
    ) -> Self {
        let [from, to] = peers.map(|peer| judgement.peers.get(peer));
        let pair = |peer: Option<&farcall_verdict::PeerResult>| {
            peer.and_then(|peer| peer.selected_pair.clone())
        };
        let is_wrong =
            |check: &Check| matches!(check.verdict, CheckVerdict::Fail | CheckVerdict::Invalid);
        Self {
            offerer: offerer.to_owned(),
            answerer: answerer.to_owned(),
            verdict: judgement.verdict,
            path: from.zip(to).and_then(|(from, to)| path_of(from, to)),
            offerer_pair: pair(from),
            answerer_pair: pair(to),
            connected_after_ms: from
                .zip(to)
                .and_then(|(from, to)| path::formed_after_ms(from, to)),
            source,
            because,
            wrong: judgement.checks.into_iter().filter(is_wrong).collect(),
        }
    }
}

impl MatrixResult {
    /// The call between two networks.
    #[must_use]
    pub fn cell(&self, offerer: &str, answerer: &str) -> Option<&CellResult> {
        let mut cells = self.cells.iter();
        cells.find(|cell| cell.offerer == offerer && cell.answerer == answerer)
    }
}
