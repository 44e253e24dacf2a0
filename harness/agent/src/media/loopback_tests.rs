//! Two peer connections on this machine exchange everything, both ways.
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use super::*;
use farcall_timeline::{DataStats, MediaKind, MediaStats};
use rtc::ice::mdns::MulticastDnsMode;
use rtc::peer_connection::configuration::interceptor_registry::register_default_interceptors;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use webrtc::data_channel::DataChannel;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCIceCandidateInit,
    RTCPeerConnectionIceEvent, RTCPeerConnectionState, Registry, SettingEngineBuilder,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// Longer than the clip, so that it begins anew.
const MEDIA_TIME: Duration = Duration::from_secs(3);

struct Handler {
    receivers: Receivers,
    data: DataLink,
    candidates: mpsc::UnboundedSender<RTCIceCandidateInit>,
    connected: watch::Sender<bool>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(candidate) = event.candidate.to_json() {
            self.candidates.send(candidate).ok();
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        if state == RTCPeerConnectionState::Connected {
            self.connected.send_replace(true);
        }
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        self.data.run(channel);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.receivers.receive(track);
    }
}

struct Peer {
    connection: Arc<dyn PeerConnection>,
    senders: Senders,
    receivers: Receivers,
    data: DataLink,
    candidates: mpsc::UnboundedReceiver<RTCIceCandidateInit>,
    connected: watch::Receiver<bool>,
}

impl Peer {
    async fn new(role: Role, options: MediaOptions) -> Self {
        let receivers = Receivers::new(Instant::now()).unwrap();
        let data = DataLink::new(role);
        let (candidate_sender, candidates) = mpsc::unbounded_channel();
        let (connected_sender, connected) = watch::channel(false);
        let handler = Handler {
            receivers: receivers.clone(),
            data: data.clone(),
            candidates: candidate_sender,
            connected: connected_sender,
        };
        let mut media = media_engine().unwrap();
        let registry = register_default_interceptors(Registry::new(), &mut media).unwrap();
        let settings = SettingEngineBuilder::new()
            .with_multicast_dns_mode(MulticastDnsMode::Disabled)
            .build();
        let connection = PeerConnectionBuilder::new()
            .with_media_engine(media)
            .with_interceptor_registry(registry)
            .with_setting_engine(settings)
            .with_handler(Arc::new(handler))
            .with_udp_addrs(vec!["127.0.0.1:0"])
            .build()
            .await
            .unwrap();
        let connection: Arc<dyn PeerConnection> = Arc::new(connection);
        let senders = add_tracks(connection.as_ref(), &options).await.unwrap();
        if role == Role::Offerer {
            let label = DATA_CHANNEL_LABEL;
            data.run(connection.create_data_channel(label, None).await.unwrap());
        }
        Self {
            connection,
            senders,
            receivers,
            data,
            candidates,
            connected,
        }
    }

    fn stats(&self, kind: MediaKind) -> MediaStats {
        self.senders.stats(kind, self.receivers.finish(kind))
    }
}

async fn connect(offerer: &mut Peer, answerer: &mut Peer) {
    let offer = offerer.connection.create_offer(None).await.unwrap();
    offerer
        .connection
        .set_local_description(offer.clone())
        .await
        .unwrap();
    answerer
        .connection
        .set_remote_description(offer)
        .await
        .unwrap();
    let answer = answerer.connection.create_answer(None).await.unwrap();
    answerer
        .connection
        .set_local_description(answer.clone())
        .await
        .unwrap();
    offerer
        .connection
        .set_remote_description(answer)
        .await
        .unwrap();
    loop {
        tokio::select! {
            Some(candidate) = offerer.candidates.recv() => {
                answerer.connection.add_ice_candidate(candidate).await.unwrap();
            }
            Some(candidate) = answerer.candidates.recv() => {
                offerer.connection.add_ice_candidate(candidate).await.unwrap();
            }
            both = async {
                offerer.connected.wait_for(|connected| *connected).await.is_ok()
                    && answerer.connected.wait_for(|connected| *connected).await.is_ok()
            } => {
                assert!(both);
                return;
            }
        }
    }
}

