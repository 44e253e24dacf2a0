//! The one way out of an agent: whatever it says is put in order here and written by one task.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use farcall_protocol::{Message, Reply, Signal};
use farcall_scenario::Secret;
use farcall_timeline::{Event, Level, TurnSession};
use tokio::io::{AsyncWrite, AsyncWriteExt, BufWriter};
use tokio::sync::{mpsc, oneshot};

/// Says things to the host. Clones are cheap and may be used from any task or thread.
#[derive(Clone)]
pub struct Outlet {
    lines: mpsc::UnboundedSender<Line>,
    start: Instant,
    secrets: Arc<RwLock<Vec<String>>>,
}

/// What the outlets have said and nobody has written yet.
pub struct Said(mpsc::UnboundedReceiver<Line>);

/// Something for the writer.
enum Line {
    Message(Box<Message>),
    /// Somebody waits until all before this is written.
    Awaited(oneshot::Sender<()>),
}

impl Outlet {
    /// An outlet whose clock starts now, and what is said through it or its clones.
    #[must_use]
    pub fn new() -> (Self, Said) {
        let (lines, said) = mpsc::unbounded_channel();
        let outlet = Self {
            lines,
            start: Instant::now(),
            secrets: Arc::default(),
        };
        (outlet, Said(said))
    }

    /// Reports an event as of now.
    pub fn event(&self, event: Event) {
        let at_ns = self.now_ns();
        let event = self.without_secrets(event);
        self.say(Message::Event { at_ns, event });
    }

    /// Reports a line of a log, the agent's own or a program's.
    pub fn log(&self, level: Level, target: &str, line: &str) {
        self.event(Event::Log {
            level,
            target: target.to_owned(),
            message: line.to_owned(),
        });
    }

    /// Says something to the other peer.
    pub fn signal(&self, signal: Signal) {
        self.say(Message::Signal(signal));
    }

    /// Answers the request with this `id`.
    pub fn reply(&self, id: u64, reply: Reply) {
        let reply = match reply {
            Reply::Failed { message } => Reply::Failed {
                message: self.redact(&message),
            },
            Reply::Files { files } => Reply::Files {
                files: files
                    .into_iter()
                    .map(|(name, text)| (name, self.redact(&text)))
                    .collect(),
            },
            other => other,
        };
        self.say(Message::Reply { id, reply });
    }

    /// The agent's monotonic clock: nanoseconds since it started.
    #[must_use]
    pub fn now_ns(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// From now on nothing that is said has this text in it.
    pub fn keep_secret(&self, secret: &str) {
        if !secret.is_empty() {
            let mut secrets = self.secrets.write().unwrap_or_else(PoisonError::into_inner);
            secrets.push(secret.to_owned());
            // A secret that contains another one must go first, or its rest would stay.
            secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        }
    }

    fn without_secrets(&self, event: Event) -> Event {
        match event {
            Event::Log {
                level,
                target,
                message,
            } => Event::Log {
                level,
                target,
                message: self.redact(&message),
            },
            Event::HarnessFault { message } => Event::HarnessFault {
                message: self.redact(&message),
            },
            // A user name that is also the password, as public servers have it.
            Event::TurnSession(session) => Event::TurnSession(TurnSession {
                username: session.username.map(|name| self.redact(&name)),
                ..session
            }),
            other => other,
        }
    }

    fn redact(&self, text: &str) -> String {
        let secrets = self.secrets.read().unwrap_or_else(PoisonError::into_inner);
        secrets.iter().fold(text.to_owned(), |text, secret| {
            text.replace(secret.as_str(), Secret::REDACTED)
        })
    }

    fn say(&self, message: Message) {
        // Nobody listens any more only when the agent is shutting down.
        let _ = self.lines.send(Line::Message(Box::new(message)));
    }

    /// Waits until all that was said before is written, or nobody writes any more.
    pub(crate) async fn written(&self) {
        let (sender, written) = oneshot::channel();
        let _ = self.lines.send(Line::Awaited(sender));
        let _ = written.await;
    }
}

impl Said {
    /// The next thing said, `None` when no outlet is left. For tests of what reports.
    pub async fn next(&mut self) -> Option<Message> {
        while let Some(line) = self.0.recv().await {
            if let Line::Message(message) = line {
                return Some(*message);
            }
        }
        None
    }

    /// What has been said so far. For tests of what reports.
    pub fn so_far(&mut self) -> Vec<Message> {
        let lines = std::iter::from_fn(|| self.0.try_recv().ok());
        lines
            .filter_map(|line| match line {
                Line::Message(message) => Some(*message),
                Line::Awaited(_) => None,
            })
            .collect()
    }

    /// Writes one line a message, in the order in which they were said, until no outlet is left.
    ///
    /// # Errors
    ///
    /// That of the writer; nobody hears the agent then.
    pub async fn write_to(mut self, writer: impl AsyncWrite + Unpin) -> std::io::Result<()> {
        let mut writer = BufWriter::new(writer);
        while let Some(first) = self.0.recv().await {
            let mut waiting = Vec::new();
            let mut next = Some(first);
            while let Some(line) = next {
                match line {
                    Line::Message(message) => write_line(&mut writer, &message).await?,
                    Line::Awaited(sender) => waiting.push(sender),
                }
                next = self.0.try_recv().ok();
            }
            writer.flush().await?;
            for sender in waiting {
                // Who waited may have gone.
                let _ = sender.send(());
            }
        }
        Ok(())
    }
}

async fn write_line(
    writer: &mut (impl AsyncWrite + Unpin),
    message: &Message,
) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    writer.write_all(&line).await
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[tokio::test]
    async fn lines_come_out_in_order_without_secrets() {
        let (outlet, said) = Outlet::new();
        outlet.keep_secret("geheim");
        outlet.keep_secret("geheimnis");
        outlet.keep_secret("");
        outlet.log(Level::Info, "coturn", "password geheimnis, or geheim");
        outlet.reply(7, Reply::Done);
        outlet.reply(
            8,
            Reply::Failed {
                message: "turnadmin -p geheim".to_owned(),
            },
        );
        drop(outlet);
        let mut written = Vec::new();
        said.write_to(&mut written).await.unwrap();
        let text = String::from_utf8(written).unwrap();
        let messages = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect::<Vec<Message>>();
        assert!(!text.contains("geheim"), "{text}");
        assert!(matches!(messages[0], Message::Event { .. }));
        assert!(matches!(messages[1], Message::Reply { id: 7, .. }));
        assert!(matches!(messages[2], Message::Reply { id: 8, .. }));
        assert!(
            text.contains("password [redacted], or [redacted]"),
            "{text}"
        );
    }
}
