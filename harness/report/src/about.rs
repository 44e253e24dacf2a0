//! What is known of a run before it begins, and what it ran on.

use farcall_scenario::{IceTransportPolicy, Written};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Which run it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The scenario's name.
    pub scenario: String,
    /// Where it says what it expects, if it is written in a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Written>,
    /// The ICE configuration's name: `production`, or a file's name.
    pub ice_configuration: String,
    /// The transport policy in force.
    pub policy: IceTransportPolicy,
    /// The seed that the run was given. Nothing of a lab depends on it yet.
    pub seed: u64,
    /// The session that the run's containers and networks are labelled with.
    pub session: String,
    /// When it began, in UTC.
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    /// What it ran on.
    pub environment: Environment,
}

/// The versions of what a run depends on; `None` where the run did not come far enough to know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Of farcall itself.
    pub farcall: String,
    /// Of the Docker Engine.
    pub engine: Option<String>,
    /// Of the kernel that the containers run on.
    pub kernel: Option<String>,
    /// Of the TURN servers.
    pub coturn: Option<String>,
}
