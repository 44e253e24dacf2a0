//! The data channel of a call: numbered messages in both directions.

use super::data::{MessageReceiver, message};
use super::{Pace, Role, lock};
use farcall_timeline::DataStats;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use webrtc::data_channel::{DataChannel, DataChannelEvent};

/// The label of the data channel, which the offerer creates with the crate's defaults: reliable and
/// ordered.
pub const DATA_CHANNEL_LABEL: &str = "farcall";

/// The time between two messages.
const PERIOD: Duration = Duration::from_millis(50);

/// How long what was sent may be on its way once nothing more is sent, and how often that is looked at.
const DRAIN_DEADLINE: Duration = Duration::from_secs(3);
const DRAIN_POLL: Duration = Duration::from_millis(20);

/// One side of the data channel. Cheap to clone: all clones count together.
#[derive(Clone)]
pub struct DataLink {
    role: Role,
    stats: Arc<Mutex<DataStats>>,
    channel: Arc<Mutex<Option<Arc<dyn DataChannel>>>>,
    opened: CancellationToken,
    cancel: CancellationToken,
}

impl DataLink {
    /// The link of this side.
    #[must_use]
    pub fn new(role: Role) -> Self {
        Self {
            role,
            stats: Arc::default(),
            channel: Arc::default(),
            opened: CancellationToken::new(),
            cancel: CancellationToken::new(),
        }
    }

    /// Receives and, as soon as the channel is open, sends, in a task of its own, until the
    /// channel closes: for the offerer's new channel, and for the answerer's
    /// [`on_data_channel`](webrtc::peer_connection::PeerConnectionEventHandler::on_data_channel).
    pub fn run(&self, channel: Arc<dyn DataChannel>) {
        *lock(&self.channel) = Some(Arc::clone(&channel));
        let link = self.clone();
        tokio::spawn(async move { link.receive(channel).await });
    }

    /// Waits until the channel is open.
    pub async fn opened(&self) {
        self.opened.cancelled().await;
    }

    /// Ends sending; what the other side still sends is received.
    pub fn stop(&self) {
        self.cancel.cancel();
    }

    /// Waits until all that was sent has been acknowledged, so that none of it is under way when totals are read; not
    /// for ever, since the way may be blocked.
    pub async fn drained(&self) {
        let Some(channel) = lock(&self.channel).clone() else {
            return;
        };
        let drained = async {
            while channel
                .outstanding_bytes()
                .await
                .is_ok_and(|bytes| bytes > 0)
            {
                tokio::time::sleep(DRAIN_POLL).await;
            }
        };
        if tokio::time::timeout(DRAIN_DEADLINE, drained).await.is_err() {
            tracing::info!("data that was sent is not acknowledged yet");
        }
    }

    /// What was sent and received until now.
    #[must_use]
    pub fn stats(&self) -> DataStats {
        lock(&self.stats).clone()
    }

    async fn receive(self, channel: Arc<dyn DataChannel>) {
        // A child ends with this task too, not only with the whole link.
        let sending = self.cancel.child_token();
        let _end = sending.clone().drop_guard();
        let mut receiver = MessageReceiver::new(self.role.other());
        while let Some(event) = channel.poll().await {
            match event {
                DataChannelEvent::OnOpen => {
                    self.opened.cancel();
                    let (link, channel) = (self.clone(), Arc::clone(&channel));
                    let until = sending.clone();
                    tokio::spawn(async move { link.send(channel, until).await });
                }
                DataChannelEvent::OnMessage(message) => {
                    receiver.on_message(&message.data, &mut lock(&self.stats));
                }
                DataChannelEvent::OnClose => return,
                _ => {}
            }
        }
    }

    async fn send(self, channel: Arc<dyn DataChannel>, until: CancellationToken) {
        let mut pace = Pace::new(Instant::now(), PERIOD);
        let mut number = 0;
        let due = |pace: &Pace| tokio::time::sleep_until(pace.due_at().into());
        while until.run_until_cancelled(due(&pace)).await.is_some() {
            if pace.take(Instant::now()).is_none() {
                continue;
            }
            let message = message(self.role, number);
            let bytes = message.len() as u64;
            if let Err(error) = channel.send(message).await {
                tracing::warn!(%error, number, "sending data ended: the channel takes no message");
                return;
            }
            number += 1;
            let mut stats = lock(&self.stats);
            stats.messages_sent += 1;
            stats.bytes_sent += bytes;
        }
    }
}
