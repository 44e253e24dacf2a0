//! Who a lab belongs to, and how that is written on everything it is made of.

mod labels;
mod names;
mod owner;
mod session;

pub(crate) use labels::{LAB, Labels, SESSION};
pub(crate) use names::{container_name, host_name, network_name};
pub use owner::{Owner, OwnerState};
pub use session::{SessionId, SessionIdError};
