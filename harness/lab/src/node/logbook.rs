//! What a node's container printed, for `logs/<node>.log` and for error messages.

use farcall_protocol::Message;
use farcall_timeline::{Event, Level};
use std::collections::VecDeque;

/// How much is kept of a node's output; the oldest lines go first.
const KEPT_BYTES: usize = 8 << 20;

/// How many lines an error message quotes.
const QUOTED_LINES: usize = 15;

/// The last lines of a node's output.
#[derive(Debug, Default)]
pub(crate) struct Logbook {
    lines: VecDeque<String>,
    bytes: usize,
    dropped: usize,
}

impl Logbook {
    /// Takes a line as it was printed.
    pub(crate) fn line(&mut self, line: impl Into<String>) {
        let line = line.into();
        self.bytes += line.len() + 1;
        self.lines.push_back(line);
        while self.bytes > KEPT_BYTES {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= oldest.len() + 1;
            self.dropped += 1;
        }
    }

    /// Takes a message of the agent that came as `line`. Log events are written as a person reads
    /// them; answers and candidates are conversation and belong in no log.
    pub(crate) fn message(&mut self, line: &str, message: &Message) {
        match message {
            Message::Event {
                event:
                    Event::Log {
                        level,
                        target,
                        message,
                    },
                ..
            } => self.line(format!("{} {target}: {message}", name(*level))),
            Message::Event { .. } => self.line(line),
            Message::Reply { .. } | Message::Signal(_) => {}
        }
    }

    /// Everything that is kept, a line break after each line.
    pub(crate) fn text(&self) -> String {
        let mut text = String::with_capacity(self.bytes + 64);
        if self.dropped > 0 {
            text.push_str(&format!("({} older lines are not kept)\n", self.dropped));
        }
        for line in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Whether nothing has been written yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The last lines, each indented by two spaces.
    pub(crate) fn tail(&self) -> String {
        if self.lines.is_empty() {
            return "  (it wrote nothing)".to_owned();
        }
        let skipped = self.lines.len().saturating_sub(QUOTED_LINES);
        let quoted: Vec<String> = self
            .lines
            .iter()
            .skip(skipped)
            .map(|line| format!("  {line}"))
            .collect();
        quoted.join("\n")
    }
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Error => "ERROR",
        Level::Warn => "WARN",
        Level::Info => "INFO",
        Level::Debug => "DEBUG",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use farcall_protocol::Reply;

    #[test]
    fn the_tail_is_the_last_lines() {
        let mut logbook = Logbook::default();
        assert_eq!(logbook.tail(), "  (it wrote nothing)");
        (0..20).for_each(|number| logbook.line(format!("line {number}")));
        let tail = logbook.tail();
        assert_eq!(tail.lines().count(), QUOTED_LINES);
        assert!(tail.starts_with("  line 5\n") && tail.ends_with("  line 19"));
        assert!(logbook.text().starts_with("line 0\n"));
    }

    #[test]
    fn the_oldest_lines_go_first() {
        let mut logbook = Logbook::default();
        (0..3).for_each(|_| logbook.line("x".repeat(KEPT_BYTES / 2)));
        logbook.line("last");
        let text = logbook.text();
        assert!(text.starts_with("(2 older lines are not kept)\n"));
        assert!(text.ends_with("last\n") && text.len() < KEPT_BYTES);
    }

    #[test]
    fn conversation_is_not_log() {
        let mut logbook = Logbook::default();
        let event = Event::Log {
            level: Level::Info,
            target: "coturn".into(),
            message: "up".into(),
        };
        logbook.message("{..}", &Message::Event { at_ns: 1, event });
        let reply = Reply::Files {
            files: vec![("name".into(), "pwd".into())],
        };
        logbook.message("{pwd}", &Message::Reply { id: 1, reply });
        let event = Event::NodeReady { after_ms: 1.0 };
        logbook.message("{ready}", &Message::Event { at_ns: 2, event });
        assert_eq!(logbook.text(), "INFO coturn: up\n{ready}\n");
    }
}
