//! What several runs came to, scenario by scenario.

use super::style::Paint;
use farcall_diagnosis::Cause;
use farcall_verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

const VERDICTS: [Verdict; 4] = [
    Verdict::Pass,
    Verdict::Fail,
    Verdict::Invalid,
    Verdict::Unsupported,
];

/// The verdicts of several runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The scenarios, or scenarios with configurations, in the order in which they were asked for, with how often each
    /// verdict came.
    rows: Vec<(String, [usize; 4])>,
    /// The causes that were found in runs of a row.
    causes: BTreeMap<String, BTreeSet<Cause>>,
}

impl Summary {
    /// A summary with a row for each scenario, in this order.
    pub fn of(scenarios: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut summary = Self::default();
        for scenario in scenarios {
            summary.row(scenario.as_ref());
        }
        summary
    }

    /// Counts a run.
    pub fn count(&mut self, scenario: &str, verdict: Verdict) {
        let index = VERDICTS.iter().position(|known| *known == verdict);
        if let Some(index) = index {
            self.row(scenario)[index] += 1;
        }
    }

    /// Adds why a run fell short to its row.
    pub fn blame(&mut self, scenario: &str, cause: Cause) {
        let causes = self.causes.entry(scenario.to_owned()).or_default();
        causes.insert(cause);
    }

    /// How many runs were counted.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.rows.iter().flat_map(|(_, counts)| counts).sum()
    }

    /// Writes a line for each scenario. One whose runs came to different verdicts is a flake: it says neither
    /// that the network works nor that it does not.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn render(&self, colour: bool, out: &mut dyn Write) -> std::io::Result<()> {
        let paint = Paint { colour };
        let names = self.rows.iter().map(|(name, _)| name.chars().count());
        let width = names.max().unwrap_or(0);
        let words = self.rows.iter().map(|(_, counts)| word(counts).len());
        let word_width = words.max().unwrap_or(0);
        for (name, counts) in &self.rows {
            let runs: usize = counts.iter().sum();
            let word = paint.in_verdict(gravest(counts), &format!("{:word_width$}", word(counts)));
            let detail = match (runs, is_flaky(counts)) {
                (0, _) => "no run came to its end".to_owned(),
                (_, true) => format!("flaky: {}", in_words(counts)),
                (1, false) => String::new(),
                (_, false) => format!("{runs} of {runs}"),
            };
            let causes = self.causes.get(name).into_iter().flatten();
            let causes: Vec<&str> = causes.map(|cause| cause.name()).collect();
            let detail = match (detail.is_empty(), causes.is_empty()) {
                (_, true) => detail,
                (true, false) => causes.join(", "),
                (false, false) => format!("{detail}; {}", causes.join(", ")),
            };
            let line = format!("{word}  {name:width$}  {detail}");
            writeln!(out, "{}", line.trim_end())?;
        }
        let mut total = [0; 4];
        for (_, counts) in &self.rows {
            for (sum, count) in total.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        let flaky = self
            .rows
            .iter()
            .filter(|(_, counts)| is_flaky(counts))
            .count();
        let flaky = match flaky {
            0 => String::new(),
            1 => "; 1 is flaky".to_owned(),
            several => format!("; {several} are flaky"),
        };
        writeln!(out, "{} runs: {}{flaky}", self.runs(), in_words(&total))
    }

    fn row(&mut self, scenario: &str) -> &mut [usize; 4] {
        let known = self.rows.iter().position(|(name, _)| name == scenario);
        let index = known.unwrap_or_else(|| {
            self.rows.push((scenario.to_owned(), [0; 4]));
            self.rows.len() - 1
        });
        &mut self.rows[index].1
    }
}

fn is_flaky(counts: &[usize; 4]) -> bool {
    counts.iter().filter(|count| **count > 0).count() > 1
}

fn word(counts: &[usize; 4]) -> String {
    if is_flaky(counts) {
        return "FLAKE".to_owned();
    }
    let came = VERDICTS.iter().zip(counts).find(|(_, count)| **count > 0);
    came.map_or_else(|| "-".to_owned(), |(verdict, _)| verdict.to_string())
}

/// The colour of a row: a failure outranks what is invalid, and that a pass.
fn gravest(counts: &[usize; 4]) -> Verdict {
    let came = |verdict: &Verdict| {
        let index = VERDICTS.iter().position(|known| known == verdict);
        index.is_some_and(|index| counts[index] > 0)
    };
    let order = [Verdict::Fail, Verdict::Invalid, Verdict::Unsupported];
    order.into_iter().find(came).unwrap_or(Verdict::Pass)
}

fn in_words(counts: &[usize; 4]) -> String {
    let came = VERDICTS.iter().zip(counts).filter(|(_, count)| **count > 0);
    let words: Vec<String> = came
        .map(|(verdict, count)| format!("{count} {verdict}"))
        .collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn a_scenario_with_several_verdicts_is_a_flake() {
        let mut summary = Summary::of([
            "home-to-home",
            "corporate-firewall",
            "mobile-hotspot",
            "vpn",
        ]);
        for run in 0..10 {
            summary.count("home-to-home", Verdict::Pass);
            let failed = if run < 7 {
                Verdict::Pass
            } else {
                Verdict::Fail
            };
            summary.count("corporate-firewall", failed);
        }
        summary.blame("corporate-firewall", Cause::TurnServerDown);
        summary.count("mobile-hotspot", Verdict::Invalid);
        summary.blame("mobile-hotspot", Cause::LabInvalid);
        let mut text = Vec::new();
        summary.render(false, &mut text).unwrap();
        insta::assert_snapshot!(String::from_utf8(text).unwrap(), @r"
        PASS     home-to-home        10 of 10
        FLAKE    corporate-firewall  flaky: 7 PASS, 3 FAIL; turn-server-down
        INVALID  mobile-hotspot      lab-invalid
        -        vpn                 no run came to its end
        21 runs: 17 PASS, 3 FAIL, 1 INVALID; 1 is flaky
        ");
    }
}
