//! Requests to a node, and its answers.

use super::clock::{Offset, PINGS};
use super::error::NodeError;
use super::logbook::Logbook;
use super::sink::EventSink;
use farcall_protocol::{Command, Message, Reply, Request, Signal};
use farcall_timeline::{Event, Level};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

/// How long the first line of a node that failed may be on its way, and how often it is looked for.
const LOG_DEADLINE: Duration = Duration::from_millis(500);
const LOG_POLL: Duration = Duration::from_millis(10);

/// A node of a raised lab. Any number of requests may be under way at once.
#[derive(Debug)]
pub struct NodeHandle {
    pub(super) shared: Arc<Shared>,
    /// The tasks that read and write; they end with the handle.
    pub(super) _tasks: JoinSet<()>,
}

/// What handle and tasks have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) name: String,
    lines: mpsc::UnboundedSender<String>,
    conversation: Mutex<Conversation>,
    next_id: AtomicU64,
    logbook: Mutex<Logbook>,
    pub(super) sink: EventSink,
    signal_sender: mpsc::UnboundedSender<Signal>,
    signals: Signals,
    end_expected: AtomicBool,
}

/// The requests under way, until the node is gone.
#[derive(Debug)]
enum Conversation {
    Open(HashMap<u64, oneshot::Sender<Reply>>),
    Over { ending: String },
}

/// What a peer says to the other. Each message goes to one receiver, however many there are.
#[derive(Debug, Clone)]
pub struct Signals(Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<Signal>>>);

impl Signals {
    /// The next message; `None` when the node is gone and all were taken.
    pub async fn recv(&mut self) -> Option<Signal> {
        self.0.lock().await.recv().await
    }
}

impl NodeHandle {
    /// The node's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// Asks the node to do something and waits for its answer, at most for `within`.
    ///
    /// # Errors
    /// When the node answers that it failed, is gone, or does not answer in time.
    pub async fn request(&self, command: Command, within: Duration) -> Result<Reply, NodeError> {
        let awaited = answer_to(&command);
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let answer = self.shared.ask(&Request { id, command })?;
        match tokio::time::timeout(within, answer).await {
            Ok(Ok(Reply::Failed { message })) => Err(NodeError::Failed {
                node: self.shared.name.clone(),
                message,
                log: self.shared.tail_of_failure().await,
            }),
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(_closed)) => Err(self.shared.gone()),
            Err(_elapsed) => {
                self.shared.forget(id);
                Err(NodeError::Deadline {
                    node: self.shared.name.clone(),
                    awaited,
                    within,
                    log: self.shared.logbook().tail(),
                })
            }
        }
    }

    /// Sees that the node stands still: that it leaves a question unanswered for so long.
    ///
    /// # Errors
    /// When it answers, or is gone.
    pub async fn stands_still(&self, within: Duration) -> Result<(), NodeError> {
        match self.request(Command::Clock, within).await {
            Err(NodeError::Deadline { .. }) => Ok(()),
            Err(other) => Err(other),
            Ok(_) => Err(NodeError::GoesOn {
                node: self.shared.name.clone(),
            }),
        }
    }

    /// The error for an answer of a kind that was not asked for.
    #[must_use]
    pub fn unexpected(&self, reply: &Reply) -> NodeError {
        NodeError::Unexpected {
            node: self.shared.name.clone(),
            reply: kind(reply),
        }
    }

    /// What the node says to the other peer.
    #[must_use]
    pub fn signals(&self) -> Signals {
        self.shared.signals.clone()
    }

    /// What the node's container printed so far: log lines and events as they came, without the
    /// answers to requests.
    #[must_use]
    pub fn log(&self) -> String {
        self.shared.logbook().text()
    }

    /// Asks for the node's clock a few times and brings its events onto the harness's.
    pub(crate) async fn synchronise(&self, within: Duration) -> Result<(), NodeError> {
        let mut best: Option<Offset> = None;
        for _ in 0..PINGS {
            let sent_ms = self.shared.sink.now_ms();
            let reply = self.request(Command::Clock, within).await?;
            let received_ms = self.shared.sink.now_ms();
            let Reply::Clock { now_ns } = reply else {
                return Err(self.unexpected(&reply));
            };
            let offset = Offset::measured(sent_ms, received_ms, now_ns);
            best = Some(best.map_or(offset, |best| best.better(offset)));
        }
        if let Some(offset) = best {
            self.shared.sink.synchronise(offset);
        }
        Ok(())
    }

    /// A moment, on the node's own clock in nanoseconds; `None` while that is not known.
    #[must_use]
    pub fn on_its_clock(&self, at: Instant) -> Option<u64> {
        self.shared.sink.on_its_clock(at)
    }

    /// The moment of a time of the node's own clock in nanoseconds; `None` while that is not known.
    #[must_use]
    pub fn moment(&self, at_ns: u64) -> Option<Instant> {
        self.shared.sink.moment(at_ns)
    }

    /// From now on the node's end is no event: it is being removed, or left alone.
    pub(crate) fn expect_end(&self) {
        self.shared.end_expected.store(true, Ordering::Relaxed);
    }

    /// Sends the events that still wait for the node's clock.
    pub(crate) fn flush_events(&self) {
        self.shared.sink.give_up();
    }
}

