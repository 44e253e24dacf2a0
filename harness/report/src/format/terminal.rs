//! The compact result for people: quiet when all is well, precise when not.

use super::style::Paint;
use super::text::{COLUMNS, cut, duration, wrap};
use super::{Report, course, diagnosis, media, signalling};
use crate::StoredRun;
use farcall_scenario::IceTransportPolicy;
use farcall_timeline::IceServerReport;
use farcall_verdict::{Check, CheckVerdict};
use std::io::Write;

/// The widest URL that is shown whole.
const MAX_URL_COLUMNS: usize = 52;
/// How much evidence of a check is shown; all of it is in `result.json`.
const MAX_EVIDENCE: usize = 20;
/// The widest phrase of evidence or observation that is shown, in characters.
const MAX_PHRASE: usize = 400;

/// The result as text of at most 100 columns.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminal {
    /// Whether to add colours, which say nothing that the text does not.
    pub colour: bool,
}

impl Report for Terminal {
    fn render(&self, run: &StoredRun, out: &mut dyn Write) -> std::io::Result<()> {
        let paint = Paint {
            colour: self.colour,
        };
        headline(paint, run, out)?;
        diagnosis::write(paint, run, out)?;
        peers(paint, run, out)?;
        call(run, out)?;
        course(run, out)?;
        checks(paint, run, out)?;
        phases(run, out)?;
        writeln!(out, "seed    {}", run.result.seed)?;
        writeln!(out, "files   {}", run.directory.display())
    }
}

fn headline(paint: Paint, run: &StoredRun, out: &mut dyn Write) -> std::io::Result<()> {
    let result = &run.result;
    let total_ms: f64 = result.phases.each().iter().filter_map(|(_, ms)| *ms).sum();
    let policy = match result.policy {
        IceTransportPolicy::All => "",
        IceTransportPolicy::Relay => " (relay only)",
    };
    writeln!(
        out,
        "{} {} with {}{policy} in {}\n",
        paint.verdict(result.verdict),
        result.scenario,
        result.ice_configuration,
        duration(total_ms)
    )
}

fn peers(paint: Paint, run: &StoredRun, out: &mut dyn Write) -> std::io::Result<()> {
    let urls = run.result.peers.values().flat_map(|peer| &peer.ice_servers);
    let width = urls
        .map(|server| server.url.chars().count())
        .max()
        .unwrap_or(0)
        .min(MAX_URL_COLUMNS);
    for (name, peer) in &run.result.peers {
        writeln!(out, "{}", paint.heading(name))?;
        if peer.ice_servers.is_empty() {
            writeln!(out, "  no outcome of any URL")?;
        }
        for server in &peer.ice_servers {
            ice_server(paint, server, width, out)?;
        }
    }
    writeln!(out)
}

fn ice_server(
    paint: Paint,
    server: &IceServerReport,
    width: usize,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let url = cut(&server.url, width);
    let after = format!("{:.0} ms", server.after_ms);
    let remark = match &server.relay_address {
        Some(address) => format!("relay {address}"),
        None => server.reason.clone(),
    };
    // Two blanks at the margin, and what stands between the columns.
    let used = 2 + width + 2 + 3 + 2 + 12 + 1 + 8 + 2;
    let remark = cut(&remark, COLUMNS - used);
    let line = format!(
        "  {url:width$}  {}  {} {after:>8}  {remark}",
        server.transport,
        paint.outcome(server.outcome)
    );
    writeln!(out, "{}", line.trim_end())
}

fn call(run: &StoredRun, out: &mut dyn Write) -> std::io::Result<()> {
    if let Some(line) = signalling::line(run) {
        writeln!(out, "{}", wrap("signal  ", &line))?;
    }
    let pair = media::pair(run).unwrap_or_else(|| "none selected".to_owned());
    writeln!(out, "{}", wrap("pair    ", &pair))?;
    let directions = media::directions(run);
    if directions.is_empty() {
        return writeln!(out, "media   none");
    }
    for (index, line) in directions.iter().enumerate() {
        let heading = if index == 0 { "media   " } else { "        " };
        writeln!(out, "{}", wrap(heading, line))?;
    }
    Ok(())
}

fn course(run: &StoredRun, out: &mut dyn Write) -> std::io::Result<()> {
    for (index, line) in course::lines(run).iter().enumerate() {
        let heading = if index == 0 { "course  " } else { "        " };
        writeln!(out, "{}", wrap(heading, line))?;
    }
    Ok(())
}

fn checks(paint: Paint, run: &StoredRun, out: &mut dyn Write) -> std::io::Result<()> {
    let checks = &run.result.checks;
    let counts = [
        (CheckVerdict::Pass, "passed"),
        (CheckVerdict::Fail, "failed"),
        (CheckVerdict::Invalid, "invalid"),
        (CheckVerdict::Skipped, "skipped"),
    ]
    .map(|(verdict, word)| {
        let number = checks.iter().filter(|one| one.verdict == verdict).count();
        (number > 0).then(|| format!("{number} {word}"))
    });
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    writeln!(out, "checks  {}", counts.join(", "))?;
    let is_wrong =
        |check: &&Check| matches!(check.verdict, CheckVerdict::Fail | CheckVerdict::Invalid);
    for wrong in checks.iter().filter(is_wrong) {
        check(paint, wrong, out)?;
    }
    Ok(())
}

