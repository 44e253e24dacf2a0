//! The page of one run.

use super::{class, document, log, plots, tables, time_line, topology};
use crate::explanation::Explanation;
use crate::format::markdown::total_ms;
use crate::format::{duration, media};
use crate::{Call, StoredRun};
use maud::{Markup, html};
use std::io::Write;

const SCRIPT: &str = include_str!("page.js");

/// Writes the page of a call that has a run.
pub(crate) fn page(call: &Call, run: &StoredRun, out: &mut dyn Write) -> std::io::Result<()> {
    let body = html! {
        a.skip href="#main" { "Skip to the content" }
        (header(call, run))
        main #main {
            section #network aria-labelledby="network-title" {
                h2 #network-title { "The network" }
                (topology::picture(run))
            }
            section #time-line aria-labelledby="time-line-title" {
                h2 #time-line-title { "Time line" }
                (time_line::time_line(run))
            }
            section #media aria-labelledby="media-title" {
                h2 #media-title { "Media" }
                (plots::plots(run))
            }
            (tables::peers(run))
            (tables::gateways(run))
            (tables::checks(run))
            (tables::attestation(run))
            section #log aria-labelledby="log-title" {
                h2 #log-title { "Events and logs" }
                (log::log(run))
            }
        }
        (footer(run))
    };
    let title = format!("{} - farcall", call.named());
    let page = document(&title, SCRIPT, &body);
    out.write_all(page.into_string().as_bytes())
}

fn header(call: &Call, run: &StoredRun) -> Markup {
    let result = &run.result;
    let started = result.started_at;
    html! {
        header.top.(class(result.verdict)) {
            h1 {
                span.badge.(class(result.verdict)) { (result.verdict) }
                " " (result.scenario) " "
                small { "with " (result.ice_configuration) }
            }
            @if let Some(explained) = Explanation::of(run) {
                (explanation(&explained))
            }
            @for note in call.notes() { p.note { (note) } }
            p.facts {
                @if let Some(pair) = media::pair(run) { span { "path " b { (pair) } } }
                @else { span { b { "no pair was selected" } } }
                span { "took " b { (duration(total_ms(run))) } }
                span { "began " b { (started.date()) " " (format!("{:02}:{:02}:{:02}", started.hour(), started.minute(), started.second())) " UTC" } }
                span { "seed " b { (result.seed) } }
            }
            nav aria-label="Parts of the page" {
                @for (id, name) in [
                    ("network", "Network"), ("time-line", "Time line"), ("media", "Media"), ("peers", "Peers"),
                    ("gateways", "Gateways"), ("checks", "Checks"), ("attestation", "Attestation"), ("log", "Log"),
                ] {
                    a href={ "#" (id) } { (name) }
                }
            }
        }
    }
}

/// Why the run did not pass.
fn explanation(explained: &Explanation) -> Markup {
    html! {
        div.explanation {
            p.cause { (explained.cause) }
            p.sentence { (in_words(&explained.sentence)) }
            @if let Some(next) = &explained.next_step {
                p.next { b { "Next: " } (in_words(next)) }
            }
            @if !explained.evidence.is_empty() {
                details open[explained.evidence.len() <= 6] {
                    summary { "Evidence (" (explained.evidence.len()) ")" }
                    ul { @for line in &explained.evidence { li { (in_words(line)) } } }
                }
            }
        }
    }
}

/// What a diagnosis says, in which code stands between backticks.
fn in_words(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    // One that is left over is none.
    let has_code = parts.len() % 2 == 1;
    html! {
        @if has_code {
            @for (index, part) in parts.into_iter().enumerate() {
                @if index % 2 == 1 { code { (part) } } @else { (part) }
            }
        } @else { (text) }
    }
}

