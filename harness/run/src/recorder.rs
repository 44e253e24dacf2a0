//! Takes every event as it comes, keeps it, writes it to `events.jsonl`, and lets the run wait for
//! what it needs to have happened.

use crate::EventSink;
use farcall_report::{EventWriter, ReportError};
use farcall_timeline::{Entry, Event, Timeline};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// The node name under which the harness itself reports.
pub(crate) const HARNESS: &str = "harness";

/// How long events that were sent may take to be recorded.
const RECORDING_DEADLINE: Duration = Duration::from_secs(5);

/// The one place where all events of a run come together.
pub(crate) struct Recorder {
    started: Instant,
    sender: mpsc::UnboundedSender<Entry>,
    entries: Arc<Mutex<Vec<Entry>>>,
    count: watch::Receiver<usize>,
    task: JoinHandle<Result<(), ReportError>>,
}

impl Recorder {
    /// Starts to record; `started` is the run's time zero.
    pub(crate) fn start(
        started: Instant,
        mut writer: EventWriter,
        on_event: Option<EventSink>,
    ) -> Self {
        let (sender, mut receiver) = mpsc::unbounded_channel::<Entry>();
        let (counted, count) = watch::channel(0);
        let entries = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&entries);
        let task = tokio::spawn(async move {
            let mut outcome = Ok(());
            while let Some(entry) = receiver.recv().await {
                if let Some(on_event) = &on_event {
                    on_event(&entry);
                }
                // A full disk must not end the call: the first error is reported at the end.
                if outcome.is_ok() {
                    outcome = writer.append(&entry);
                }
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push(entry);
                counted.send_replace(kept.len());
            }
            outcome
        });
        Self {
            started,
            sender,
            entries,
            count,
            task,
        }
    }

    /// Where nodes send their entries.
    pub(crate) fn sender(&self) -> mpsc::UnboundedSender<Entry> {
        self.sender.clone()
    }

    /// Records an event of the harness itself, now.
    pub(crate) fn record(&self, event: Event) {
        self.record_of(HARNESS, event);
    }

    /// Records a fault of the lab or of Docker, which makes the run INVALID.
    pub(crate) fn fault(&self, message: String) {
        self.record(Event::HarnessFault { message });
    }

    /// Records an event of a node that the harness learned of just now.
    pub(crate) fn record_of(&self, node: &str, event: Event) {
        let entry = Entry {
            at_ms: self.started.elapsed().as_secs_f64() * 1000.0,
            node: node.to_owned(),
            event,
        };
        // The receiver lives as long as this recorder.
        let _ = self.sender.send(entry);
    }

    /// Waits until `condition` holds of all entries so far; `None` when it does not within
    /// `deadline`.
    pub(crate) async fn wait_for<T>(
        &self,
        deadline: Duration,
        mut condition: impl FnMut(&[Entry]) -> Option<T>,
    ) -> Option<T> {
        let mut count = self.count.clone();
        let search = async {
            loop {
                count.borrow_and_update();
                let found = {
                    let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
                    condition(&entries)
                };
                if found.is_some() {
                    return found;
                }
                if count.changed().await.is_err() {
                    return None;
                }
            }
        };
        tokio::time::timeout(deadline, search).await.ok().flatten()
    }

    /// Waits until this event, which was just recorded, is among the entries, and with it all that was
    /// sent before.
    pub(crate) async fn recorded(&self, event: &Event) {
        let arrived = |entries: &[Entry]| {
            let mut newest = entries.iter().rev();
            newest.any(|entry| entry.event == *event).then_some(())
        };
        // In vain only if the recording task is gone, which `finish` reports.
        let _ = self.wait_for(RECORDING_DEADLINE, arrived).await;
    }

    /// All entries so far, ordered by time.
    pub(crate) fn timeline(&self) -> Timeline {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        Timeline::new(entries.clone())
    }

    /// Ends the recording once every other sender is gone and all that was sent is written.
    ///
    /// # Errors
    /// When the event log could not be written.
    pub(crate) async fn finish(self) -> Result<(), ReportError> {
        drop(self.sender);
        match self.task.await {
            Ok(written) => written,
            Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
        }
    }
}
