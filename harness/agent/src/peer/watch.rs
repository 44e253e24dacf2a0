//! Media and statistics of a call: starts to send when the connection is established, and reports
//! about once a second.

use super::candidates::Gathered;
use crate::Outlet;
use crate::media::{DataLink, Receivers, Senders};
use farcall_timeline::{Candidate, CandidateType, Event, MediaKind, SelectedPair};
use rtc::peer_connection::transport::RTCIceCandidatePair;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use webrtc::peer_connection::{PeerConnection, RTCPeerConnectionState, StatsSelector};

/// The time between two reports.
const REPORT_PERIOD: Duration = Duration::from_secs(1);

/// The senders of a call, which the call stops and its watch starts.
pub(super) type SharedSenders = Arc<tokio::sync::Mutex<Senders>>;

/// All that is watched.
pub(super) struct Watch {
    pub connection: Arc<dyn PeerConnection>,
    pub outlet: Outlet,
    pub gathered: Arc<Mutex<Gathered>>,
    pub senders: SharedSenders,
    pub receivers: Receivers,
    pub data: DataLink,
    pub selected: Option<SelectedPair>,
    /// All round trips of the selected pair that were told, together, in seconds.
    pub round_trips_s: f64,
}

impl Watch {
    /// Waits for the connection, then sends and reports until the call ends.
    pub async fn until(
        mut self,
        mut connection: watch::Receiver<RTCPeerConnectionState>,
        end: CancellationToken,
    ) -> Self {
        let connected = async {
            let connected =
                connection.wait_for(|state| *state == RTCPeerConnectionState::Connected);
            connected.await.is_ok()
        };
        if end.run_until_cancelled(connected).await != Some(true) {
            return self;
        }
        if let Err(error) = self.senders.lock().await.start(Instant::now()).await {
            tracing::error!(%error, "media could not be started");
        }
        let mut period = tokio::time::interval(REPORT_PERIOD);
        loop {
            tokio::select! {
                _ = period.tick() => self.report().await,
                () = end.cancelled() => return self,
            }
        }
    }

    /// Reports for the last time, once nothing is sent any more.
    pub async fn conclude(&mut self) {
        self.selected_pair().await;
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let received = self.receivers.finish(kind);
            self.media(kind, received).await;
        }
        self.outlet.event(Event::Data {
            stats: self.data.stats(),
        });
    }

    async fn report(&mut self) {
        self.selected_pair().await;
        for kind in [MediaKind::Audio, MediaKind::Video] {
            let received = self.receivers.stats(kind, Instant::now());
            self.media(kind, received).await;
        }
        self.outlet.event(Event::Data {
            stats: self.data.stats(),
        });
        self.round_trip().await;
    }

    /// Tells the round trip of the pair in use as its last check measured it, unless that was told.
    async fn round_trip(&mut self) {
        let Some(pair) = self.current_pair().await else {
            return;
        };
        let now = Instant::now();
        let report = self.connection.get_stats(now, StatsSelector::None).await;
        let own = report.candidate_pairs().find(|stats| {
            stats.local_candidate_id == pair.local().id
                && stats.remote_candidate_id == pair.remote().id
        });
        let Some(stats) = own else {
            return;
        };
        // The sum of all measurements so far: with the same sum there was no other.
        if (stats.total_round_trip_time - self.round_trips_s).abs() > 0.0 {
            self.round_trips_s = stats.total_round_trip_time;
            let rtt_ms = stats.current_round_trip_time * 1e3;
            self.outlet.event(Event::RoundTrip { rtt_ms });
        }
    }

    async fn media(&self, kind: MediaKind, received: farcall_timeline::MediaStats) {
        let stats = self.senders.lock().await.stats(kind, received);
        self.outlet.event(Event::Media { kind, stats });
    }

    /// Tells the selected pair whenever it is another one.
    async fn selected_pair(&mut self) {
        let Some(pair) = self.current_pair().await else {
            return;
        };
        let selected = {
            let gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
            gathered.selected(&pair)
        };
        if let Some(pair) = selected
            && self.selected.as_ref() != Some(&pair)
        {
            self.outlet.event(Event::SelectedPair(pair.clone()));
            self.found(&pair.remote);
            self.selected = Some(pair);
        }
    }

    /// Tells a remote candidate that checks have brought, and not signalling.
    fn found(&self, remote: &Candidate) {
        let is_new = remote.candidate_type == CandidateType::Prflx && {
            let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
            gathered.take_remote(remote)
        };
        if is_new {
            self.outlet.event(Event::RemoteCandidate(remote.clone()));
        }
    }

    async fn current_pair(&self) -> Option<RTCIceCandidatePair> {
        let sctp = self.connection.sctp().await?;
        let ice = sctp.transport().ice_transport();
        match ice.get_selected_candidate_pair().await {
            Ok(pair) => pair,
            Err(error) => {
                tracing::warn!(%error, "the selected candidate pair is not known");
                None
            }
        }
    }
}
