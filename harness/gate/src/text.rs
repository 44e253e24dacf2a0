//! The answer for people.

use crate::{Answer, Entry, GateResult};
use farcall_report::{Paint, cut, wrap};
use farcall_verdict::Verdict;
use std::io::Write;
use std::path::Path;

/// The widest sentence that is shown, in characters.
const MAX_PHRASE: usize = 500;

/// The answer as text of at most 100 columns: first yes or no, then what is wrong, then the rest.
#[derive(Debug, Clone, Copy, Default)]
pub struct Text {
    /// Whether to add colours, which say nothing that the text does not.
    pub colour: bool,
}

impl Text {
    /// Writes it. Directories of runs are shown below `base`.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn render(
        self,
        result: &GateResult,
        base: &Path,
        out: &mut dyn Write,
    ) -> std::io::Result<()> {
        let paint = Paint {
            colour: self.colour,
        };
        let answer = paint.in_verdict(verdict(result.answer), &result.answer.to_string());
        writeln!(out, "{answer}: {}", sentence(result))?;
        let mut entries: Vec<&Entry> = result.entries.iter().collect();
        entries.sort_by_key(|entry| place(entry));
        let wrong = |entry: &&&Entry| entry.answer != Answer::Yes;
        for entry in entries.iter().filter(wrong) {
            writeln!(out)?;
            told(paint, entry, base, out)?;
        }
        let right: Vec<&&Entry> = entries.iter().filter(|one| !wrong(one)).collect();
        if !right.is_empty() {
            writeln!(out)?;
        }
        for entry in right {
            let state = state(entry, result);
            let line = format!("{}: {}{state}", entry.call, entry.in_short());
            writeln!(out, "{}", headed(paint, entry.answer, &line))?;
        }
        writeln!(out)?;
        footer(result, out)
    }
}

/// The whole in a sentence.
fn sentence(result: &GateResult) -> String {
    let deciding = || result.entries.iter().filter(|entry| entry.decides);
    let count = |answer: Answer| deciding().filter(|entry| entry.answer == answer).count();
    let all = deciding().count();
    let part = result.shard.map(|shard| format!(" (shard {shard})"));
    let part = part.unwrap_or_default();
    let quarantined = result.entries.len() - all;
    let quarantined = match quarantined {
        0 => String::new(),
        some => format!("; {some} quarantined"),
    };
    let missing: Vec<String> = result.missing_shards.iter().map(u32::to_string).collect();
    let missing = match missing.is_empty() {
        true => String::new(),
        false => format!("; missing: shard {}", missing.join(", ")),
    };
    let said = match result.answer {
        Answer::Yes if all == 0 => "no call falls to it".to_owned(),
        Answer::Yes => format!("{} as the baseline has it", of(all, all, "is", "are")),
        Answer::No => {
            let open = match count(Answer::Undecided) {
                0 => String::new(),
                some => format!(", {some} undecided"),
            };
            let fell = of(count(Answer::No), all, "falls", "fall");
            format!("{fell} short of the baseline{open}")
        }
        Answer::Undecided if all == 0 => "no call decides".to_owned(),
        Answer::Undecided => {
            let open = of(count(Answer::Undecided), all, "is", "are");
            format!("{open} not known; the lab was at fault, not the application")
        }
    };
    format!("{said}{quarantined}{missing}{part}")
}

/// `2 of 3 calls fall`, `the one call falls`.
fn of(some: usize, all: usize, one: &str, several: &str) -> String {
    match (some, all) {
        (1, 1) => format!("the one call {one}"),
        (1, _) => format!("1 of {all} calls {one}"),
        (_, _) if some == all => format!("all {all} calls {several}"),
        _ => format!("{some} of {all} calls {several}"),
    }
}

/// What is gravest comes first.
fn place(entry: &Entry) -> u8 {
    match (entry.decides, entry.answer) {
        (true, Answer::No) => 0,
        (true, Answer::Undecided) => 1,
        (false, Answer::No | Answer::Undecided) => 2,
        (_, Answer::Yes) => 3,
    }
}

/// What was expected, what came, why, and what to do.
fn told(paint: Paint, entry: &Entry, base: &Path, out: &mut dyn Write) -> std::io::Result<()> {
    let heading = headed(paint, entry.answer, &entry.call.to_string());
    writeln!(out, "{heading}{}", state_of(entry))?;
    for shortfall in &entry.shortfalls {
        let line = format!(
            "{}: expected {}; came {}",
            shortfall.what, shortfall.expected, shortfall.came
        );
        writeln!(out, "{}", wrap("  came    ", &cut(&line, MAX_PHRASE)))?;
    }
    let Some(run) = entry.runs.last() else {
        return Ok(());
    };
    if let (Some(cause), Some(sentence)) = (&run.cause, &run.sentence) {
        let line = format!("{cause}: {sentence}");
        writeln!(out, "{}", wrap("  cause   ", &cut(&line, MAX_PHRASE)))?;
    }
    let next = match run.verdict {
        Verdict::Pass => Some(
            "If it is to be so from now on, write the baseline anew: farcall gate --bless"
                .to_owned(),
        ),
        _ => run.next_step.clone(),
    };
    if let Some(next) = next {
        writeln!(out, "{}", wrap("  do      ", &cut(&next, MAX_PHRASE)))?;
    }
    writeln!(out, "  files   {}", base.join(&run.directory).display())
}

