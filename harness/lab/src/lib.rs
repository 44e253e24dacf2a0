//! The lab: the only crate that talks to Docker.

mod certificates;
mod cgroup;
pub mod coturn;
pub mod doctor;
pub mod engine;
pub mod exec;
pub mod floor;
mod identity;
pub mod images;
mod lab;
mod node;
pub mod reap;
mod subnet;

/// The client of the Docker API, for what this crate does not do.
pub use bollard;
pub use certificates::{CertificateError, LabCa};
pub use coturn::Coturn;
pub use engine::{Engine, EngineError};
pub use identity::{Owner, OwnerState, SessionId, SessionIdError};
pub use images::AgentImage;
pub use lab::{Lab, LabOptions, RaiseError, RemoveError, Step};
pub use node::{NodeError, NodeHandle, Signals};
