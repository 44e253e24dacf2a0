//! The two images that every container of a lab is made from: the base image with the tools of
//! the network, and the agent image, which is the base image with this very executable.
//!
//! Both are named by a hash of what they are made of, so an image that exists is the right one,
//! and making one twice, even at the same time, comes to the same. The programs of each are in a volume too, which
//! all containers mount.

mod agent;
mod base;
mod build;
mod closure;
mod error;
mod import;
mod lock;
mod progress;
mod shared;
mod store;

pub use agent::{AgentImage, agent_image, existing_agent_image};
pub use base::{BaseImage, base_image, base_reference, existing_base_image};
pub use error::ImageError;
pub use progress::{OnProgress, Progress};
pub use shared::SharedFiles;

pub(crate) use base::{PUBLIC_BASE, PUBLIC_BASE_TAG};

/// The label of everything that farcall makes in Docker; its value says what the thing is.
pub(crate) const LABEL: &str = "farcall";