impl Shared {
    pub(super) fn new(name: String, sink: EventSink, lines: mpsc::UnboundedSender<String>) -> Self {
        let (signal_sender, receiver) = mpsc::unbounded_channel();
        Self {
            name,
            lines,
            conversation: Mutex::new(Conversation::Open(HashMap::new())),
            next_id: AtomicU64::new(0),
            logbook: Mutex::default(),
            sink,
            signal_sender,
            signals: Signals(Arc::new(tokio::sync::Mutex::new(receiver))),
            end_expected: AtomicBool::new(false),
        }
    }

    /// The last lines of a node that has just answered that it failed. What it wrote about that comes by another pipe
    /// than its answer, and may come later.
    async fn tail_of_failure(&self) -> String {
        let written = async {
            while self.logbook().is_empty() {
                tokio::time::sleep(LOG_POLL).await;
            }
        };
        // Without a line within the deadline there is none.
        let _ = tokio::time::timeout(LOG_DEADLINE, written).await;
        self.logbook().tail()
    }

    fn ask(&self, request: &Request) -> Result<oneshot::Receiver<Reply>, NodeError> {
        let line = serde_json::to_string(request).map_err(|error| NodeError::Failed {
            node: self.name.clone(),
            message: format!("failed to write the request: {error}"),
            log: self.logbook().tail(),
        })?;
        let (sender, receiver) = oneshot::channel();
        if let Conversation::Open(pending) = &mut *self.conversation() {
            pending.insert(request.id, sender);
            // A writer that is gone means a node that is about to be.
            let _ = self.lines.send(line);
            return Ok(receiver);
        }
        Err(self.gone())
    }

    fn forget(&self, id: u64) {
        if let Conversation::Open(pending) = &mut *self.conversation() {
            pending.remove(&id);
        }
    }

    /// A line of the node's standard output.
    pub(super) fn printed(&self, line: &str) {
        let message = match serde_json::from_str::<Message>(line) {
            Ok(message) => message,
            Err(_) => return self.complained(line, "stdout"),
        };
        self.logbook().message(line, &message);
        match message {
            Message::Event { at_ns, event } => self.sink.reported(at_ns, event),
            // The receiver lives in this very struct.
            Message::Signal(signal) => drop(self.signal_sender.send(signal)),
            Message::Reply { id, reply } => {
                if let Conversation::Open(pending) = &mut *self.conversation()
                    && let Some(waiting) = pending.remove(&id)
                {
                    // Who no longer waits has given up on it.
                    let _ = waiting.send(reply);
                }
            }
        }
    }

    /// A line that is no message: a panic, or a library that prints.
    pub(super) fn complained(&self, line: &str, target: &str) {
        self.logbook().line(line);
        self.sink.noticed(Event::Log {
            level: Level::Warn,
            target: target.to_owned(),
            message: line.to_owned(),
        });
    }

    /// The node ended: every request under way fails, and unless it was asked for, so does the run.
    pub(super) fn ended(&self, exit_code: Option<i64>, ending: String) {
        self.sink.give_up();
        if !self.end_expected.load(Ordering::Relaxed) {
            self.sink.noticed(Event::NodeExited { exit_code });
            self.sink.noticed(Event::HarnessFault {
                message: format!(
                    "the container of {} ended by itself: {ending}; see logs/{}.log",
                    self.name, self.name
                ),
            });
        }
        *self.conversation() = Conversation::Over { ending };
    }

    pub(super) fn end_expected(&self) -> bool {
        self.end_expected.load(Ordering::Relaxed)
    }

    fn gone(&self) -> NodeError {
        let ending = match &*self.conversation() {
            Conversation::Over { ending } => ending.clone(),
            Conversation::Open(_) => "it no longer reads its input".to_owned(),
        };
        NodeError::Gone {
            node: self.name.clone(),
            ending,
            log: self.logbook().tail(),
        }
    }

    fn conversation(&self) -> MutexGuard<'_, Conversation> {
        self.conversation
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn logbook(&self) -> MutexGuard<'_, Logbook> {
        self.logbook.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a command's answer is called in an error message.
fn answer_to(command: &Command) -> &'static str {
    match command {
        Command::Setup(_) => "end of the set-up",
        Command::Clock => "time of its clock",
        Command::Measure { .. } => "measurement",
        Command::EaseLink { .. } => "change of its link",
        Command::Counters => "counters",
        Command::Collect { .. } => "files",
        Command::TellSessions => "end of its allocations",
        Command::BeginFault { .. } => "beginning of a fault",
        Command::EndFault { .. } => "end of a fault",
        Command::LogIn { .. } => "end of the login",
        Command::StartCall(_) => "peer connection",
        Command::Signal(_) => "acceptance of what the other peer says",
        Command::StopMedia => "end of media",
        Command::EndCall => "end of the call",
        Command::Carry { .. } => "figures of the traffic",
        Command::Used => "processor time",
    }
}

fn kind(reply: &Reply) -> &'static str {
    match reply {
        Reply::Done => "`done`",
        Reply::Failed { .. } => "a failure",
        Reply::Clock { .. } => "a time",
        Reply::Measured(_) => "a measurement",
        Reply::Counters { .. } => "counters",
        Reply::Files { .. } => "files",
        Reply::Broken { .. } => "the beginning of a fault",
        Reply::Mended { .. } => "the end of a fault",
        Reply::Carried(_) => "figures of traffic",
        Reply::Used { .. } => "processor time",
    }
}
