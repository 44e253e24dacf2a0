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

/// Which of a run's calls an entry is about, each of which has a log of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// All of them: raising, attestation, collection.
    All,
    /// The one with this number, 0 being the first.
    Only(usize),
}

impl Audience {
    /// Whether the log of the call with this number has the entry. What breaks the lab is about every later call too.
    fn includes(self, number: usize, entry: &Entry) -> bool {
        match self {
            Self::All => true,
            Self::Only(of) => number == of || (number > of && breaks_the_lab(&entry.event)),
        }
    }
}

fn breaks_the_lab(event: &Event) -> bool {
    matches!(
        event,
        Event::NodeExited { .. }
            | Event::HarnessFault { .. }
            | Event::Unsupported { .. }
            | Event::Interrupted
    )
}

/// A place in the record: what came before it, and what came after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position(usize);

impl std::fmt::Display for Position {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "event {}", self.0)
    }
}

/// The one place where all events of a run come together.
pub(crate) struct Recorder {
    started: Instant,
    sender: mpsc::UnboundedSender<Entry>,
    entries: Arc<Mutex<Vec<Entry>>>,
    /// Of each entry, and of those to come.
    audiences: Arc<Mutex<Audiences>>,
    count: watch::Receiver<usize>,
    task: JoinHandle<Result<(), ReportError>>,
}

/// Which calls the entries are about, in the order of their arrival.
struct Audiences {
    of_entries: Vec<Audience>,
    current: Audience,
}

