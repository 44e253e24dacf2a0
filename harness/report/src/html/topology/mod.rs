//! The lab drawn: the internet with its servers above, sites below, the way of the selected pair, and what was dropped
//! where.

mod cards;
mod layout;
mod path;

use crate::StoredRun;
use crate::format::{cut, media};
use layout::{Layout, Placed, layout};
use maud::{Markup, html};
use path::{Path, path_of};

/// The picture and, in words, what it shows.
pub(super) fn picture(run: &StoredRun) -> Markup {
    let path = path_of(run);
    let mut cards = cards::cards(run);
    // Those that media went by are in the lowest row, so that the line to them passes behind no other.
    let is_passed = |node: &String| path.as_ref().is_some_and(|path| path.nodes.contains(node));
    cards.servers.sort_by_key(|card| is_passed(&card.node));
    let layout = layout(cards);
    let path = path.map(|path| (layout.line(&path.nodes), path));
    let described = description(path.as_ref().map(|(_, path)| path), run);
    html! {
        figure.network {
            div.scroll {
                svg viewBox=(format!("0 0 {:.0} {:.0}", layout.width, layout.height)) role="img"
                    aria-label=(described) style=(format!("min-width: {:.0}px", layout.width * 0.75)) {
                    (drawing(&layout, path.as_ref().map(|(line, _)| line.as_str())))
                }
            }
            figcaption {
                span.key.path { "the selected pair's way" }
                span.key.drop { "blocked during the call" }
                span.key.fault { "broken on purpose" }
                (described)
            }
        }
    }
}

fn description(path: Option<&Path>, run: &StoredRun) -> String {
    match path {
        Some(path) => format!(
            "{}: {}.",
            media::pair(run).unwrap_or_default(),
            path.nodes.join(" - ")
        ),
        None => "No pair was selected: media had no way.".to_owned(),
    }
}

fn drawing(layout: &Layout, path: Option<&str>) -> Markup {
    html! {
        rect.internet x="1" y="1" width=(layout.width - 2.0) height=(layout.internet_height - 2.0) rx="14" {}
        text.area x="18" y="24" { "internet" }
        @for site in &layout.sites {
            rect.site x=(site.x) y=(site.y) width=(site.width) height=(site.height) rx="14" {}
        }
        @for edge in &layout.edges {
            line.edge x1=(edge.from.0) y1=(edge.from.1) x2=(edge.to.0) y2=(edge.to.1) {}
        }
        @if let Some(line) = path { path.way d=(line) {} }
        @for site in &layout.sites { text.area.site-name x=(site.x + 14.0) y=(site.y + 22.0) { (site.title) } }
        @for placed in &layout.cards { (card(placed)) }
    }
}

fn card(placed: &Placed) -> Markup {
    let (x, y) = (placed.x, placed.y);
    let letters = placed.letters();
    html! {
        g.card.(placed.card.kind) {
            rect x=(x) y=(y) width=(placed.width) height=(placed.height) rx="9" {}
            text.title x=(x + 12.0) y=(y + 20.0) { (cut(&placed.card.title, letters)) }
            @for (line_y, line) in placed.lines() {
                text.(line.kind) x=(x + 12.0) y=(line_y) {
                    @if line.text.chars().count() > letters { title { (line.text) } }
                    (cut(&line.text, letters))
                }
            }
        }
    }
}
