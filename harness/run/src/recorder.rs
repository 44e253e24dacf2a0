//! Takes every event as it comes, keeps it, writes it to `events.jsonl`, and lets the run wait for
//! what it needs to have happened.

use crate::EventSink;
use farcall_lab::RaiseError;
use farcall_report::{EventWriter, ReportError};
use farcall_timeline::{Entry, Event, Timeline};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// The node name under which the harness itself reports.
pub(crate) const HARNESS: &str = "harness";

/// How long events that were sent may take to be recorded.
pub(crate) const RECORDING_DEADLINE: Duration = Duration::from_secs(5);

/// A place in the record: what came before it, and what came after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position(usize);

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

    /// Records that the lab could not be raised.
    pub(crate) fn not_raised(&self, error: &RaiseError) {
        let reason = error.to_string();
        match error.is_unsupported() {
            true => self.record(Event::Unsupported { reason }),
            false => self.fault(reason),
        }
    }

    /// Records an event of a node that the harness learned of just now.
    pub(crate) fn record_of(&self, node: &str, event: Event) {
        let entry = Entry {
            at_ms: self.now_ms(),
            node: node.to_owned(),
            event,
        };
        // The receiver lives as long as this recorder.
        let _ = self.sender.send(entry);
    }

    /// Milliseconds since the run's time zero.
    pub(crate) fn now_ms(&self) -> f64 {
        self.started.elapsed().as_secs_f64() * 1000.0
    }

    /// The end of what has been recorded by now.
    pub(crate) fn position(&self) -> Position {
        Position(self.kept().len())
    }

    /// Shows `search` every entry after `from` once, as they come, until it finds something; `None` when it
    /// does not within `deadline`.
    pub(crate) async fn find<T>(
        &self,
        Position(mut next): Position,
        deadline: Duration,
        mut search: impl FnMut(&Entry) -> Option<T>,
    ) -> Option<T> {
        let mut count = self.count.clone();
        let search = async {
            loop {
                count.borrow_and_update();
                {
                    let entries = self.kept();
                    let new = entries.get(next..).unwrap_or_default();
                    if let Some(found) = new.iter().find_map(&mut search) {
                        return Some(found);
                    }
                    next = entries.len();
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
        let arrived = |entry: &Entry| (entry.event == *event).then_some(());
        // In vain only if the recording task is gone, which `finish` reports.
        let _ = self.find(Position(0), RECORDING_DEADLINE, arrived).await;
    }

    /// All entries so far, ordered by time.
    pub(crate) fn timeline(&self) -> Timeline {
        Timeline::new(self.kept().clone())
    }

    /// The entries so far that are wanted, ordered by time.
    pub(crate) fn select(&self, is_wanted: impl Fn(Position, &Entry) -> bool) -> Timeline {
        let entries = self.kept();
        let places = entries.iter().enumerate();
        let wanted = places.filter(|(index, entry)| is_wanted(Position(*index), entry));
        Timeline::new(wanted.map(|(_, entry)| entry.clone()).collect())
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
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
