//! Several things at the same time, on standard error: on a terminal a live line for each and one for all;
//! elsewhere a plain line when each begins.

use crate::output;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How often the live lines turn.
const TICK: Duration = Duration::from_millis(120);

/// The lines of what is under way.
#[derive(Clone)]
pub(crate) struct Board {
    lines: Option<(MultiProgress, ProgressBar)>,
    /// What is counted: `runs`, `calls`.
    what: &'static str,
    total: usize,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    begun: AtomicUsize,
    not_passed: AtomicUsize,
}

/// One thing that is under way.
pub(crate) struct Line {
    title: String,
    bar: Option<ProgressBar>,
}

impl Board {
    /// A board for so many things.
    pub(crate) fn new(what: &'static str, total: usize) -> Self {
        let lines = std::io::stderr().is_terminal().then(|| {
            let lines = MultiProgress::new();
            let length = u64::try_from(total).unwrap_or(u64::MAX);
            let all = lines.add(ProgressBar::new(length));
            let style = "{bar:20} {pos} of {len} {msg}, {elapsed} so far, about {eta} left";
            if let Ok(style) = ProgressStyle::with_template(style) {
                all.set_style(style);
            }
            all.set_message(what);
            all.enable_steady_tick(TICK);
            (lines, all)
        });
        Self {
            lines,
            what,
            total,
            counts: Arc::default(),
        }
    }

    /// Something begins, of which a plain line tells where there is no live one.
    pub(crate) fn begin(&self, title: String) -> Line {
        let number = self.counts.begun.fetch_add(1, Ordering::Relaxed) + 1;
        let of = match self.total {
            1 => String::new(),
            total => format!(" ({number} of {total})"),
        };
        self.keep_if_plain(&format!("running {title}{of}"));
        self.open(title)
    }

    /// A live line, where there are any.
    pub(crate) fn open(&self, title: String) -> Line {
        let bar = self.lines.as_ref().map(|(lines, all)| {
            let bar = lines.insert_before(all, ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>4} {wide_msg}") {
                bar.set_style(style);
            }
            bar.set_message(title.clone());
            bar.enable_steady_tick(TICK);
            bar
        });
        Line { title, bar }
    }

    /// Writes a line where there are no live ones.
    pub(crate) fn keep_if_plain(&self, text: &str) {
        if self.lines.is_none() {
            output::note(text);
        }
    }

    /// Something is over.
    pub(crate) fn end(&self, line: &Line, has_passed: bool) {
        line.clear();
        let more = usize::from(!has_passed);
        let before = self.counts.not_passed.fetch_add(more, Ordering::Relaxed);
        if let Some((_, all)) = &self.lines {
            all.inc(1);
            all.set_message(counted(self.what, before + more));
        }
    }

    /// Nothing more begins.
    pub(crate) fn close(&self) {
        if let Some((_, all)) = &self.lines {
            all.finish_and_clear();
        }
    }

    /// Writes lines that stay, above the live ones.
    pub(crate) fn keep(&self, text: &str) {
        self.aside(|| output::note(text));
    }

    /// Runs `print` while the live lines are out of the way.
    pub(crate) fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.lines {
            Some((lines, _)) => lines.suspend(print),
            None => print(),
        }
    }
}

impl Line {
    /// What is under way.
    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    /// How far it is, where that does not stay.
    pub(crate) fn say(&self, where_it_is: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{}: {where_it_is}", self.title));
        }
    }

    fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.clear();
    }
}

fn counted(what: &str, failed: usize) -> String {
    match failed {
        0 => what.to_owned(),
        failed => format!("{what}, {failed} not passed"),
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn what_did_not_pass_is_counted_once_there_is_any() {
        assert_eq!(counted("runs", 0), "runs");
        assert_eq!(counted("runs", 2), "runs, 2 not passed");
    }
}