fn headed(paint: Paint, answer: Answer, text: &str) -> String {
    let word = paint.in_verdict(verdict(answer), &format!("{answer:9}"));
    format!("{word} {text}")
}

/// Whether it decides, and until when not, on a line of its own.
fn state_of(entry: &Entry) -> String {
    let state = entry.quarantine_in_words();
    state.map_or_else(String::new, |state| format!("\n  {state}"))
}

/// The same of one that is as expected, which needs no quarantine.
fn state(entry: &Entry, result: &GateResult) -> String {
    let Some(quarantine) = &entry.expected.quarantine else {
        return String::new();
    };
    match entry.decides {
        true => format!(" (its quarantine has expired on {})", quarantine.until),
        false => format!(
            " (quarantined until {}; {}:{} may do without)",
            quarantine.until, result.baseline.name, entry.line
        ),
    }
}

fn footer(result: &GateResult, out: &mut dyn Write) -> std::io::Result<()> {
    for entry in &result.entries {
        if let Some(reruns) = entry.reruns_in_words(result.retries) {
            let line = format!("{} was {reruns}", entry.call);
            writeln!(out, "{}", wrap("rerun     ", &line))?;
        }
    }
    let names = result
        .ice_configurations
        .iter()
        .map(|ice| ice.name.as_str());
    let names: Vec<&str> = names.collect();
    let calls = match result.calls.len() {
        1 => "1 call".to_owned(),
        several => format!("{several} calls"),
    };
    let (file, names) = (&result.baseline.name, names.join(", "));
    writeln!(out, "baseline  {file}, {calls}, with {names}")?;
    match result.seed {
        Some(seed) => writeln!(out, "seed      {seed}"),
        None => Ok(()),
    }
}

/// In whose colour an answer is.
fn verdict(answer: Answer) -> Verdict {
    match answer {
        Answer::Yes => Verdict::Pass,
        Answer::No => Verdict::Fail,
        Answer::Undecided => Verdict::Invalid,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::testing::{TODAY, entry, network, result, seen};
    use crate::{Shard, judge};

    fn render(result: &mut GateResult) -> String {
        result.calls = result
            .entries
            .iter()
            .map(|entry| entry.call.clone())
            .collect();
        result.answer = result.answered();
        let mut bytes = Vec::new();
        let text = Text { colour: false };
        text.render(result, Path::new("out/gate"), &mut bytes)
            .unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn judged(keys: &str, verdicts: &[Verdict]) -> Entry {
        let runs: Vec<_> = verdicts.iter().copied().map(seen).collect();
        judge(
            &network(keys),
            "production",
            &runs,
            Path::new("/gate"),
            TODAY,
        )
    }

    #[test]
    fn a_yes_is_short() {
        insta::assert_snapshot!(render(&mut result()));
    }

    #[test]
    fn a_no_says_what_came_why_and_what_to_do() {
        let mut gate = result();
        let quarantine = |until: &str| {
            format!("quarantine = {{ reason = \"TLS comes in July\", until = {until} }}")
        };
        gate.retries = 2;
        gate.entries.extend([
            judged(&quarantine("2026-06-30"), &[Verdict::Fail]),
            judged(&quarantine("2026-06-01"), &[Verdict::Fail]),
            judged(
                "connect_within_ms = 2000\npath.alice = { local = [\"host\"] }",
                &[Verdict::Pass],
            ),
            judged("", &[Verdict::Invalid, Verdict::Invalid]),
            judged("", &[Verdict::Invalid, Verdict::Pass]),
            judged("", &[]),
            judged(&quarantine("2026-06-30"), &[Verdict::Pass]),
            judged(&quarantine("2026-06-01"), &[Verdict::Pass]),
        ]);
        insta::assert_snapshot!(render(&mut gate));
    }

    #[test]
    fn what_is_not_known_is_not_the_applications_fault() {
        let mut gate = result();
        gate.missing_shards = vec![2, 3];
        gate.entries.push(judged("", &[Verdict::Invalid]));
        let text = render(&mut gate);
        let first = text.lines().next().unwrap();
        assert_eq!(
            first,
            "UNDECIDED: 1 of 2 calls is not known; the lab was at fault, not the application; missing: shard 2, 3"
        );
    }

    #[test]
    fn a_shard_says_that_it_is_one() {
        let mut gate = result();
        gate.entries = vec![entry("home-to-home")];
        gate.shard = Some(Shard { number: 2, of: 3 });
        let text = render(&mut gate);
        assert!(
            text.starts_with("YES: the one call is as the baseline has it (shard 2 of 3)\n"),
            "{text}"
        );
        gate.entries.clear();
        let text = render(&mut gate);
        assert!(
            text.starts_with("YES: no call falls to it (shard 2 of 3)\n"),
            "{text}"
        );
    }
}