impl Recorder {
    /// Starts to record, with a log for each call; `started` is the run's time zero.
    pub(crate) fn start(
        started: Instant,
        mut logs: Vec<EventWriter>,
        on_event: Option<EventSink>,
    ) -> Self {
        let (sender, mut receiver) = mpsc::unbounded_channel::<Entry>();
        let (counted, count) = watch::channel(0);
        let entries = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&entries);
        let audiences = Arc::new(Mutex::new(Audiences {
            of_entries: Vec::new(),
            current: Audience::All,
        }));
        let to = Arc::clone(&audiences);
        let task = tokio::spawn(async move {
            let mut outcome = Ok(());
            while let Some(entry) = receiver.recv().await {
                if let Some(on_event) = &on_event {
                    on_event(&entry);
                }
                let audience = {
                    let mut audiences = locked(&to);
                    let current = audiences.current;
                    audiences.of_entries.push(current);
                    current
                };
                // A full disk must not end the call: the first error is reported at the end.
                if outcome.is_ok() {
                    outcome = logs
                        .iter_mut()
                        .enumerate()
                        .filter(|(number, _)| audience.includes(*number, &entry))
                        .try_for_each(|(_, log)| log.append(&entry));
                }
                let mut kept = locked(&kept);
                kept.push(entry);
                counted.send_replace(kept.len());
            }
            outcome
        });
        Self {
            started,
            sender,
            entries,
            audiences,
            count,
            task,
        }
    }

    /// From now on entries are about these calls.
    pub(crate) fn turn_to(&self, audience: Audience) {
        locked(&self.audiences).current = audience;
    }

    /// Where nodes send their entries.
    pub(crate) fn sender(&self) -> mpsc::UnboundedSender<Entry> {
        self.sender.clone()
    }

    /// Records an event of the harness itself, now.
    pub(crate) fn record(&self, event: Event) {
        self.record_of(HARNESS, event);
    }

    /// Records an event of the harness itself that was at a moment of which it learned since.
    pub(crate) fn record_at(&self, at: Instant, event: Event) {
        let at = at.saturating_duration_since(self.started);
        self.send(at.as_secs_f64() * 1e3, HARNESS, event);
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
        self.send(self.now_ms(), node, event);
    }

    fn send(&self, at_ms: f64, node: &str, event: Event) {
        let entry = Entry {
            at_ms,
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

    /// The moment of an entry with this time.
    pub(crate) fn instant(&self, at_ms: f64) -> Instant {
        self.started + Duration::from_secs_f64(at_ms.max(0.0) / 1e3)
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

    /// Records an event of the harness itself and waits until it is among the entries, and with it all that was
    /// sent before.
    pub(crate) async fn settle(&self, event: Event) {
        let from = self.position();
        self.record(event.clone());
        let arrived = |entry: &Entry| (entry.event == event).then_some(());
        // In vain only if the recording task is gone, which `finish` reports.
        let _ = self.find(from, RECORDING_DEADLINE, arrived).await;
    }

    /// All entries so far, ordered by time.
    pub(crate) fn timeline(&self) -> Timeline {
        Timeline::new(self.kept().clone())
    }

    /// What the log of the call with this number has so far, ordered by time.
    pub(crate) fn timeline_of(&self, number: usize) -> Timeline {
        let audiences = locked(&self.audiences);
        let entries = self.kept();
        let both = entries.iter().zip(&audiences.of_entries);
        let own = both.filter(|(entry, audience)| audience.includes(number, entry));
        Timeline::new(own.map(|(entry, _)| entry.clone()).collect())
    }

    /// The entries so far that are wanted, ordered by time.
    pub(crate) fn select(&self, is_wanted: impl Fn(Position, &Entry) -> bool) -> Timeline {
        let entries = self.kept();
        let places = entries.iter().enumerate();
        let wanted = places.filter(|(index, entry)| is_wanted(Position(*index), entry));
        Timeline::new(wanted.map(|(_, entry)| entry.clone()).collect())
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Entry>> {
        locked(&self.entries)
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

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use farcall_report::RunDirectory;
    use farcall_timeline::Phase;

    fn ended(reason: &str) -> Event {
        Event::CallEnded {
            reason: Some(reason.to_owned()),
        }
    }

    fn phase(phase: Phase) -> Event {
        Event::PhaseEnded { phase }
    }

    fn events(timeline: &Timeline) -> Vec<Event> {
        let entries = timeline.entries().iter();
        entries.map(|entry| entry.event.clone()).collect()
    }

    #[tokio::test]
    async fn each_call_has_the_log_of_its_own_and_of_what_all_have_in_common() {
        let out = tempfile::tempdir().unwrap();
        let directories = ["first", "second"].map(|name| out.path().join(name));
        let logs = directories.each_ref().map(|path| {
            std::fs::create_dir(path).unwrap();
            RunDirectory::at(path).events().unwrap()
        });
        let recorder = Recorder::start(Instant::now(), logs.into(), None);
        recorder.settle(phase(Phase::Attest)).await;
        recorder.turn_to(Audience::Only(0));
        recorder.record(ended("the first"));
        recorder.fault("it broke".to_owned());
        recorder.settle(phase(Phase::Call)).await;
        recorder.turn_to(Audience::Only(1));
        recorder.record(ended("the second"));
        recorder.settle(phase(Phase::Call)).await;
        recorder.turn_to(Audience::All);
        recorder.settle(phase(Phase::Collect)).await;

        let fault = Event::HarnessFault {
            message: "it broke".to_owned(),
        };
        let first = [
            phase(Phase::Attest),
            ended("the first"),
            fault.clone(),
            phase(Phase::Call),
            phase(Phase::Collect),
        ];
        // What breaks the lab is of the later calls too.
        let second = [
            phase(Phase::Attest),
            fault,
            ended("the second"),
            phase(Phase::Call),
            phase(Phase::Collect),
        ];
        assert_eq!(events(&recorder.timeline_of(0)), first);
        assert_eq!(events(&recorder.timeline_of(1)), second);
        recorder.finish().await.unwrap();
        for (directory, expected) in directories.iter().zip([&first[..], &second]) {
            let file = std::fs::File::open(directory.join("events.jsonl")).unwrap();
            let timeline = farcall_timeline::read_events(std::io::BufReader::new(file));
            assert_eq!(events(&timeline.unwrap()), expected);
        }
    }
}
