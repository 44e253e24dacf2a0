//! What can go wrong with a call besides the network.

use super::login::LoginError;
use crate::ice_transport::TransportError;
use crate::media::{ClipError, MediaError};

/// A peer could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// A call was to be started while one is on.
    #[error("failed to start a call: the peer is in one already; end it first")]
    AlreadyInCall,
    /// A command needs a call, and there is none.
    #[error("failed: the peer is in no call; start one first")]
    NotInCall,
    /// The captive portal did not let it through.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The ICE configuration cannot be used.
    #[error(transparent)]
    Servers(#[from] TransportError),
    /// The clip is unfit.
    #[error(transparent)]
    Clip(#[from] ClipError),
    /// Media cannot be sent.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// webrtc-rs refused.
    #[error("failed to {tried}: {source}")]
    Connection {
        /// What was tried.
        tried: &'static str,
        /// What webrtc-rs says.
        source: webrtc::error::Error,
    },
}

/// Says what was tried when webrtc-rs refuses.
pub(super) trait Tried<T> {
    fn tried(self, tried: &'static str) -> Result<T, PeerError>;
}

impl<T> Tried<T> for webrtc::error::Result<T> {
    fn tried(self, tried: &'static str) -> Result<T, PeerError> {
        self.map_err(|source| PeerError::Connection { tried, source })
    }
}