/// Calls for a while; gives what each peer saw: audio, video and data.
async fn call(options: [MediaOptions; 2]) -> [(MediaStats, MediaStats, DataStats); 2] {
    let mut offerer = Peer::new(Role::Offerer, options[0]).await;
    let mut answerer = Peer::new(Role::Answerer, options[1]).await;
    tokio::time::timeout(CONNECT_TIMEOUT, connect(&mut offerer, &mut answerer))
        .await
        .unwrap();
    let start = Instant::now();
    offerer.senders.start(start).await.unwrap();
    answerer.senders.start(start).await.unwrap();
    tokio::time::sleep(MEDIA_TIME).await;
    for peer in [&mut offerer, &mut answerer] {
        peer.senders.stop().await;
        peer.data.stop();
    }
    // The last packets are still under way.
    settled(&offerer, &answerer).await;
    let results = [&offerer, &answerer].map(|peer| {
        let (audio, video) = (peer.stats(MediaKind::Audio), peer.stats(MediaKind::Video));
        println!(
            "audio {audio:?}\nvideo {video:?}\ndata {:?}\n",
            peer.data.stats()
        );
        (audio, video, peer.data.stats())
    });
    offerer.connection.close().await.unwrap();
    answerer.connection.close().await.unwrap();
    results
}

/// Waits until nothing more arrives for a while.
async fn settled(offerer: &Peer, answerer: &Peer) {
    let counts = || {
        [offerer, answerer].map(|peer| {
            let now = Instant::now();
            let of = |kind| peer.receivers.stats(kind, now).packets_received;
            let messages = peer.data.stats().messages_intact;
            (of(MediaKind::Audio), of(MediaKind::Video), messages)
        })
    };
    let mut before = counts();
    loop {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let after = counts();
        if after == before {
            return;
        }
        before = after;
    }
}

fn assert_frames_arrived(sent: &MediaStats, received: &MediaStats, at_least: u64) {
    assert!(sent.frames_sent >= at_least, "{sent:?}");
    assert_eq!(received.frames_received, sent.frames_sent, "{received:?}");
    assert_eq!(received.packets_received, sent.packets_sent, "{received:?}");
    assert_eq!(received.bytes_received, sent.bytes_sent, "{received:?}");
    let faults = (
        received.frames_corrupt,
        received.frames_lost,
        received.packets_lost,
    );
    assert_eq!(faults, (0, 0, 0), "{received:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn audio_video_and_data_arrive_intact_both_ways() {
    let [offerer, answerer] = call([MediaOptions::default(); 2]).await;
    for (from, to) in [(&offerer, &answerer), (&answerer, &offerer)] {
        assert_frames_arrived(&from.0, &to.0, 130);
        assert_frames_arrived(&from.1, &to.1, 52);
        assert_eq!(to.0.frames_intact, from.0.frames_sent);
        assert_eq!(to.1.frames_intact, from.1.frames_sent);
        assert!(from.2.messages_sent >= 50, "{:?}", from.2);
        assert_eq!(to.2.messages_intact, from.2.messages_sent);
        assert_eq!(to.2.bytes_received, from.2.bytes_sent);
        assert_eq!((to.2.messages_corrupt, to.2.messages_out_of_order), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_muted_sender_is_heard_as_silence_and_a_missing_track_as_nothing() {
    let muted = MediaOptions {
        audio: Some(Feed::Muted),
        video: Some(Feed::Muted),
    };
    let audio_only = MediaOptions {
        audio: Some(Feed::Live),
        video: None,
    };
    let [offerer, answerer] = call([muted, audio_only]).await;
    assert_frames_arrived(&offerer.0, &answerer.0, 130);
    assert_frames_arrived(&offerer.1, &answerer.1, 52);
    assert_eq!(answerer.0.frames_silent, offerer.0.frames_sent);
    assert_eq!(answerer.1.frames_silent, offerer.1.frames_sent);

    assert_eq!(offerer.0.frames_intact, answerer.0.frames_sent);
    assert_eq!(offerer.1.packets_received, 0);
    assert_eq!(answerer.1.packets_sent, 0);
}
