//! What is going on, on standard error: one live line on a terminal, plain lines elsewhere.

use crate::output;
use farcall_timeline::{Entry, Event, Level};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// How often the live line turns.
const TICK: Duration = Duration::from_millis(120);

/// A line that says what is going on.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// A live line if standard error is a terminal.
    pub(crate) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { bar }
    }

    /// Says what is going on now.
    pub(crate) fn say(&self, message: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(message.to_owned()),
            None => output::note(message),
        }
    }

    /// Says what is going on only where it does not stay.
    pub(crate) fn say_if_live(&self, message: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(message.to_owned());
        }
    }

    /// Writes lines that stay, above the live line.
    pub(crate) fn keep(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| output::note(text)),
            None => output::note(text),
        }
    }

    /// Runs `print` while the live line is out of the way.
    pub(crate) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// An entry as a line of a log; `None` for what is no log line, or only for developers.
pub(crate) fn log_line(entry: &Entry) -> Option<String> {
    let Event::Log { level, message, .. } = &entry.event else {
        return None;
    };
    (*level != Level::Debug).then(|| format!("{:>9.1} ms  {}: {message}", entry.at_ms, entry.node))
}
