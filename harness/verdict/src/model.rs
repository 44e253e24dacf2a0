//! What goes into a judgement and what comes out.

use crate::{PeerResult, PhaseTimes};
use farcall_plan::{CallPlan, CallServer, Declaration, Expectations, Node, Plan, Role};
use farcall_scenario::{IceUrl, Loss, Recovery};
use farcall_timeline::Measured;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddrV4;

/// What a run is judged against: the part of a [`Plan`] that a stored run keeps. It holds no
/// credentials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// What must come of the call.
    pub expect: Expectations,
    /// What must have been measured before it.
    pub attestation: Vec<Declaration>,
    /// What the peers were given for it.
    #[serde(default)]
    pub call: DeclaredCall,
    /// Whether a link of the lab loses packets.
    #[serde(default)]
    pub loses_packets: bool,
}

/// What the peers of a call were given, as far as a stored run may know it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredCall {
    /// The URLs of the ICE configuration, in the order in which the peers have them.
    pub ice_servers: Vec<DeclaredServer>,
    /// The HTTP proxy that a peer uses, by peer.
    pub proxies: BTreeMap<String, SocketAddrV4>,
    /// What the peers do when the connection breaks; `None`: nothing.
    pub recovery: Option<Recovery>,
    /// For how long the credentials are valid that the peers are given for the call, in seconds; `None`: they have those
    /// of the ICE configuration.
    pub credentials_valid_s: Option<u32>,
}

/// A URL of the ICE configuration with what may be told of its account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredServer {
    /// The URL.
    pub url: IceUrl,
    /// Whether it has a user name and a password.
    pub has_account: bool,
    /// When the account ends, where the user name says so: the number before the colon, in seconds since 1970 if it was
    /// made as TURN servers expect it (`TIMESTAMP:NAME`, draft-uberti-behave-turn-rest-00).
    pub time_stamp: Option<u64>,
}

impl From<&CallPlan> for DeclaredCall {
    fn from(call: &CallPlan) -> Self {
        let servers = call.ice_servers.iter();
        Self {
            ice_servers: servers.map(DeclaredServer::from).collect(),
            proxies: call.proxies.clone(),
            recovery: call.recovery.clone(),
            credentials_valid_s: call.rest.as_ref().map(|rest| rest.valid_s),
        }
    }
}

impl From<&CallServer> for DeclaredServer {
    fn from(server: &CallServer) -> Self {
        let username = server.username.as_deref();
        Self {
            url: server.url.clone(),
            has_account: username.is_some(),
            time_stamp: username.and_then(|name| name.split(':').next()?.parse().ok()),
        }
    }
}

impl From<&Plan> for Declared {
    fn from(plan: &Plan) -> Self {
        Self {
            expect: plan.expect.clone(),
            attestation: plan.attestation.clone(),
            call: DeclaredCall::from(&plan.call),
            loses_packets: plan.nodes.iter().any(loses_packets),
        }
    }
}

/// Whether the link behind a gateway does.
fn loses_packets(node: &Node) -> bool {
    let link = match &node.role {
        Role::Gateway(gateway) => gateway
            .datapath
            .as_ref()
            .and_then(|path| path.link.as_ref()),
        _ => None,
    };
    link.is_some_and(|link| {
        [&link.up, &link.down]
            .iter()
            .any(|way| way.loss != Loss::None)
    })
}

/// What a run comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The call did what the scenario expects of a good configuration.
    Pass,
    /// It did not, in a lab that was as declared.
    Fail,
    /// The lab was not as declared, or broke: nothing can be said about the call.
    Invalid,
    /// This machine cannot build the scenario's network, or no lab can have what the ICE configuration asks for. Found
    /// out before a call is placed.
    Unsupported,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Invalid => "INVALID",
            Self::Unsupported => "UNSUPPORTED",
        })
    }
}

/// What a single check comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckVerdict {
    /// Observed as expected.
    Pass,
    /// Observed otherwise.
    Fail,
    /// Not to be trusted, or not observed: the lab or the harness is at fault.
    Invalid,
    /// There is nothing to observe in this run.
    Skipped,
}

impl std::fmt::Display for CheckVerdict {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Invalid => "INVALID",
            Self::Skipped => "SKIPPED",
        })
    }
}

/// One check with what it expected and what it saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its name, a path from the general to the particular: `media/audio/alice-to-bob`.
    pub name: String,
    /// What it came to.
    pub verdict: CheckVerdict,
    /// What a pass needs, in words.
    pub expected: String,
    /// What was seen, in words.
    pub observed: String,
    /// The events that it rests on, in words.
    pub evidence: Vec<String>,
}

impl Check {
    /// A check without evidence.
    pub(crate) fn new(
        name: impl Into<String>,
        verdict: CheckVerdict,
        expected: impl Into<String>,
        observed: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            verdict,
            expected: expected.into(),
            observed: observed.into(),
            evidence: Vec::new(),
        }
    }

    /// The same check with evidence.
    pub(crate) fn with_evidence(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(evidence);
        self
    }
}

/// What a run comes to, with everything that it rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The whole.
    pub verdict: Verdict,
    /// Every check, in the order in which a run goes.
    pub checks: Vec<Check>,
    /// Every measurement of the lab before the call.
    pub attestation: Vec<Measured>,
    /// What happened at each peer, by name.
    pub peers: BTreeMap<String, PeerResult>,
    /// How long each phase took.
    pub phases: PhaseTimes,
}
