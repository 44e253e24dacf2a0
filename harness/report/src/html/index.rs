//! Several runs on one page: a grid of scenarios and configurations, each cell leading to its runs.

use super::{class, document};
use crate::explanation::{Explanation, place};
use crate::format::markdown::total_ms;
use crate::format::{cut, duration, media};
use crate::{ReportError, StoredRun};
use farcall_verdict::Verdict;
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::io::Write;

const SCRIPT: &str = include_str!("index.js");

/// How much of a cause's sentence a cell has room for; the run's page has all of it.
const MOST_LETTERS: usize = 120;

/// A run and the address of its page.
type Linked<'a> = (&'a StoredRun, &'a str);

/// Writes a page that leads to the page of each run; `links` are their addresses, in the order of the runs.
///
/// # Errors
/// When `out` fails.
pub fn html_index(
    runs: &[StoredRun],
    links: &[String],
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let linked: Vec<Linked<'_>> = runs
        .iter()
        .zip(links)
        .map(|(run, link)| (run, link.as_str()))
        .collect();
    let page = document("farcall runs", SCRIPT, &body(&linked));
    out.write_all(page.into_string().as_bytes())
        .map_err(|source| ReportError::Render {
            format: "html",
            source,
        })
}

fn body(runs: &[Linked<'_>]) -> Markup {
    let mut configurations: Vec<&str> = Vec::new();
    for (run, _) in runs {
        let configuration = run.result.ice_configuration.as_str();
        if !configurations.contains(&configuration) {
            configurations.push(configuration);
        }
    }
    let verdicts = [
        Verdict::Fail,
        Verdict::Invalid,
        Verdict::Unsupported,
        Verdict::Pass,
    ];
    let count = |verdict| {
        let of_verdict = runs.iter().filter(|(run, _)| run.result.verdict == verdict);
        of_verdict.count()
    };
    let gravest = verdicts.into_iter().find(|verdict| count(*verdict) > 0);
    html! {
        a.skip href="#grid" { "Skip to the runs" }
        header.top.(class(gravest.unwrap_or(Verdict::Pass))) {
            h1 { (runs.len()) " calls" }
            form #filter.filter {
                @for verdict in verdicts {
                    @if count(verdict) > 0 {
                        label.chip { input type="checkbox" name="verdict" value=(class(verdict)) checked;
                            span.badge.(class(verdict)) { (count(verdict)) " " (verdict) } }
                    }
                }
                @if configurations.len() > 1 {
                    label { "configuration " select name="configuration" {
                        option value="" { "all" }
                        @for configuration in &configurations { option { (configuration) } }
                    } }
                }
                label { "scenario or cause " input type="search" name="text" placeholder="any"; }
                output #shown {}
            }
        }
        main #grid {
            div.scroll { table.grid {
                thead { tr { th { "scenario" } @for configuration in &configurations { th { (configuration) } } } }
                tbody {
                    @for (scenario, of_scenario) in rows(runs) {
                        tr data-scenario=(scenario) {
                            th scope="row" { (scenario) }
                            @for configuration in &configurations {
                                td data-configuration=(configuration) {
                                    @for (run, link) in of_scenario.iter()
                                        .filter(|(run, _)| run.result.ice_configuration == *configuration) {
                                        (cell(run, link))
                                    }
                                }
                            }
                        }
                    }
                }
            } }
            p.none #nothing hidden { "No run is like that." }
        }
    }
}

/// The runs of each scenario, gravest first, both scenarios and runs.
fn rows<'a>(runs: &[Linked<'a>]) -> Vec<(&'a str, Vec<Linked<'a>>)> {
    let mut by_scenario: BTreeMap<&str, Vec<Linked<'a>>> = BTreeMap::new();
    for (run, link) in runs {
        let of_scenario = by_scenario.entry(&run.result.scenario).or_default();
        of_scenario.push((run, link));
    }
    let mut rows: Vec<(&str, Vec<Linked<'a>>)> = by_scenario.into_iter().collect();
    for (_, of_scenario) in &mut rows {
        of_scenario.sort_by_key(|(run, _)| place(run));
    }
    rows.sort_by_key(|(_, of_scenario)| of_scenario.iter().map(|(run, _)| place(run)).min());
    rows
}

fn cell(run: &StoredRun, link: &str) -> Markup {
    let result = &run.result;
    let explained = Explanation::of(run);
    let path = media::pair(run);
    html! {
        a.cell.(class(result.verdict)) href=(link) data-verdict=(class(result.verdict)) {
            span.badge.(class(result.verdict)) { (result.verdict) }
            span.time { (duration(total_ms(run))) }
            @match (explained, path) {
                (Some(explained), _) => span.why title=(explained.sentence) {
                    b { (explained.cause) } ": " (cut(&explained.sentence, MOST_LETTERS))
                },
                (None, Some(path)) => span.why { (path) },
                (None, None) => {},
            }
        }
    }
}
