//! What a person writes: scenario files and baselines (TOML) and ICE configurations (JSON), read with errors that
//! name file, line and column, all at once.

mod baseline;
mod catalogue;
mod document;
mod file;
mod ice;
mod matrix;
mod model;
mod preset;
mod problem;
mod read;
mod recovery;
mod scenario;
mod secret;
mod servers;
mod validate;

pub use baseline::{Baseline, BaselineNetwork, ExpectedNetwork, Quarantine, calendar_date};
pub use file::read as read_text;
pub use ice::{IceConfiguration, IceServer, IceUrl, IceUrlError, Scheme};
pub use matrix::{CellSource, ExpectedCell, ExpectedPath, Matrix, Network, UnknownNetwork};
pub use model::{
    Behaviour, Call, Carrier, Expect, ExpectedFlows, ExpectedPair, Gateway, IceTransportPolicy,
    Ipv6, LinkDirectionOverride, LinkOverride, MediaQuality, NatOverride, Peer, Scenario,
    Signalling, Site, Written,
};
pub use preset::{
    Action, Blocking, Contradiction, Direction, Firewall, FirewallOverride, FirewallPreset,
    FirewallService, JitterDistribution, Link, LinkDirection, LinkPreset, Loss, Nat, NatPreset,
    Protocol, Rate, Rule, TraceError, TraceNotLoaded,
};
pub use problem::{InputError, Place, Problem, Problems};
pub use recovery::{
    ExpectedRecovery, Fault, FaultKind, Milestone, Moment, Recovery, RecoveryStrategy, Victim,
};
pub use secret::Secret;
pub use servers::{
    Account, CertificateFlaw, RestCredentials, ServerCondition, Servers, TimeStampUnit,
};