fn check(paint: Paint, check: &Check, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(
        out,
        "{} {}",
        paint.check(check.verdict),
        cut(&check.name, COLUMNS - 8)
    )?;
    let phrase = |heading: &str, text: &str| wrap(heading, &cut(text, MAX_PHRASE));
    writeln!(out, "{}", phrase("        expected  ", &check.expected))?;
    writeln!(out, "{}", phrase("        observed  ", &check.observed))?;
    for (index, line) in check.evidence.iter().take(MAX_EVIDENCE).enumerate() {
        let heading = if index == 0 {
            "        evidence  "
        } else {
            "                  "
        };
        writeln!(out, "{}", phrase(heading, line))?;
    }
    let hidden = check.evidence.len().saturating_sub(MAX_EVIDENCE);
    if hidden > 0 {
        writeln!(out, "                  and {hidden} more in result.json")?;
    }
    Ok(())
}

fn phases(run: &StoredRun, out: &mut dyn Write) -> std::io::Result<()> {
    let times: Vec<String> = run
        .result
        .phases
        .each()
        .iter()
        .map(|(phase, ms)| match ms {
            Some(ms) => format!("{phase} {}", duration(*ms)),
            None => format!("{phase} not done"),
        })
        .collect();
    writeln!(out, "time    {}", times.join(", "))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::stored::tests::{about, stored};
    use farcall_timeline::{Event, IceServerOutcome};
    use farcall_verdict::sample::{Sample, TCP_URL, UDP_URL};

    fn render(sample: &Sample, colour: bool) -> String {
        let out = tempfile::tempdir().unwrap();
        let run = stored(&out, &about(), sample);
        let mut bytes = Vec::new();
        Terminal { colour }.render(&run, &mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        for line in text.lines().filter(|line| !line.starts_with("files")) {
            assert!(colour || line.chars().count() <= COLUMNS, "{line}");
        }
        text.replace(out.path().to_str().unwrap(), "OUT")
    }

    fn fail() -> Sample {
        let mut sample = Sample::not_connected();
        sample.change_server("alice", TCP_URL, |report| {
            report.outcome = IceServerOutcome::TlsFailed;
            report.relay_address = None;
            report.reason =
                "wrong name: the certificate is for turn.example.org and backup.example.org, not \
                             for turn.example.net, which the URL names"
                    .into();
        });
        sample
    }

    fn invalid() -> Sample {
        let mut sample = Sample::good();
        sample.change(|event| match event {
            Event::Attested(measured) if measured.what.starts_with("udp") => {
                measured.measured = "passes".into();
                measured.holds = false;
            }
            _ => {}
        });
        sample
    }

    #[test]
    fn a_pass_is_quiet() {
        insta::assert_snapshot!(render(&Sample::good(), false));
    }

    #[test]
    fn a_fail_is_precise() {
        insta::assert_snapshot!(render(&fail(), false));
    }

    #[test]
    fn an_invalid_run_says_what_was_not_as_declared() {
        insta::assert_snapshot!(render(&invalid(), false));
    }

    #[test]
    fn colours_add_nothing_but_colour() {
        for sample in [Sample::good(), fail(), invalid()] {
            let coloured = render(&sample, true);
            assert!(coloured.contains('\u{1b}'));
            let mut plain = String::new();
            for (index, part) in coloured.split('\u{1b}').enumerate() {
                let rest = if index == 0 {
                    part
                } else {
                    part.split_once('m').unwrap().1
                };
                plain.push_str(rest);
            }
            let plain: Vec<&str> = plain.lines().map(str::trim_end).collect();
            let uncoloured = render(&sample, false);
            let uncoloured: Vec<&str> = uncoloured.lines().map(str::trim_end).collect();
            assert_eq!(plain, uncoloured);
        }
    }

    #[test]
    fn a_muted_peer_is_said_to_be_silent() {
        let mut sample = Sample::good();
        sample.declared.expect.muted = vec!["alice".into()];
        let text = render(&sample, false);
        assert!(text.contains("audio 0/150 silent frames"), "{text}");
    }

    #[test]
    fn what_is_long_is_cut_here_and_whole_in_the_result() {
        let mut sample = fail();
        let url = format!("turn:{}.example.net:443", "very-".repeat(12));
        sample.change_server("alice", UDP_URL, |report| {
            report.url.clone_from(&url);
            report.reason = "words ".repeat(100);
        });
        let text = render(&sample, false);
        assert!(
            !text
                .lines()
                .any(|line| line.starts_with("  turn:") && line.contains(&url)),
            "{text}"
        );
        let out = tempfile::tempdir().unwrap();
        let run = stored(&out, &about(), &sample);
        let kept = serde_json::to_string(&run.result).unwrap();
        assert!(kept.contains(&url) && kept.contains(&"words ".repeat(100)));
    }

    #[test]
    fn a_run_that_ended_early_has_something_to_show() {
        let mut sample = Sample::good();
        sample.remove(|entry| entry.at_ms > 1_000.0);
        sample.add(1_500.0, "harness", Event::Interrupted);
        let text = render(&sample, false);
        assert!(text.starts_with("INVALID corporate-firewall"), "{text}");
        assert!(text.contains("raise not done"), "{text}");
    }
}
