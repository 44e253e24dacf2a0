//! A raised lab: every network and container of a plan, and their removal.

mod blueprint;
mod container;
mod error;
mod fetch;
mod gates;
mod handle;
mod network;
mod raise;
mod remains;
mod standing;

pub(crate) use blueprint::Blueprint;
pub(crate) use container::{connect_others, create};
pub use error::{RaiseError, RemoveError, Step};
pub use handle::{Lab, LabOptions};
pub(crate) use network::create_network;
pub(crate) use remains::{NetworkRemains, Remains};
