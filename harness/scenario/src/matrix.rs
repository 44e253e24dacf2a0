//! Networks of which every one calls every other, and what must come of each call.

mod check;
mod read;

use crate::document::parse_toml;
use crate::file;
use crate::model::{MediaQuality, Site};
use crate::problem::{InputError, Problems};
use crate::read::{Source, did_you_mean, unplaced};
use farcall_timeline::{CandidateType, IceTransport};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// Networks of which every one calls every other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matrix {
    /// Its name: the file's without `.toml`. Not written in the file.
    #[serde(skip)]
    pub name: String,
    /// One line that says what it is.
    pub description: String,
    /// What must come of each call: of each ordered pair of networks, or of none.
    #[serde(default)]
    pub cells: Vec<ExpectedCell>,
    /// The networks, in the order of rows and columns.
    pub networks: Vec<Network>,
}

/// A network that a peer can be in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    /// Its name: lower-case letters, digits and hyphens.
    pub name: String,
    /// One line that says what it is.
    pub description: String,
    /// The site. It is built twice, once for a peer that offers and once for one that answers. Where nothing
    /// translates its LAN, each gets public addresses of its own instead of those written.
    pub site: Site,
    /// Whether the peer reaches TURN servers over TCP and TLS through the HTTP proxy of the site's firewall.
    #[serde(default)]
    pub uses_proxy: bool,
    /// Whether the peer answers the login page of the site's captive portal before its calls.
    #[serde(default)]
    pub logs_in: bool,
    /// Whether it is called only when it is asked for by name.
    #[serde(default)]
    pub on_request: bool,
    /// Whether a call from or to it can connect at all. `false` only where no configuration can succeed; a
    /// call that connects is the failure then.
    #[serde(default = "yes")]
    pub connects: bool,
    /// How well media arrive once a call is connected.
    #[serde(default)]
    pub media: MediaQuality,
    /// How long a call may take to connect, where that is longer than elsewhere, in milliseconds, 1000 to
    /// 120000. What one network takes beyond the others, and what the other one takes, add up.
    pub within_ms: Option<u32>,
    /// How long gathering may take, where that is longer than elsewhere, in milliseconds, 500 to 60000. It
    /// adds up like `within_ms`.
    pub gathering_timeout_ms: Option<u32>,
    /// How long media flow, where that must be longer than elsewhere, in milliseconds, 500 to 600000. It adds
    /// up like `within_ms`.
    pub media_ms: Option<u32>,
}

fn yes() -> bool {
    true
}

/// What must come of the call between two networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedCell {
    /// The network of the peer that offers and controls.
    pub offerer: String,
    /// The network of the peer that answers.
    pub answerer: String,
    /// What connects them, as the source has it.
    pub path: ExpectedPath,
    /// Where that is from.
    pub source: CellSource,
    /// What must connect them here, where that differs from the source.
    pub here: Option<ExpectedPath>,
    /// Why: what `reasoned` reasons, or why it is otherwise here.
    pub because: Option<String>,
}

/// The selected pair as the offering peer sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedPath {
    /// Its own candidate.
    pub local: CandidateType,
    /// The other peer's.
    pub remote: CandidateType,
    /// Where one of them is relayed, the transport between the peer that has it and its TURN server; else
    /// that of the candidates.
    pub protocol: IceTransport,
}

/// Where an expectation is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CellSource {
    /// The table of libwebrtc's `p2p_transport_channel_unittest.cc`.
    Libwebrtc,
    /// Reasoned, for the cells that the table leaves empty.
    Reasoned,
}

impl ExpectedCell {
    /// What must connect the two here.
    #[must_use]
    pub fn expected(&self) -> ExpectedPath {
        self.here.unwrap_or(self.path)
    }
}

impl Matrix {
    /// The networks of the catalogue, `scenarios/matrices/catalogue.toml`: all of them, of which many are on
    /// request.
    #[must_use]
    pub fn catalogue() -> Self {
        builtin(
            "catalogue",
            include_str!("../../../scenarios/matrices/catalogue.toml"),
        )
    }

