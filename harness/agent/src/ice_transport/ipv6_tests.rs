//! What a peer without IPv4 gathers from servers that it reaches over IPv6.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::fake_server::{Behaviour, FakeServer};
use super::testing::configuration;
use super::transport::ServerTransport;
use farcall_scenario::IceTransportPolicy;
use farcall_timeline::IceServerOutcome;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCIceCandidateType, RTCPeerConnectionIceEvent,
    SettingEngineBuilder,
};

const LOCAL: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// Long enough for what answers, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Hears of candidates.
struct Candidates(mpsc::UnboundedSender<(RTCIceCandidateType, IpAddr)>);

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Candidates {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(address) = event.candidate.address.parse() {
            let _ = self.0.send((event.candidate.typ, address));
        }
    }
}

#[tokio::test]
async fn an_ipv6_socket_has_an_ipv4_relay_candidate() {
    let server = FakeServer::udp_over_ipv6(Behaviour::Allocate(50_001)).await;
    let url = format!("turn:[::1]:{}", server.port);
    let policy = IceTransportPolicy::All;
    let (transport, _) = ServerTransport::new(&configuration(&[&url]), policy, b"", None).unwrap();
    let (sender, mut candidates) = mpsc::unbounded_channel();
    let connection = transport
        .peer_connection_builder(
            &[LOCAL],
            SettingEngineBuilder::new(),
            Arc::new(Candidates(sender)),
        )
        .build()
        .await
        .unwrap();
    connection
        .create_data_channel("gather", None)
        .await
        .unwrap();
    let offer = connection.create_offer(None).await.unwrap();
    connection.set_local_description(offer).await.unwrap();

    let statuses = transport.gathered(PATIENCE).await;
    assert_eq!(statuses[0].report.outcome, IceServerOutcome::Allocated);
    let relayed = async {
        while let Some((kind, address)) = candidates.recv().await {
            if kind == RTCIceCandidateType::Relay {
                return Some(address);
            }
        }
        None
    };
    let relayed = tokio::time::timeout(PATIENCE, relayed).await.unwrap();
    assert_eq!(relayed, Some("203.0.113.9".parse().unwrap()));
    connection.close().await.unwrap();
}
