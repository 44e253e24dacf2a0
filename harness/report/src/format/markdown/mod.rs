//! Runs as Markdown: a table of all, and of each that did not pass, why.

mod document;

use crate::StoredRun;
use crate::explanation::{Explanation, place, wrong};
use crate::format::{duration, media};
pub(crate) use document::Document;
use farcall_verdict::{PeerResult, Verdict};
use std::io::Write;

/// Writes runs as Markdown (CommonMark, with GitHub's tables), what is wrong first.
pub(crate) fn markdown(runs: &[StoredRun], out: &mut dyn Write) -> std::io::Result<()> {
    let mut ordered: Vec<&StoredRun> = runs.iter().collect();
    ordered.sort_by_key(|run| place(run));
    let mut document = Document::default();
    document.heading(1, &title(runs));
    document.table(
        &[
            "verdict",
            "scenario",
            "configuration",
            "path",
            "time",
            "seed",
        ],
        ordered.iter().map(|run| row(run)),
    );
    let is_told = |run: &&StoredRun| runs.len() == 1 || run.result.verdict != Verdict::Pass;
    for run in ordered.into_iter().filter(is_told) {
        if runs.len() > 1 {
            document.heading(2, &named(run));
        }
        section(&mut document, run);
    }
    out.write_all(document.text()?.as_bytes())
}

/// `farcall: 2 of 3 calls passed`.
pub(crate) fn title(runs: &[StoredRun]) -> String {
    let passed = |run: &&StoredRun| run.result.verdict == Verdict::Pass;
    match runs {
        [run] => named(run),
        several => format!(
            "farcall: {} of {} calls passed",
            several.iter().filter(passed).count(),
            several.len()
        ),
    }
}

/// `FAIL corporate-firewall with production`.
pub(crate) fn named(run: &StoredRun) -> String {
    let result = &run.result;
    format!(
        "{} {} with {}",
        result.verdict, result.scenario, result.ice_configuration
    )
}

/// How long all phases of a run took together, in milliseconds.
pub(crate) fn total_ms(run: &StoredRun) -> f64 {
    let phases = run.result.phases.each();
    phases.iter().filter_map(|(_, ms)| *ms).sum()
}

fn row(run: &StoredRun) -> Vec<String> {
    let result = &run.result;
    vec![
        result.verdict.to_string(),
        result.scenario.clone(),
        result.ice_configuration.clone(),
        media::pair(run).unwrap_or_else(|| "none".to_owned()),
        duration(total_ms(run)),
        result.seed.to_string(),
    ]
}

fn section(document: &mut Document, run: &StoredRun) {
    if let Some(explained) = Explanation::of(run) {
        explanation(document, &explained);
    }
    let checks: Vec<Vec<String>> = wrong(run)
        .map(|check| {
            let cells = [&check.name, &check.expected, &check.observed];
            [check.verdict.to_string()]
                .into_iter()
                .chain(cells.into_iter().cloned())
                .collect()
        })
        .collect();
    if !checks.is_empty() {
        document.heading(3, "Checks that did not hold");
        document.table(&["", "check", "expected", "observed"], checks);
    }
    for (name, peer) in &run.result.peers {
        servers(document, name, peer);
    }
    let directions = media::directions(run);
    if !directions.is_empty() {
        document.heading(3, "Media");
        document.list(&directions);
    }
    let about = format!(
        "Seed {}, session {}, farcall {}. Everything that was seen is in {}.",
        run.result.seed,
        run.result.session,
        run.result.environment.farcall,
        run.directory.display()
    );
    document.paragraph(&about);
}

fn explanation(document: &mut Document, explained: &Explanation) {
    document.strong(&explained.cause);
    document.paragraph(&explained.sentence);
    document.list(&explained.evidence);
    if let Some(next) = &explained.next_step {
        document.paragraph(&format!("Next: {next}"));
    }
}

fn servers(document: &mut Document, name: &str, peer: &PeerResult) {
    if peer.ice_servers.is_empty() {
        return;
    }
    document.heading(3, &format!("ICE servers of {name}"));
    let rows = peer.ice_servers.iter().map(|server| {
        let remark = match &server.relay_address {
            Some(address) => format!("relay {address}"),
            None => server.reason.clone(),
        };
        vec![
            server.url.clone(),
            server.transport.to_string(),
            server.outcome.to_string(),
            format!("{:.0} ms", server.after_ms),
            remark,
        ]
    });
    document.table(&["URL", "transport", "outcome", "after", ""], rows);
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::stored::tests::{about, stored};
    use farcall_verdict::sample::{Sample, UDP_URL};

    fn render(samples: &[Sample]) -> String {
        let out = tempfile::tempdir().unwrap();
        let each = samples.iter().map(|sample| stored(&out, &about(), sample));
        let runs: Vec<StoredRun> = each.collect();
        let mut bytes = Vec::new();
        markdown(&runs, &mut bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        text.replace(out.path().to_str().unwrap(), "OUT")
    }

    #[test]
    fn a_run_that_failed_says_why() {
        insta::assert_snapshot!(render(&[Sample::not_connected()]));
    }

    #[test]
    fn of_several_only_those_that_did_not_pass_are_told_of() {
        let text = render(&[Sample::good(), Sample::not_connected()]);
        assert!(text.starts_with("# farcall: 1 of 2 calls passed"), "{text}");
        assert!(text.contains("## FAIL"), "{text}");
        assert!(!text.contains("## PASS"), "{text}");
    }

    #[test]
    fn what_a_node_says_cannot_change_the_document() {
        let mut sample = Sample::not_connected();
        sample.change_server("alice", UDP_URL, |report| {
            report.reason = "| broken | <b>table</b>\n# heading `code`".into();
        });
        let text = render(&[sample]);
        let options = pulldown_cmark::Options::ENABLE_TABLES;
        let mut cells = Vec::new();
        for event in pulldown_cmark::Parser::new_ext(&text, options) {
            use pulldown_cmark::{Event, Tag};
            match event {
                Event::Start(Tag::TableCell) => cells.push(String::new()),
                Event::Text(part) | Event::Code(part) => {
                    if let Some(cell) = cells.last_mut() {
                        cell.push_str(&part);
                    }
                }
                Event::Html(html) | Event::InlineHtml(html) => panic!("HTML: {html}"),
                _ => {}
            }
        }
        let said = "| broken | <b>table</b> # heading `code`";
        assert!(cells.iter().any(|cell| cell == said), "{cells:#?}\n{text}");
    }
}