    /// The ten networks of libwebrtc's `p2p_transport_channel_unittest.cc`, with what must come of each of
    /// the hundred calls: `scenarios/matrices/libwebrtc.toml`.
    #[must_use]
    pub fn libwebrtc() -> Self {
        builtin(
            "libwebrtc",
            include_str!("../../../scenarios/matrices/libwebrtc.toml"),
        )
    }

    /// Reads a matrix file's text. `name` is the file's name, with or without `.toml`.
    ///
    /// # Errors
    /// With everything that is wrong, each at its place in the text.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        let source = Source {
            kind: "matrix",
            table_name: "a table",
            name,
            text,
        };
        let document = parse_toml(text).map_err(|errors| source.syntax(errors, true))?;
        source.read(
            &document,
            || text.to_owned(),
            |matrix: &mut Self| {
                matrix.name = crate::scenario::scenario_name(name);
                check::check(matrix)
            },
        )
    }

    /// Reads a matrix file.
    ///
    /// # Errors
    /// When the file cannot be read, or as [`parse`](Self::parse).
    pub fn load(path: &Path) -> Result<Self, InputError> {
        let text = file::read(path)?;
        Ok(Self::parse(&path.display().to_string(), &text)?)
    }

    /// Checks a matrix that was made in code as one that was read is checked.
    ///
    /// # Errors
    /// With everything that is wrong, each by its path of keys.
    pub fn validate(&self) -> Result<(), Problems> {
        unplaced(format!("matrix {}", self.name), check::check(self))
    }

    /// Only these networks, in this order, with the cells that are among them. None of them is on request any
    /// more: it has been asked for.
    ///
    /// # Errors
    /// With the first name that no network has, and what was probably meant.
    pub fn only<S: AsRef<str>>(self, names: &[S]) -> Result<Self, UnknownNetwork> {
        let mut seen = BTreeSet::new();
        let mut networks = Vec::new();
        for name in names.iter().map(AsRef::as_ref) {
            let found = self.networks.iter().find(|network| network.name == name);
            let Some(network) = found else {
                let known = self.networks.iter().map(|network| network.name.as_str());
                return Err(UnknownNetwork {
                    name: name.to_owned(),
                    hint: did_you_mean(name, known),
                    matrix: self.name,
                });
            };
            if seen.insert(name) {
                networks.push(Network {
                    on_request: false,
                    ..network.clone()
                });
            }
        }
        Ok(self.with(networks))
    }

    /// The networks that are called without being asked for by name, with the cells that are among them.
    #[must_use]
    pub fn unasked(self) -> Self {
        let networks = self.networks.iter();
        let networks = networks.filter(|network| !network.on_request).cloned();
        let networks = networks.collect();
        self.with(networks)
    }

    /// These networks in the place of those that there are, with the cells that are among them.
    fn with(mut self, networks: Vec<Network>) -> Self {
        let has = |name: &str| networks.iter().any(|network| network.name == name);
        self.cells
            .retain(|cell| has(&cell.offerer) && has(&cell.answerer));
        self.networks = networks;
        self
    }

    /// What must come of the call between two networks, if that is written.
    #[must_use]
    pub fn cell(&self, offerer: &str, answerer: &str) -> Option<&ExpectedCell> {
        let mut cells = self.cells.iter();
        cells.find(|cell| cell.offerer == offerer && cell.answerer == answerer)
    }
}

/// A network was named that the matrix does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed to find the network `{name}` in the matrix {matrix}: {hint}")]
pub struct UnknownNetwork {
    /// The name.
    pub name: String,
    /// The matrix.
    pub matrix: String,
    /// What was probably meant, or all that there are.
    pub hint: String,
}

#[expect(
    clippy::expect_used,
    reason = "the text is compiled in, and a test reads it"
)]
fn builtin(name: &str, text: &str) -> Matrix {
    Matrix::parse(name, text).expect("a matrix that is compiled in can be read")
}
