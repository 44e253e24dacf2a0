//! What a person sees while an image is made, and the last lines kept for the error message.

use std::collections::VecDeque;

/// One line of progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A step begins, in words for a person.
    Step(String),
    /// A line that Docker, apt or tar wrote while at it, without its line break.
    Log(String),
}

/// Receives the progress of a build; it is called from the task that builds and must not block.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// How many lines an error message quotes.
const KEPT_LINES: usize = 20;

/// Passes lines on and remembers the last ones.
pub(super) struct Log<'a> {
    on_progress: OnProgress<'a>,
    tail: VecDeque<String>,
}

impl<'a> Log<'a> {
    pub(super) fn new(on_progress: OnProgress<'a>) -> Self {
        Self {
            on_progress,
            tail: VecDeque::with_capacity(KEPT_LINES),
        }
    }

    pub(super) fn step(&mut self, text: impl Into<String>) {
        (self.on_progress)(Progress::Step(text.into()));
    }

    /// Takes text of any number of lines.
    pub(super) fn lines(&mut self, text: &str) {
        for line in text.lines().map(str::trim_end).filter(|l| !l.is_empty()) {
            (self.on_progress)(Progress::Log(line.to_owned()));
            if self.tail.len() == KEPT_LINES {
                self.tail.pop_front();
            }
            self.tail.push_back(line.to_owned());
        }
    }

    /// The last lines, each indented by two spaces.
    pub(super) fn tail(&self) -> String {
        if self.tail.is_empty() {
            return "  (it wrote nothing)".to_owned();
        }
        let lines = self.tail.iter().map(|line| format!("  {line}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn every_line_is_passed_on_and_the_last_are_kept() {
        let seen = Mutex::new(Vec::new());
        let on_progress = |progress| {
            if let Ok(mut seen) = seen.lock() {
                seen.push(progress);
            }
        };
        let mut log = Log::new(&on_progress);
        log.step("pulling");
        for number in 0..25 {
            log.lines(&format!("line {number}\r\n\n"));
        }
        let tail = log.tail();
        assert_eq!(tail.lines().count(), KEPT_LINES);
        assert!(tail.starts_with("  line 5\n") && tail.ends_with("  line 24"));
        let seen = seen.into_inner().unwrap_or_default();
        assert_eq!(seen.len(), 26);
        assert_eq!(seen[0], Progress::Step("pulling".to_owned()));
        assert_eq!(seen[1], Progress::Log("line 0".to_owned()));
    }

    #[test]
    fn silence_is_said() {
        assert_eq!(Log::new(&|_| {}).tail(), "  (it wrote nothing)");
    }
}
