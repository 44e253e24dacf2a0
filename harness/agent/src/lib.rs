//! agent
pub mod ice_transport;
pub mod media;
mod outlet;
pub mod peer;
pub use outlet::Outlet;