fn footer(run: &StoredRun) -> Markup {
    let environment = &run.result.environment;
    let versions = [
        ("farcall", Some(&environment.farcall)),
        ("Docker Engine", environment.engine.as_ref()),
        ("kernel", environment.kernel.as_ref()),
        ("coturn", environment.coturn.as_ref()),
    ];
    html! {
        footer {
            @for (what, version) in versions {
                @if let Some(version) = version { span { (what) " " (version) } }
            }
            span { "session " (run.result.session) }
            span { "files in " code { (run.directory.display()) } }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::in_words;
    use crate::call::tests::{AGAIN, MISSING, WHY, again, call, missing, quarantined};
    use crate::html::html_index;
    use crate::stored::tests::{about, stored};
    use crate::{Call, ReportFormat};
    use farcall_timeline::{Event, Level};
    use farcall_verdict::sample::{Sample, UDP_URL};
    use scraper::{Html, Selector};
    use std::collections::BTreeSet;

    #[test]
    fn what_stands_between_backticks_is_code() {
        let said = |text| in_words(text).into_string();
        assert_eq!(
            said("add `turns:<host>` to it, or `x`"),
            "add <code>turns:&lt;host&gt;</code> to it, or <code>x</code>"
        );
        assert_eq!(said("a ` alone"), "a ` alone");
    }

    fn render(sample: &Sample) -> String {
        let out = tempfile::tempdir().unwrap();
        let run = stored(&out, &about(), sample);
        let mut bytes = Vec::new();
        ReportFormat::Html
            .render(&[run.into()], &mut bytes)
            .unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn index(samples: &[(&str, Sample)]) -> String {
        let out = tempfile::tempdir().unwrap();
        let runs = samples.iter().map(|(scenario, sample)| {
            let mut about = about();
            about.scenario = (*scenario).into();
            stored(&out, &about, sample).into()
        });
        index_of(&runs.collect::<Vec<_>>())
    }

    fn index_of(calls: &[Call]) -> String {
        let links: Vec<String> = (1..=calls.len())
            .map(|n| format!("runs/{n}.html"))
            .collect();
        let mut bytes = Vec::new();
        html_index(calls, &links, &mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    fn all<'a>(page: &'a Html, selector: &str) -> Vec<scraper::ElementRef<'a>> {
        let selector = Selector::parse(selector).unwrap();
        page.select(&selector).collect()
    }

    #[test]
    fn a_page_is_whole_and_fetches_nothing() {
        let several = [("one", Sample::good()), ("two", Sample::not_connected())];
        for text in [
            render(&Sample::good()),
            render(&Sample::not_connected()),
            index(&several),
        ] {
            let page = Html::parse_document(&text);
            assert!(page.errors.is_empty(), "{:?}", page.errors);
            let ids: Vec<&str> = all(&page, "[id]")
                .iter()
                .filter_map(|at| at.attr("id"))
                .collect();
            let different: BTreeSet<&str> = ids.iter().copied().collect();
            assert_eq!(ids.len(), different.len(), "{ids:?}");
            for element in all(&page, "*") {
                for (name, value) in element.value().attrs() {
                    let leads = [
                        "href",
                        "src",
                        "srcset",
                        "data",
                        "action",
                        "poster",
                        "xlink:href",
                    ];
                    let stays = ["#", "data:", "runs/"]
                        .iter()
                        .any(|own| value.starts_with(own));
                    assert!(!leads.contains(&name) || stays, "{name}={value}");
                    assert!(!name.starts_with("on"), "{name}={value}");
                }
            }
            for style in all(&page, "style") {
                let style = style.text().collect::<String>();
                assert!(!style.contains("url(") && !style.contains("@import"));
            }
            for label in all(&page, "[aria-labelledby]") {
                assert!(ids.contains(&label.attr("aria-labelledby").unwrap()));
            }
            for link in all(&page, "a[href^='#']") {
                assert!(
                    ids.contains(&&link.attr("href").unwrap()[1..]),
                    "{}",
                    link.html()
                );
            }
        }
    }

    #[test]
    fn what_a_node_says_is_text() {
        let mut sample = Sample::not_connected();
        let said = "</script></pre><script>alert(1)</script><img src=x onerror='a' \"b\" & c>";
        sample.change_server("alice", UDP_URL, |report| report.reason = said.into());
        let log = Event::Log {
            level: Level::Error,
            target: "t".into(),
            message: said.into(),
        };
        sample.add(5_000.0, "turn", log);
        let page = Html::parse_document(&render(&sample));
        assert_eq!(all(&page, "script").len(), 1);
        assert!(all(&page, "img").is_empty());
        let lines = all(&page, "#log-text")[0].text().collect::<String>();
        assert!(lines.contains(said));
        let cells = all(&page, "#peers td");
        assert!(
            cells
                .iter()
                .any(|cell| cell.text().collect::<String>() == said)
        );
    }

    /// A row: whether it is marked, and what is in its cells, without what is empty.
    type Row = (bool, Vec<String>);

    fn texts(of: scraper::ElementRef<'_>, selector: &str) -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        let each = of.select(&selector);
        let each = each.map(|one| one.text().collect::<String>());
        each.filter(|text| !text.is_empty()).collect()
    }

    /// The rows of a peer's tables with this caption.
    fn rows(page: &Html, caption: &str) -> Vec<Row> {
        let row = Selector::parse("tbody tr").unwrap();
        let mut rows = Vec::new();
        for table in all(page, "#peers table") {
            if texts(table, "caption") == [caption] {
                let own = table.select(&row);
                rows.extend(
                    own.map(|row| (row.attr("class") == Some("selected"), texts(row, "td"))),
                );
            }
        }
        rows
    }

    #[test]
    fn candidates_of_both_sides_are_shown_and_where_they_came_from() {
        let page = Html::parse_document(&render(&Sample::good()));
        let rows = rows(&page, "Candidates");
        let whose = |row: &Row| row.1[0].clone();
        let sides: Vec<String> = rows.iter().map(whose).collect();
        let alice = ["local", "local", "remote", "remote"];
        assert_eq!(sides, [&alice[..], &["local", "remote", "remote"]].concat());
        let host = ["remote", "host", "192.168.43.7:40000", "udp", "signalling"];
        assert_eq!(rows[2], (false, host.map(String::from).to_vec()));
        let (is_marked, found) = &rows[3];
        assert!(*is_marked && found.contains(&"a check".into()), "{found:?}");
    }

    #[test]
    fn pairs_are_shown_with_their_checks_and_the_selected_is_marked() {
        let page = Html::parse_document(&render(&Sample::good()));
        let of_good = rows(&page, "Checked pairs");
        let marked: Vec<bool> = of_good.iter().map(|(is_marked, _)| *is_marked).collect();
        assert_eq!(marked, [false, true, false, true]);
        let states: Vec<&str> = of_good.iter().map(|(_, cells)| cells[2].as_str()).collect();
        assert_eq!(states, ["failed", "succeeded", "failed", "succeeded"]);
        let rest = ["succeeded", "11", "9", "9", "31.5 ms", "selected"];
        assert_eq!(of_good[1].1[2..], rest);

        let page = Html::parse_document(&render(&Sample::not_connected()));
        let failed = rows(&page, "Checked pairs");
        assert_eq!(failed.len(), 4);
        let is_failed = |row: &Row| !row.0 && row.1[2..5] == ["failed", "12", "0"];
        assert!(is_failed(&failed[0]), "{failed:#?}");
    }

    #[test]
    fn a_run_that_tells_of_no_pair_has_no_table_of_them() {
        let mut sample = Sample::good();
        sample.remove(|entry| matches!(entry.event, Event::CandidatePair(_)));
        let page = Html::parse_document(&render(&sample));
        assert_eq!(rows(&page, "Checked pairs"), Vec::new());
        assert!(!rows(&page, "Selected pairs").is_empty());
    }

    #[test]
    fn pairs_of_several_connections_are_told_apart() {
        let mut sample = Sample::good();
        sample.change_of("alice", |event| {
            if let Event::CandidatePair(pair) = event {
                pair.connection = 2;
            }
        });
        let page = Html::parse_document(&render(&sample));
        assert_eq!(rows(&page, "Checked pairs")[0].1[0], "2");
    }

    #[test]
    fn a_failure_says_why_on_top() {
        let page = Html::parse_document(&render(&Sample::not_connected()));
        let header = all(&page, "header.top.fail")[0].text().collect::<String>();
        assert!(
            header.contains("FAIL") && header.contains("Next: Open the relay ports"),
            "{header}"
        );
    }

    #[test]
    fn the_picture_has_every_node_and_what_was_dropped_where() {
        let page = Html::parse_document(&render(&Sample::good()));
        let titles: Vec<String> = all(&page, ".network .title")
            .iter()
            .map(|title| title.text().collect())
            .collect();
        for node in [
            "alice",
            "office-gateway",
            "mobile-carrier-gateway",
            "turn.example.net",
        ] {
            assert!(titles.iter().any(|title| title == node), "{titles:?}");
        }
        let dropped = all(&page, ".network text.drop");
        let dropped: Vec<String> = dropped.iter().map(|text| text.text().collect()).collect();
        assert!(
            dropped
                .iter()
                .any(|text| text.contains("7 packets: corporate/drop-udp")),
            "{dropped:?}"
        );
        assert_eq!(all(&page, ".network path.way").len(), 1);
    }

    #[test]
    fn ten_thousand_events_are_no_more_than_a_megabyte_and_a_half() {
        let mut sample = Sample::good();
        for number in 0..10_000_u32 {
            let log = Event::Log {
                level: if number % 3 == 0 {
                    Level::Debug
                } else {
                    Level::Info
                },
                target: "turnserver".into(),
                message: format!(
                    "session {number}: refreshed, realm=<example.org>, username=<\"someone\">, lifetime=600 seconds \
                     and then as much again of what servers say in their logs, {number}"
                ),
            };
            sample.add(4_000.0 + f64::from(number) / 2.0, "turn", log);
        }
        let text = render(&sample);
        assert!(text.len() <= 1_500_000, "{} bytes", text.len());
        assert!(text.contains("lines are left out"), "nothing is left out");
    }

    #[test]
    fn an_index_has_failures_first_and_every_cell_leads_to_its_run() {
        let samples = [
            ("a", Sample::good()),
            ("b", Sample::not_connected()),
            ("c", Sample::good()),
        ];
        let page = Html::parse_document(&index(&samples));
        let rows: Vec<&str> = all(&page, "tbody tr")
            .iter()
            .filter_map(|row| row.attr("data-scenario"))
            .collect();
        assert_eq!(rows, ["b", "a", "c"]);
        let links: Vec<&str> = all(&page, "a.cell")
            .iter()
            .filter_map(|cell| cell.attr("href"))
            .collect();
        assert_eq!(links, ["runs/2.html", "runs/1.html", "runs/3.html"]);
    }

    #[test]
    fn an_index_shows_what_has_no_run_and_what_does_not_decide() {
        let out = tempfile::tempdir().unwrap();
        let calls = [
            call(&out, "a", &Sample::good()),
            missing("b"),
            quarantined(call(&out, "c", &Sample::not_connected())),
            again(call(&out, "d", &Sample::good())),
        ];
        let page = Html::parse_document(&index_of(&calls));
        let cells: Vec<(&str, Option<&str>, String)> = all(&page, ".cell")
            .iter()
            .map(|cell| {
                let verdict = cell.attr("data-verdict").unwrap();
                (verdict, cell.attr("href"), cell.text().collect())
            })
            .collect();
        let places: Vec<_> = cells
            .iter()
            .map(|(verdict, link, _)| (*verdict, *link))
            .collect();
        assert_eq!(
            places,
            [
                ("no-result", None),
                ("quarantined", Some("runs/2.html")),
                ("pass", Some("runs/1.html")),
                ("pass", Some("runs/3.html")),
            ]
        );
        for (cell, said) in [(0, MISSING), (1, WHY), (3, AGAIN)] {
            assert!(cells[cell].2.contains(said), "{cells:#?}");
        }
        assert_eq!(all(&page, "header.top.no-result").len(), 1);
        // What is quarantined does not colour the whole.
        let page = Html::parse_document(&index_of(&[calls[0].clone(), calls[2].clone()]));
        assert_eq!(all(&page, "header.top.pass").len(), 1);
    }

    #[test]
    fn the_page_of_a_run_says_that_it_does_not_decide() {
        let out = tempfile::tempdir().unwrap();
        let call = quarantined(call(&out, "a", &Sample::not_connected()));
        let mut bytes = Vec::new();
        ReportFormat::Html.render(&[call], &mut bytes).unwrap();
        let page = Html::parse_document(&String::from_utf8(bytes).unwrap());
        let header = all(&page, "header.top")[0].text().collect::<String>();
        assert!(header.contains(WHY), "{header}");
    }
}
