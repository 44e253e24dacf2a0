//! A WebRTC peer: one call at a time, driven by commands, told in events.

mod call;
mod candidates;
mod error;
mod handler;
mod holdings;
mod login;
mod session;
mod speaker;
mod watch;

use crate::Outlet;
pub use error::PeerError;
use farcall_protocol::{CallSetup, Signal};
use farcall_timeline::{Event, Holdings};
pub use login::LoginError;
use session::Session;
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
    identity: Mutex<PeerIdentity>,
    outlet: Outlet,
    call: Mutex<Option<Ongoing>>,
}

/// A call that the peer is in.
struct Ongoing {
    session: Session,
    /// What the process held before it.
    before: Holdings,
}

impl Peer {
    /// A peer that is in no call.
    #[must_use]
    pub fn new(identity: PeerIdentity, outlet: Outlet) -> Self {
        Self {
            identity: Mutex::new(identity),
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

    /// Begins a call: creates the peer connection, with tracks, and offers if it is to.
    ///
    /// # Errors
    /// When it is in a call already, or webrtc-rs refuses.
    pub async fn start_call(&self, setup: &CallSetup) -> Result<(), PeerError> {
        let mut call = self.call.lock().await;
        if call.is_some() {
            return Err(PeerError::AlreadyInCall);
        }
        let before = holdings::now();
        let identity = self.identity.lock().await.clone();
        let session = Session::start(&identity, &self.outlet, setup).await?;
        *call = Some(Ongoing { session, before });
        Ok(())
    }

    /// Takes what the other peer says.
    ///
    /// # Errors
    /// When it is in no call.
    pub async fn signal(&self, signal: Signal) -> Result<(), PeerError> {
        let call = self.call.lock().await;
        let call = call.as_ref().ok_or(PeerError::NotInCall)?;
        call.session.signal(signal);
        Ok(())
    }

    /// The peer is on another network now, with these addresses: what it begins from now on goes there, as an
    /// application's does in whose browser the network changes.
    pub async fn moved(&self, local_ips: Vec<IpAddr>) {
        self.identity.lock().await.local_ips.clone_from(&local_ips);
        if let Some(call) = &*self.call.lock().await {
            call.session.moved(local_ips);
        }
    }

    /// Stops to send media and data.
    ///
    /// # Errors
    /// When it is in no call.
    pub async fn stop_media(&self) -> Result<(), PeerError> {
        let call = self.call.lock().await;
        let call = call.as_ref().ok_or(PeerError::NotInCall)?;
        call.session.stop_media().await;
        Ok(())
    }

    /// Reports what there is to report, closes the peer connection and releases its allocations.
    ///
    /// # Errors
    /// When it is in no call, or webrtc-rs fails to close.
    pub async fn end_call(&self) -> Result<(), PeerError> {
        let call = self.call.lock().await.take();
        let Ongoing { session, before } = call.ok_or(PeerError::NotInCall)?;
        session.end().await?;
        let after = holdings::settled(before).await;
        self.outlet.event(Event::Released { before, after });
        Ok(())
    }
}
