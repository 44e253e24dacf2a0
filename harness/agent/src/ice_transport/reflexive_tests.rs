//! Server-reflexive candidates that webrtc-rs gathers, against servers in this process.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::fake_server::{Behaviour, FakeServer};
use super::status::{Observation, ServerStatus};
use super::testing::configuration;
use super::transport::ServerTransport;
use farcall_scenario::IceTransportPolicy;
use farcall_timeline::IceServerOutcome;
use rtc::peer_connection::transport::RTCIceCandidateType;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionEventHandler, RTCPeerConnectionIceEvent, SettingEngineBuilder,
};

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Long enough for what answers, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Passes on the candidates that are gathered.
struct Candidates(UnboundedSender<(RTCIceCandidateType, SocketAddr)>);

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Candidates {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        let ip = event.candidate.address.parse().unwrap();
        let address = SocketAddr::new(ip, event.candidate.port);
        let _ = self.0.send((event.candidate.typ, address));
    }
}

/// A gathering that has begun.
struct Gathering {
    transport: ServerTransport,
    observations: UnboundedReceiver<Observation>,
    candidates: UnboundedReceiver<(RTCIceCandidateType, SocketAddr)>,
    connection: Box<dyn PeerConnection>,
}

impl Gathering {
    async fn begin(urls: &[&str], policy: IceTransportPolicy) -> Self {
        let (transport, observations) =
            ServerTransport::new(&configuration(urls), policy, b"", None).unwrap();
        let (sender, candidates) = unbounded_channel();
        let handler = Arc::new(Candidates(sender));
        let connection = transport
            .peer_connection_builder(&[LOCAL], SettingEngineBuilder::new(), handler)
            .build()
            .await
            .unwrap();
        connection
            .create_data_channel("gather", None)
            .await
            .unwrap();
        let offer = connection.create_offer(None).await.unwrap();
        connection.set_local_description(offer).await.unwrap();
        Self {
            transport,
            observations,
            candidates,
            connection: Box::new(connection),
        }
    }

    /// The configured URL behind the next server-reflexive candidate.
    async fn reflexive_url(&mut self) -> String {
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                let (typ, address) = self.candidates.recv().await.unwrap();
                if typ == RTCIceCandidateType::Srflx {
                    return self.transport.url_of_address(address).unwrap();
                }
            }
        });
        found.await.unwrap().text.clone()
    }

    /// Closes the connection, and returns what each URL came to, how many outcomes were told, and
    /// how many further server-reflexive candidates there were.
    async fn end(mut self) -> (Vec<ServerStatus>, usize, usize) {
        let statuses = self.transport.gathered(PATIENCE).await;
        self.connection.close().await.unwrap();
        let told = std::iter::from_fn(|| self.observations.try_recv().ok());
        let outcomes = told.filter(|told| matches!(told, Observation::Outcome(_)));
        let outcomes = outcomes.count();
        let more = std::iter::from_fn(|| self.candidates.try_recv().ok());
        let more = more.filter(|(typ, _)| *typ == RTCIceCandidateType::Srflx);
        (statuses, outcomes, more.count())
    }
}

#[tokio::test]
async fn a_turn_server_over_udp_brings_a_reflexive_candidate_and_no_outcome_of_its_own() {
    let server = FakeServer::udp(Behaviour::Allocate(50_001)).await;
    let url = format!("turn:127.0.0.1:{}", server.port);
    let mut gathering = Gathering::begin(&[&url, &url], IceTransportPolicy::All).await;
    assert_eq!(gathering.reflexive_url().await, url);
    let (statuses, outcomes, more) = gathering.end().await;
    assert_eq!((statuses.len(), outcomes, more), (2, 2, 0));
    for status in statuses {
        assert_eq!(status.report.outcome, IceServerOutcome::Allocated);
        // Two Allocate requests: the Binding request is not among them.
        assert_eq!((status.packets_sent, status.packets_received), (2, 2));
    }
}

#[tokio::test]
async fn equal_reflexive_addresses_of_several_servers_are_one_candidate() {
    let stun = FakeServer::udp(Behaviour::Allocate(50_001)).await;
    let turn = FakeServer::udp(Behaviour::Allocate(50_002)).await;
    let stun = format!("stun:127.0.0.1:{}", stun.port);
    let turn = format!("turn:127.0.0.1:{}", turn.port);
    let mut gathering = Gathering::begin(&[&stun, &turn], IceTransportPolicy::All).await;
    let found = gathering.reflexive_url().await;
    assert!([stun, turn].contains(&found), "{found}");
    let (statuses, outcomes, more) = gathering.end().await;
    assert_eq!((statuses.len(), outcomes, more), (2, 2, 0));
    assert_eq!(statuses[0].report.outcome, IceServerOutcome::Reachable);
    assert_eq!(statuses[1].report.outcome, IceServerOutcome::Allocated);
}

#[tokio::test]
async fn a_dead_stun_server_does_not_keep_a_turn_server_from_bringing_one() {
    let stun = FakeServer::udp(Behaviour::Silent).await;
    let turn = FakeServer::udp(Behaviour::Allocate(50_001)).await;
    let stun = format!("stun:127.0.0.1:{}", stun.port);
    let turn = format!("turn:127.0.0.1:{}", turn.port);
    let mut gathering = Gathering::begin(&[&stun, &turn], IceTransportPolicy::All).await;
    assert_eq!(gathering.reflexive_url().await, turn);
}

#[tokio::test]
async fn a_turn_server_that_answers_no_binding_request_is_not_waited_for() {
    let server = FakeServer::udp(Behaviour::OnlyAllocate(50_001)).await;
    let url = format!("turn:127.0.0.1:{}", server.port);
    let gathering = Gathering::begin(&[&url], IceTransportPolicy::All).await;
    let gathered = tokio::time::timeout(PATIENCE / 2, gathering.end());
    let (statuses, outcomes, reflexive) = gathered.await.unwrap();
    assert_eq!((outcomes, reflexive), (1, 0));
    assert_eq!(statuses[0].report.outcome, IceServerOutcome::Allocated);
}

#[tokio::test]
async fn the_policy_relay_asks_turn_servers_for_no_reflexive_address() {
    let server = FakeServer::udp(Behaviour::Allocate(50_001)).await;
    let url = format!("turn:127.0.0.1:{}", server.port);
    let gathering = Gathering::begin(&[&url], IceTransportPolicy::Relay).await;
    let told = gathering.transport.rtc_configuration();
    assert_eq!(told.ice_servers().len(), 1);
    let (statuses, outcomes, reflexive) = gathering.end().await;
    assert_eq!((statuses.len(), outcomes, reflexive), (1, 1, 0));
}
