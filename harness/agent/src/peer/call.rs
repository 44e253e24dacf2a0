//! One call of a peer.

use super::PeerIdentity;
use super::candidates::{Gathered, Origin, in_attribute, in_description};
use super::error::{PeerError, Tried};
use super::handler::Handler;
use super::speaker::Speaker;
use super::watch::{SharedSenders, Watch};
use crate::Outlet;
use crate::ice_transport::{Observation, ServerTransport};
use crate::media::{
    self, DATA_CHANNEL_LABEL, DataLink, Feed, MediaOptions, Receivers, Role, add_tracks,
};
use farcall_protocol::{CallSetup, RemoteCandidate};
use farcall_scenario::{IceConfiguration, IceServer, IceTransportPolicy, IceUrl, Secret};
use farcall_timeline::{CallState, Candidate, CandidateType, Event};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc::UnboundedReceiver, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use webrtc::peer_connection::Registry;
use webrtc::peer_connection::{
    PeerConnection, RTCIceCandidateInit, RTCPeerConnectionState, RTCSessionDescription,
    SettingEngineBuilder, register_default_interceptors,
};

/// What a peer connection is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To make an offer: it has the data channel.
    Offer,
    /// To answer one.
    Answer,
}

/// Hears of every state of the connection.
pub(super) type OnState = Box<dyn Fn(RTCPeerConnectionState) + Send + Sync>;

/// A peer connection with all that belongs to it.
pub(super) struct Call {
    /// Which of the peer's connections this is.
    number: u32,
    connection: Arc<dyn PeerConnection>,
    transport: ServerTransport,
    gathered: Arc<Mutex<Gathered>>,
    outlet: Outlet,
    gathering_timeout: Duration,
    gathering_complete: watch::Receiver<bool>,
    gathering: Mutex<Option<AbortOnDropHandle<()>>>,
    watch: AbortOnDropHandle<Watch>,
    senders: SharedSenders,
    data: DataLink,
    ending: CancellationToken,
    observations: AbortOnDropHandle<()>,
    _data_opened: AbortOnDropHandle<()>,
}

impl Call {
    pub async fn start(
        identity: &PeerIdentity,
        outlet: &Outlet,
        setup: &CallSetup,
        speaker: Speaker,
        purpose: Purpose,
        on_state: OnState,
    ) -> Result<Self, PeerError> {
        let number = speaker.incarnation;
        tracing::info!("Initializing WebRTC with config: {}", setup.configuration);
        if setup.policy == IceTransportPolicy::Relay {
            tracing::info!("Forcing TURN relay for better cross-network connectivity");
        }
        outlet.event(Event::CallStarted {
            configuration: setup.configuration.clone(),
            policy: policy_name(setup.policy).to_owned(),
        });

        let (transport, observations) = ServerTransport::new(
            &configuration(setup),
            setup.policy,
            identity.ca_pem.as_bytes(),
            setup.proxy.map(SocketAddr::V4),
        )?;
        transport.hold_relays();
        let role = match purpose {
            Purpose::Offer => Role::Offerer,
            Purpose::Answer => Role::Answerer,
        };
        let receivers = Receivers::new(Instant::now())?;
        let data = DataLink::new(role);
        let gathered: Arc<Mutex<Gathered>> = Arc::default();
        let (complete, gathering_complete) = watch::channel(false);
        let (state, connection_state) = watch::channel(RTCPeerConnectionState::New);
        let servers = transport.clone();
        let handler = Handler {
            outlet: outlet.clone(),
            gathered: Arc::clone(&gathered),
            find_origin: Box::new(move |candidate, url| {
                let url = servers
                    .configured_url(url)
                    .or_else(|| servers.url_of_address(candidate))?;
                Some(Origin {
                    url: url.text.clone(),
                    transport: url.transport,
                })
            }),
            receivers: receivers.clone(),
            data: data.clone(),
            gathering_complete: complete,
            speaker,
            connection: state,
            on_state,
        };

        let mut codecs = media::media_engine().tried("register the codecs")?;
        let interceptors = register_default_interceptors(Registry::new(), &mut codecs)
            .tried("register the interceptors")?;
        let connection: Arc<dyn PeerConnection> = Arc::new(
            transport
                .peer_connection_builder(
                    &identity.local_ips,
                    SettingEngineBuilder::new(),
                    Arc::new(handler),
                )
                .with_media_engine(codecs)
                .with_interceptor_registry(interceptors)
                .build()
                .await
                .tried("create the peer connection")?,
        );
        let feed = if identity.muted {
            Feed::Muted
        } else {
            Feed::Live
        };
        let options = MediaOptions {
            audio: Some(feed),
            video: Some(feed),
        };
        let senders = add_tracks(connection.as_ref(), &options).await?;
        let senders: SharedSenders = Arc::new(tokio::sync::Mutex::new(senders));
        if purpose == Purpose::Offer {
            let channel = connection
                .create_data_channel(DATA_CHANNEL_LABEL, None)
                .await
                .tried("create the data channel")?;
            data.run(channel);
        }

        let ending = CancellationToken::new();
        let watch = Watch {
            connection: Arc::clone(&connection),
            outlet: outlet.clone(),
            gathered: Arc::clone(&gathered),
            senders: Arc::clone(&senders),
            receivers,
            data: data.clone(),
            selected: None,
            round_trips_s: 0.0,
        };
        Ok(Self {
            number,
            connection,
            transport,
            gathered,
            outlet: outlet.clone(),
            gathering_timeout: Duration::from_millis(u64::from(setup.gathering_timeout_ms)),
            gathering_complete,
            gathering: Mutex::new(None),
            watch: AbortOnDropHandle::new(tokio::spawn(
                watch.until(connection_state, ending.clone()),
            )),
            senders,
            ending,
            observations: AbortOnDropHandle::new(tokio::spawn(tell(observations, outlet.clone()))),
            _data_opened: AbortOnDropHandle::new(tokio::spawn(tell_opened(
                data.clone(),
                outlet.clone(),
            ))),
            data,
        })
    }

