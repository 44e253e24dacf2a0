//! What a lab was found to be, beside what it is declared to be.

use farcall_timeline::Measured;
use serde::{Deserialize, Serialize};

/// What came of `farcall attest`: a lab that was raised, measured and removed, without a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// The scenario's name.
    pub scenario: String,
    /// The ICE configuration's name.
    pub ice_configuration: String,
    /// From which everything random in the lab follows.
    pub seed: u64,
    /// Whether what takes long was measured too: lifetimes of mappings, and loss.
    pub deep: bool,
    /// Whether everything was measured and is as declared.
    pub holds: bool,
    /// How long it took to raise the lab, in milliseconds; `None` when it did not come up.
    pub raise_ms: Option<f64>,
    /// How long all measurements took, in milliseconds; `None` when they did not come to their end.
    pub attest_ms: Option<f64>,
    /// Every measurement, in the order of the declarations.
    pub attestation: Vec<Measured>,
    /// Faults of the lab or of Docker, which are no finding about the network.
    pub faults: Vec<String>,
}
