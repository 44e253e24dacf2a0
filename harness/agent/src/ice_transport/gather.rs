//! Gathering alone, without a call: which servers of a configuration can be used from here.

use super::server::TransportError;
use super::status::ServerStatus;
use super::transport::ServerTransport;
use farcall_scenario::{IceConfiguration, IceTransportPolicy};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use webrtc::peer_connection::{PeerConnection, PeerConnectionEventHandler, SettingEngineBuilder};

/// Why servers could not be tried at all.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// The configuration or the certificates to trust cannot be used.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// webrtc-rs failed.
    #[error("failed to gather ICE candidates from {local_ip}: {source}")]
    PeerConnection {
        /// The local address.
        local_ip: IpAddr,
        /// What webrtc-rs says.
        source: webrtc::error::Error,
    },
}

/// Gathers candidates with a peer connection of its own and closes it.
///
/// Returns what every URL came to, in the order of the configuration, at most `deadline` after
/// gathering began.
///
/// # Errors
/// When the configuration cannot be used or no socket can be opened on `local_ip`.
pub async fn gather(
    configuration: &IceConfiguration,
    policy: IceTransportPolicy,
    ca_certificates_pem: &[u8],
    local_ip: IpAddr,
    deadline: Duration,
) -> Result<Vec<ServerStatus>, GatherError> {
    let (transport, _) = ServerTransport::new(configuration, policy, ca_certificates_pem, None)?;
    let gathered = gather_with(&transport, local_ip, deadline).await;
    gathered.map_err(|source| GatherError::PeerConnection { local_ip, source })
}

/// As [`gather`], with servers that are prepared already.
pub(super) async fn gather_with(
    transport: &ServerTransport,
    local_ip: IpAddr,
    deadline: Duration,
) -> webrtc::error::Result<Vec<ServerStatus>> {
    let connection = transport
        .peer_connection_builder(&[local_ip], SettingEngineBuilder::new(), Arc::new(Silent))
        .build()
        .await?;
    // Without a medium there would be no candidates.
    connection.create_data_channel("gather", None).await?;
    let offer = connection.create_offer(None).await?;
    connection.set_local_description(offer).await?;
    let statuses = transport.gathered(deadline).await;
    connection.close().await?;
    Ok(statuses)
}

/// Hears nothing: the transport itself says how gathering goes.
struct Silent;

impl PeerConnectionEventHandler for Silent {}