    pub async fn create_offer(&self) -> Result<String, PeerError> {
        let offer = self.connection.create_offer(None).await;
        self.describe(offer.tried("create an offer")?).await
    }

    /// The next offer has new ICE credentials.
    pub async fn restart_ice(&self) -> Result<(), PeerError> {
        self.connection.restart_ice().await.tried("restart ICE")
    }

    pub async fn accept_offer(&self, sdp: String) -> Result<String, PeerError> {
        let candidates: Vec<Candidate> = in_description(&sdp).collect();
        let offer = RTCSessionDescription::offer(sdp).tried("read the offer")?;
        self.connection
            .set_remote_description(offer)
            .await
            .tried("set the remote description")?;
        self.tell_remote(candidates);
        let answer = self.connection.create_answer(None).await;
        self.describe(answer.tried("create an answer")?).await
    }

    pub async fn accept_answer(&self, sdp: String) -> Result<(), PeerError> {
        let candidates: Vec<Candidate> = in_description(&sdp).collect();
        let answer = RTCSessionDescription::answer(sdp).tried("read the answer")?;
        self.connection
            .set_remote_description(answer)
            .await
            .tried("set the remote description")?;
        self.tell_remote(candidates);
        Ok(())
    }

    pub async fn add_candidate(&self, candidate: RemoteCandidate) -> Result<(), PeerError> {
        let told = in_attribute(&candidate.candidate);
        self.connection
            .add_ice_candidate(RTCIceCandidateInit {
                candidate: candidate.candidate,
                sdp_mid: candidate.sdp_mid,
                sdp_mline_index: candidate.sdp_mline_index,
                username_fragment: candidate.username_fragment,
                url: None,
            })
            .await
            .tried("add the other peer's candidate")?;
        self.tell_remote(told);
        Ok(())
    }

    /// Tells the other peer's candidates that are not known yet.
    fn tell_remote(&self, candidates: impl IntoIterator<Item = Candidate>) {
        for candidate in candidates {
            if self.gathered().take_remote(&candidate) {
                self.outlet.event(Event::RemoteCandidate(candidate));
            }
        }
    }

