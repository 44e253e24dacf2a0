//! What a diagnosis says.

use crate::Cause;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a call fell short, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Diagnosis {
    /// The cause.
    pub cause: Cause,
    /// What it may be, where the evidence does not decide; else nothing.
    pub candidates: Vec<Cause>,
    /// What went wrong, in plain words.
    pub summary: String,
    /// What was seen, and by whom.
    pub evidence: Vec<Evidence>,
    /// What to do about it, in plain words.
    pub next_step: String,
    /// The URLs that [`next_step`](Self::next_step) says to add to the ICE configuration.
    pub add_urls: Vec<String>,
}

/// Something that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What kind of witness saw it.
    pub witness: Witness,
    /// Whose: a node of the lab, a check, or nothing.
    pub of: String,
    /// What it saw.
    pub seen: String,
}

/// Who saw something. Two of different kinds know nothing of each other.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Witness {
    /// The counter of a gateway's rule.
    Gateway,
    /// A peer's transport to its ICE servers: what came of a URL.
    Transport,
    /// A TURN server's own log.
    TurnServer,
    /// What was measured of the lab before the call.
    Attestation,
    /// The states that a peer's connection went through.
    States,
    /// What became of a peer's connection to the signalling server.
    Signalling,
    /// The candidates that a peer gathered, and the checks of their pairs.
    Candidates,
    /// What a peer sent and received.
    Statistics,
    /// The steps of a peer's recovery.
    Recovery,
    /// A fault's own counter and its time.
    Fault,
    /// The credentials that a peer fetched for its call.
    Credentials,
    /// The ICE configuration itself.
    Configuration,
    /// A check of the verdict.
    Check,
}

impl Evidence {
    /// The witness in words: `rules of office-gateway`.
    #[must_use]
    pub fn source(&self) -> String {
        let of = &self.of;
        match self.witness {
            Witness::Gateway => format!("rules of {of}"),
            Witness::Transport => format!("transport of {of}"),
            Witness::TurnServer => format!("log of {of}"),
            Witness::Attestation => format!("attestation from {of}"),
            Witness::States => format!("states of {of}"),
            Witness::Signalling => format!("signalling of {of}"),
            Witness::Candidates => format!("candidates of {of}"),
            Witness::Statistics => format!("statistics of {of}"),
            Witness::Recovery => format!("recovery of {of}"),
            Witness::Fault => format!("fault {of}"),
            Witness::Credentials => format!("credentials of {of}"),
            Witness::Configuration => "ICE configuration".to_owned(),
            Witness::Check => format!("check {of}"),
        }
    }
}

impl std::fmt::Display for Evidence {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}: {}", self.source(), self.seen)
    }
}

/// What a rule found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Finding {
    pub(crate) candidates: Vec<Cause>,
    pub(crate) summary: String,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) next_step: String,
    pub(crate) add_urls: Vec<String>,
}
