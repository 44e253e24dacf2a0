//! What the peer connection tells: to the timeline as typed events, to a person as the log lines that
//! the production guide expects in a browser's console.

use super::call::OnState;
use super::candidates::{Gathered, Origin, socket_address};
use super::speaker::Speaker;
use crate::Outlet;
use crate::media::{DataLink, Receivers};
use farcall_protocol::{RemoteCandidate, SignalBody};
use farcall_timeline::{CallState, Candidate, Event};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;
use webrtc::data_channel::DataChannel;
use webrtc::media_stream::track_remote::TrackRemote;
use webrtc::peer_connection::{
    PeerConnectionEventHandler, RTCIceConnectionState, RTCIceGatheringState,
    RTCPeerConnectionIceEvent, RTCPeerConnectionState, RTCSignalingState,
};

/// Finds the server that a candidate came from, by its address and the URL that webrtc-rs reports.
pub(super) type FindOrigin = Box<dyn Fn(SocketAddr, &str) -> Option<Origin> + Send + Sync>;

/// Hears what the peer connection tells.
pub(super) struct Handler {
    pub outlet: Outlet,
    pub gathered: Arc<Mutex<Gathered>>,
    pub find_origin: FindOrigin,
    pub receivers: Receivers,
    pub data: DataLink,
    pub gathering_complete: watch::Sender<bool>,
    pub speaker: Speaker,
    pub connection: watch::Sender<RTCPeerConnectionState>,
    pub on_state: OnState,
}

impl Handler {
    fn state(&self, machine: &str, state: impl ToString) {
        self.outlet.event(Event::State(CallState {
            machine: machine.to_owned(),
            state: state.to_string(),
        }));
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        let origin = socket_address(&event.candidate)
            .and_then(|address| (self.find_origin)(address, &event.url));
        let known = {
            let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
            gathered.take(&event.candidate, origin)
        };
        let Some(known) = known else {
            tracing::warn!(candidate = ?event.candidate, "a candidate without a type was ignored");
            return;
        };
        tracing::info!("Generated ICE candidate: {}", in_words(&known));
        self.outlet.event(Event::LocalCandidate(known));
        match event.candidate.to_json() {
            Ok(init) => {
                self.gathered
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .trickled(&init.candidate, &event.candidate);
                self.speaker.say(SignalBody::Candidate(RemoteCandidate {
                    candidate: init.candidate,
                    sdp_mid: init.sdp_mid,
                    sdp_mline_index: init.sdp_mline_index,
                    username_fragment: init.username_fragment,
                }));
            }
            Err(error) => tracing::error!(%error, "failed to write a candidate as an attribute"),
        }
    }

    async fn on_signaling_state_change(&self, state: RTCSignalingState) {
        self.state("signaling", state);
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            // Reported once, here or by the gathering deadline, whichever comes first.
            self.gathering_complete.send_replace(true);
        } else {
            tracing::info!("ICE gathering state: {state}");
            self.state("ice-gathering", state);
        }
    }

    async fn on_ice_connection_state_change(&self, state: RTCIceConnectionState) {
        tracing::info!("ICE connection state: {state}");
        self.state("ice-connection", state);
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        if state == RTCPeerConnectionState::Connected {
            tracing::info!("WebRTC connection established successfully!");
        }
        // Whoever hears of the state can count on the session to know it.
        (self.on_state)(state);
        self.state("connection", state);
        self.connection.send_replace(state);
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        self.data.run(channel);
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        self.receivers.receive(track);
    }
}

/// As the guide writes it: the type, then the transport that people mean, which for a relayed
/// candidate is the one between client and TURN server.
fn in_words(candidate: &Candidate) -> String {
    match candidate.relay_protocol {
        Some(transport) => format!("{} {transport}", candidate.candidate_type),
        None => format!("{} {}", candidate.candidate_type, candidate.protocol),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farcall_timeline::{CandidateType, IceTransport};

    #[test]
    fn a_relayed_candidate_is_named_by_the_transport_to_its_server() {
        let mut candidate = Candidate {
            candidate_type: CandidateType::Relay,
            protocol: "udp".to_owned(),
            address: "203.0.113.100:50000".to_owned(),
            relay_protocol: Some(IceTransport::Tcp),
            url: None,
        };
        assert_eq!(in_words(&candidate), "relay tcp");
        candidate.candidate_type = CandidateType::Host;
        candidate.relay_protocol = None;
        assert_eq!(in_words(&candidate), "host udp");
    }
}
