//! Colours, for those who want them. Nothing is said by colour alone.

use anstyle::{AnsiColor, Style};
use farcall_timeline::IceServerOutcome;
use farcall_verdict::{CheckVerdict, Verdict};

/// Paints words, or leaves them as they are.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    /// Whether it paints.
    pub colour: bool,
}

impl Paint {
    /// A verdict in its colour.
    #[must_use]
    pub fn verdict(self, verdict: Verdict) -> String {
        self.in_verdict(verdict, &verdict.to_string())
    }

    /// Any text in the colour of a verdict.
    #[must_use]
    pub fn in_verdict(self, verdict: Verdict, text: &str) -> String {
        let colour = match verdict {
            Verdict::Pass => AnsiColor::Green,
            Verdict::Fail => AnsiColor::Red,
            Verdict::Invalid | Verdict::Unsupported => AnsiColor::Yellow,
        };
        self.paint(text, in_colour(colour).bold())
    }

    /// Padded to the column of headings.
    pub(super) fn check(self, verdict: CheckVerdict) -> String {
        let colour = match verdict {
            CheckVerdict::Pass => AnsiColor::Green,
            CheckVerdict::Fail => AnsiColor::Red,
            CheckVerdict::Invalid | CheckVerdict::Skipped => AnsiColor::Yellow,
        };
        self.paint(&format!("{verdict:7}"), in_colour(colour).bold())
    }

    /// Padded to the longest outcome.
    pub(super) fn outcome(self, outcome: IceServerOutcome) -> String {
        let colour = if outcome.is_success() {
            AnsiColor::Green
        } else {
            AnsiColor::Yellow
        };
        self.paint(&format!("{:12}", outcome.to_string()), in_colour(colour))
    }

    /// A text in the colour of what holds, or of what does not.
    pub(super) fn holds(self, holds: bool, text: &str) -> String {
        let colour = if holds {
            AnsiColor::Green
        } else {
            AnsiColor::Red
        };
        self.paint(text, in_colour(colour).bold())
    }

    /// A text that stands out.
    #[must_use]
    pub fn heading(self, text: &str) -> String {
        self.paint(text, Style::new().bold())
    }

    fn paint(self, text: &str, style: Style) -> String {
        if self.colour {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

fn in_colour(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(colour.into()))
}
