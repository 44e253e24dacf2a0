//! Calls as Markdown: a table of all, what is to be said of some, and of each that did not pass, why.

mod document;

use crate::call::Standing;
use crate::explanation::{Explanation, wrong};
use crate::format::{duration, media};
use crate::{Call, StoredRun};
pub(crate) use document::Document;
use farcall_verdict::PeerResult;
use std::io::Write;

/// Writes calls as Markdown (CommonMark, with GitHub's tables), what is wrong first.
pub(crate) fn markdown(calls: &[Call], out: &mut dyn Write) -> std::io::Result<()> {
    let mut ordered: Vec<&Call> = calls.iter().collect();
    ordered.sort_by_key(|call| call.standing());
    let mut document = Document::default();
    document.heading(1, &title(calls));
    document.table(
        &[
            "verdict",
            "scenario",
            "configuration",
            "path",
            "time",
            "seed",
        ],
        ordered.iter().map(|call| row(call)),
    );
    let notes = ordered.iter().flat_map(|call| {
        let notes = call.notes().into_iter();
        notes.map(|note| format!("{}: {note}", call.subject()))
    });
    document.list(&notes.collect::<Vec<_>>());
    let is_told = |call: &&Call| calls.len() == 1 || !call.has_passed();
    for call in ordered.into_iter().filter(is_told) {
        if calls.len() > 1 {
            document.heading(2, &call.named());
        }
        section(&mut document, call);
    }
    out.write_all(document.text()?.as_bytes())
}

/// `farcall: 2 of 3 calls passed; 1 without a result; 1 quarantined`. Those that are quarantined are none of the three.
fn title(calls: &[Call]) -> String {
    if let [call] = calls {
        return call.named();
    }
    let count = |standing| {
        let of_standing = calls.iter().filter(|call| call.standing() == standing);
        of_standing.count()
    };
    let quarantined = count(Standing::Quarantined);
    let mut title = format!(
        "farcall: {} of {} calls passed",
        count(Standing::Passed),
        calls.len() - quarantined
    );
    for (some, what) in [
        (count(Standing::NoResult), "without a result"),
        (quarantined, "quarantined"),
    ] {
        if some > 0 {
            title = format!("{title}; {some} {what}");
        }
    }
    title
}

/// How long all phases of a run took together, in milliseconds.
pub(crate) fn total_ms(run: &StoredRun) -> f64 {
    let phases = run.result.phases.each();
    phases.iter().filter_map(|(_, ms)| *ms).sum()
}

fn row(call: &Call) -> Vec<String> {
    let run = call.run.as_ref();
    let none = || "none".to_owned();
    vec![
        call.word(),
        call.scenario.clone(),
        call.ice_configuration.clone(),
        run.ok().and_then(media::pair).unwrap_or_else(none),
        run.map_or_else(|_| none(), |run| duration(total_ms(run))),
        run.map_or_else(|_| none(), |run| run.result.seed.to_string()),
    ]
}

fn section(document: &mut Document, call: &Call) {
    if let Some(explained) = call.explanation() {
        explanation(document, &explained);
    }
    let Ok(run) = &call.run else {
        return;
    };
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
    use crate::call::tests::{AGAIN, MISSING, WHY, again, call, missing, quarantined};
    use crate::stored::tests::{about, stored};
    use farcall_verdict::sample::{Sample, UDP_URL};

    fn render(samples: &[Sample]) -> String {
        let out = tempfile::tempdir().unwrap();
        let each = samples
            .iter()
            .map(|sample| stored(&out, &about(), sample).into());
        let text = written(&each.collect::<Vec<_>>());
        text.replace(out.path().to_str().unwrap(), "OUT")
    }

    fn written(calls: &[Call]) -> String {
        let mut bytes = Vec::new();
        markdown(calls, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
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
    fn what_does_not_decide_and_what_is_missing_is_said_to_be() {
        let out = tempfile::tempdir().unwrap();
        let text = written(&[
            quarantined(call(&out, "a", &Sample::not_connected())),
            again(call(&out, "b", &Sample::good())),
            missing("c"),
        ]);
        let title = "# farcall: 1 of 2 calls passed; 1 without a result; 1 quarantined\n";
        assert!(text.starts_with(title), "{text}");
        for said in [
            "|NO RESULT|c|production|none|none|none|",
            "|FAIL, quarantined|a|",
            &format!("* a with production: {WHY}"),
            &format!("* b with production: {AGAIN}"),
            MISSING,
        ] {
            assert!(text.contains(said), "{said} is missing:\n{text}");
        }
        let rows = ["NO RESULT", "FAIL, quarantined", "PASS"];
        let places = rows.map(|word| text.find(&format!("|{word}|")).unwrap());
        assert!(places.is_sorted(), "{text}");
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
