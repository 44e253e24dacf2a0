//! Runs as pages that need nothing beside themselves: markup by `maud`, which escapes all text, and style and scripts out
//! of the files beside this one.

mod index;
mod log;
mod page;
mod plots;
mod tables;
mod time_line;
mod topology;

pub use index::html_index;
pub(crate) use page::page;

use farcall_verdict::Verdict;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");

/// The heading of a table's column; with its scope, a screen reader tells it with each of the column's cells.
fn column(name: &str) -> Markup {
    html! { th scope="col" { (name) } }
}

/// The same above figures, which stand to the right.
fn number_column(name: &str) -> Markup {
    html! { th.number scope="col" { (name) } }
}

/// A whole document with a style and a script.
fn document(title: &str, script: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Nothing is fetched, whatever a text in the page says; browsers ask for an icon unless there is one.
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";
                link rel="icon" href="data:,";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (body)
                script { (PreEscaped(script)) }
            }
        }
    }
}

/// The class of a verdict, by which it is coloured.
fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Invalid => "invalid",
        Verdict::Unsupported => "unsupported",
    }
}

/// A part of a whole in percent, with as many digits as a screen has points.
fn percent(part: f64) -> String {
    format!("{:.3}%", part * 100.0)
}