    /// Tells the pairs on which checks were sent or came in, connected or not, and the remote candidates that only they brought.
    fn tell_pairs(&self) {
        for pair in self.transport.checked_pairs() {
            let report = self.gathered().checked(self.number, &pair);
            if report.remote.candidate_type == CandidateType::Prflx {
                self.tell_remote([report.remote.clone()]);
            }
            self.outlet.event(Event::CandidatePair(report));
        }
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The other peer has taken one of this peer's candidates.
    pub fn signalled(&self, candidate: &RemoteCandidate) {
        if let Some(address) = self.gathered().address_of(&candidate.candidate) {
            self.transport.signalled(address);
        }
    }

    /// Stops to send, and waits for what is under way; what the other peer still sends is received.
    pub async fn stop_media(&self) {
        self.stop_sending().await;
        self.data.drained().await;
    }

    async fn stop_sending(&self) {
        self.data.stop();
        self.senders.lock().await.stop().await;
    }

    pub async fn end(self) -> Result<(), PeerError> {
        self.stop_sending().await;
        self.ending.cancel();
        // The last of what was observed must be said before the answer to this command.
        let statuses = self.transport.finish();
        self.tell_pairs();
        match self.watch.await {
            Ok(mut watch) => watch.conclude().await,
            Err(stopped) => tracing::error!(%stopped, "the observation of the call ended early"),
        }
        for status in statuses {
            self.outlet.event(Event::IceServer(status.report));
        }
        self.connection
            .close()
            .await
            .tried("close the peer connection")?;
        self.transport.release();
        drop(self.observations);
        Ok(())
    }

    /// Sets the local description, which begins gathering.
    async fn describe(&self, description: RTCSessionDescription) -> Result<String, PeerError> {
        let sdp = description.sdp.clone();
        self.connection
            .set_local_description(description)
            .await
            .tried("set the local description")?;
        let gathering = gathering(
            self.transport.clone(),
            self.gathering_timeout,
            self.gathering_complete.clone(),
            self.outlet.clone(),
        );
        let task = AbortOnDropHandle::new(tokio::spawn(gathering));
        *self
            .gathering
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(task);
        Ok(sdp)
    }
}

/// Ends gathering when all servers have come to an outcome or at the deadline, and says so once:
/// webrtc 0.21.1 never completes gathering while a TURN server over UDP does not answer.
async fn gathering(
    transport: ServerTransport,
    deadline: Duration,
    mut complete: watch::Receiver<bool>,
    outlet: Outlet,
) {
    tokio::select! {
        _ = transport.gathered(deadline) => {}
        () = async { let _ = complete.wait_for(|complete| *complete).await; } => {}
    }
    tracing::info!("ICE gathering state: complete");
    outlet.event(Event::State(CallState {
        machine: "ice-gathering".to_owned(),
        state: "complete".to_owned(),
    }));
}

/// Tells when the data channel is open.
async fn tell_opened(data: DataLink, outlet: Outlet) {
    data.opened().await;
    outlet.event(Event::State(CallState {
        machine: "data-channel".to_owned(),
        state: "open".to_owned(),
    }));
}

/// Tells what is seen of the servers.
async fn tell(mut observations: UnboundedReceiver<Observation>, outlet: Outlet) {
    while let Some(observation) = observations.recv().await {
        match observation {
            Observation::Outcome(status) => outlet.event(Event::IceServer(status.report)),
            Observation::Lost { url, reason, .. } => {
                tracing::warn!("the connection to {url} was lost: {reason}");
            }
            Observation::Rejected {
                url,
                method,
                code,
                reason,
                ..
            } => tracing::warn!("{url} rejected {method}: {code} {reason}"),
        }
    }
}

/// The configuration, with an entry for each URL.
fn configuration(setup: &CallSetup) -> IceConfiguration {
    let entry = |(url, account): &(IceUrl, Option<farcall_protocol::PlainAccount>)| IceServer {
        urls: vec![url.clone()],
        username: account.as_ref().map(|account| account.username.clone()),
        credential: account
            .as_ref()
            .map(|account| Secret::new(account.password.as_str())),
    };
    IceConfiguration {
        name: setup.configuration.clone(),
        ice_servers: setup.ice_servers.iter().map(entry).collect(),
        ice_transport_policy: Some(setup.policy),
    }
}

fn policy_name(policy: IceTransportPolicy) -> &'static str {
    match policy {
        IceTransportPolicy::All => "all",
        IceTransportPolicy::Relay => "relay",
    }
}
