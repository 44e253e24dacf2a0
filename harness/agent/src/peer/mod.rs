//! A WebRTC peer: one call at a time, driven by commands, told in events.

mod call;
mod candidates;
mod error;
mod handler;
mod login;
mod watch;

use crate::Outlet;
use call::Call;
pub use error::PeerError;
use farcall_protocol::{CallSetup, RemoteCandidate};
pub use login::LoginError;
use std::net::{IpAddr, SocketAddrV4};
use tokio::sync::Mutex;

/// What a peer is, whatever call it makes.
#[derive(Debug, Clone)]
pub struct PeerIdentity {
    /// The addresses on which it gathers host candidates.
    pub local_ips: Vec<IpAddr>,
    /// The certificate authorities that it trusts for `turns:`, as PEM.
    pub ca_pem: String,
    /// Whether it sends silence and blackness instead of the clip.
    pub muted: bool,
}

/// A peer and its call, if it is in one.
pub struct Peer {
    identity: PeerIdentity,
    outlet: Outlet,
    call: Mutex<Option<Call>>,
}

impl Peer {
    /// A peer that is in no call.
    #[must_use]
    pub fn new(identity: PeerIdentity, outlet: Outlet) -> Self {
        Self {
            identity,
            outlet,
            call: Mutex::new(None),
        }
    }

    /// Answers the login page of a captive portal that speaks HTTP there.
    ///
    /// # Errors
    /// When the portal does not do what a portal does, or still redirects afterwards.
    pub async fn log_in(&self, portal: SocketAddrV4) -> Result<(), PeerError> {
        Ok(login::log_in(portal).await?)
    }

    /// Creates the peer connection, with tracks and, if it makes the offer, the data channel.
    ///
    /// # Errors
    /// When it is in a call already, or webrtc-rs refuses.
    pub async fn start_call(&self, setup: &CallSetup) -> Result<(), PeerError> {
        let mut call = self.call.lock().await;
        if call.is_some() {
            return Err(PeerError::AlreadyInCall);
        }
        *call = Some(Call::start(&self.identity, &self.outlet, setup).await?);
        Ok(())
    }

    /// Creates the offer and begins to gather.
    ///
    /// # Errors
    /// When it is in no call, or webrtc-rs refuses.
    pub async fn create_offer(&self) -> Result<String, PeerError> {
        self.in_call().await?.get()?.create_offer().await
    }

    /// Takes the other peer's offer and answers it.
    ///
    /// # Errors
    /// When it is in no call, or webrtc-rs refuses.
    pub async fn accept_offer(&self, sdp: String) -> Result<String, PeerError> {
        self.in_call().await?.get()?.accept_offer(sdp).await
    }

    /// Takes the other peer's answer.
    ///
    /// # Errors
    /// When it is in no call, or webrtc-rs refuses.
    pub async fn accept_answer(&self, sdp: String) -> Result<(), PeerError> {
        self.in_call().await?.get()?.accept_answer(sdp).await
    }

    /// Takes a candidate of the other peer.
    ///
    /// # Errors
    /// When it is in no call, or webrtc-rs refuses.
    pub async fn add_candidate(&self, candidate: RemoteCandidate) -> Result<(), PeerError> {
        self.in_call().await?.get()?.add_candidate(candidate).await
    }

    /// The other peer has taken one of this peer's candidates.
    ///
    /// # Errors
    /// When it is in no call.
    pub async fn candidate_signalled(&self, candidate: &RemoteCandidate) -> Result<(), PeerError> {
        self.in_call().await?.get()?.signalled(candidate);
        Ok(())
    }

    /// Stops to send media and data.
    ///
    /// # Errors
    /// When it is in no call.
    pub async fn stop_media(&self) -> Result<(), PeerError> {
        self.in_call().await?.get()?.stop_media().await;
        Ok(())
    }

    /// Reports what there is to report, closes the peer connection and releases its allocations.
    ///
    /// # Errors
    /// When it is in no call, or webrtc-rs fails to close.
    pub async fn end_call(&self) -> Result<(), PeerError> {
        let call = self.call.lock().await.take();
        call.ok_or(PeerError::NotInCall)?.end().await
    }

    async fn in_call(&self) -> Result<InCall<'_>, PeerError> {
        Ok(InCall(self.call.lock().await))
    }
}

/// The call, locked: commands of one peer take effect one after the other.
struct InCall<'a>(tokio::sync::MutexGuard<'a, Option<Call>>);

impl InCall<'_> {
    fn get(&self) -> Result<&Call, PeerError> {
        self.0.as_ref().ok_or(PeerError::NotInCall)
    }
}
