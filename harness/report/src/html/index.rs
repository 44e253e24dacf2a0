//! Several calls on one page: a grid of scenarios and configurations, each cell leading to its run.

use super::{column, document};
use crate::call::Standing;
use crate::explanation::wrong;
use crate::format::markdown::total_ms;
use crate::format::{cut, duration, media};
use crate::{Call, ReportError};
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::io::Write;

const SCRIPT: &str = include_str!("index.js");

/// How much of a cause's sentence a cell has room for; the run's page has all of it.
const MOST_LETTERS: usize = 120;

/// A call and the address of its run's page.
type Linked<'a> = (&'a Call, Option<&'a str>);

/// Writes a page that leads to the page of each run; `links` are their addresses, in the order of the calls that have one.
///
/// # Errors
/// When `out` fails.
pub fn html_index(
    calls: &[Call],
    links: &[String],
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let mut links = links.iter().map(String::as_str);
    let linked: Vec<Linked<'_>> = calls
        .iter()
        .map(|call| (call, call.run.as_ref().ok().and_then(|_| links.next())))
        .collect();
    let page = document("farcall runs", SCRIPT, &body(&linked));
    out.write_all(page.into_string().as_bytes())
        .map_err(|source| ReportError::Render {
            format: "html",
            source,
        })
}

/// The gravest of what decides; of nothing, that it is quarantined.
fn gravest(calls: &[Linked<'_>]) -> Standing {
    let standings = calls.iter().map(|(call, _)| call.standing());
    let deciding = standings.filter(|standing| *standing != Standing::Quarantined);
    let nothing = match calls.is_empty() {
        true => Standing::Passed,
        false => Standing::Quarantined,
    };
    deciding.min().unwrap_or(nothing)
}

fn body(calls: &[Linked<'_>]) -> Markup {
    let mut configurations: Vec<&str> = Vec::new();
    for (call, _) in calls {
        let configuration = call.ice_configuration.as_str();
        if !configurations.contains(&configuration) {
            configurations.push(configuration);
        }
    }
    let count = |standing| {
        let of_standing = calls.iter().filter(|(call, _)| call.standing() == standing);
        of_standing.count()
    };
    html! {
        a.skip href="#grid" { "Skip to the runs" }
        header.top.(gravest(calls).class()) {
            h1 { (calls.len()) " calls" }
            form #filter.filter {
                @for standing in Standing::ALL {
                    @if count(standing) > 0 {
                        label.chip { input type="checkbox" name="verdict" value=(standing.class()) checked;
                            span.badge.(standing.class()) { (count(standing)) " " (standing) } }
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
                thead { tr { (column("scenario")) @for configuration in &configurations { (column(configuration)) } } }
                tbody {
                    @for (scenario, of_scenario) in rows(calls) {
                        tr data-scenario=(scenario) {
                            th scope="row" { (scenario) }
                            @for configuration in &configurations {
                                td data-configuration=(configuration) {
                                    @for (call, link) in of_scenario.iter()
                                        .filter(|(call, _)| call.ice_configuration == *configuration) {
                                        (cell(call, *link))
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

/// The calls of each scenario, gravest first, both scenarios and calls.
fn rows<'a>(calls: &[Linked<'a>]) -> Vec<(&'a str, Vec<Linked<'a>>)> {
    let mut by_scenario: BTreeMap<&str, Vec<Linked<'a>>> = BTreeMap::new();
    for (call, link) in calls {
        let of_scenario = by_scenario.entry(&call.scenario).or_default();
        of_scenario.push((call, *link));
    }
    let mut rows: Vec<(&str, Vec<Linked<'a>>)> = by_scenario.into_iter().collect();
    for (_, of_scenario) in &mut rows {
        of_scenario.sort_by_key(|(call, _)| call.standing());
    }
    rows.sort_by_key(|(_, of_scenario)| of_scenario.iter().map(|(call, _)| call.standing()).min());
    rows
}

/// It leads nowhere where there is no run.
fn cell(call: &Call, link: Option<&str>) -> Markup {
    let class = call.standing().class();
    let inside = inside(call);
    html! {
        @match link {
            Some(link) => a.cell.(class) href=(link) data-verdict=(class) { (inside) },
            None => div.cell.(class) data-verdict=(class) { (inside) },
        }
    }
}

fn inside(call: &Call) -> Markup {
    let run = call.run.as_ref().ok();
    let path = run.and_then(media::pair);
    html! {
        span.badge.(call.standing().class()) { (call.word()) }
        span.time { @if let Some(run) = run { (duration(total_ms(run))) } }
        @match (call.explanation(), path) {
            (Some(explained), _) => span.why title=(explained.sentence) {
                b { (explained.cause) } ": " (cut(&explained.sentence, MOST_LETTERS))
            },
            (None, Some(path)) => span.why { (path) },
            (None, None) => {},
        }
        @if let Some(further) = further(call) { span.why { "also " (further) } }
        @for note in call.notes() { span.why.note { (note) } }
    }
}

/// The checks that did not hold beside the one that the cell explains. A diagnosis explains them all.
fn further(call: &Call) -> Option<String> {
    let run = call.run.as_ref().ok();
    let run = run.filter(|run| run.result.diagnosis.is_none())?;
    let names: Vec<&str> = wrong(run)
        .skip(1)
        .map(|check| check.name.as_str())
        .collect();
    (!names.is_empty()).then(|| names.join(", "))
}
