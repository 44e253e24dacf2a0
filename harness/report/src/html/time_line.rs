//! What happened when: a lane for each node, faults as shaded windows over all of them.

mod lane;
mod window;

pub(super) use window::{FaultWindow, Window, fault_windows};

use super::percent;
use crate::StoredRun;
use crate::place::nodes;
use crate::words::Kind;
use lane::{Bar, Lane, Mark, lane};
use maud::{Markup, html};
use std::collections::BTreeSet;

/// The height of a lane in pixels.
const HEIGHT: u32 = 34;

/// The lanes, with what moves and filters them; where scripts do not run, the call as it is.
pub(super) fn time_line(run: &StoredRun) -> Markup {
    let window = Window::of(run);
    let faults = fault_windows(run);
    let lanes: Vec<Lane> = nodes(run).into_iter().map(|node| lane(run, node)).collect();
    let lanes: Vec<&Lane> = lanes.iter().filter(|lane| !lane.is_empty()).collect();
    let marks = lanes.iter().flat_map(|lane| &lane.marks);
    let kinds: BTreeSet<Kind> = marks.map(|mark| mark.kind).collect();
    html! {
        div.lanes #lanes tabindex="0" role="group"
            aria-label="Time line: arrow keys move, plus and minus zoom, 0 shows the call, a everything, n and p go through events"
            data-from=(ms(window.from_ms)) data-to=(ms(window.to_ms)) data-end=(ms(window.end_ms)) {
            div.bar-of-buttons {
                button type="button" data-do="in" title="Zoom in (+)" { "+" }
                button type="button" data-do="out" title="Zoom out (-)" { "\u{2212}" }
                button type="button" data-do="left" title="Earlier (left)" { "\u{2190}" }
                button type="button" data-do="right" title="Later (right)" { "\u{2192}" }
                button type="button" data-do="call" title="The call (0)" { "call" }
                button type="button" data-do="all" title="Everything (a)" { "whole run" }
                fieldset.chips {
                    legend.hidden { "What is shown" }
                    @for kind in &kinds {
                        label { input type="checkbox" checked data-kind=(kind.name()); span.dot.(kind_class(*kind)) {} (kind.name()) }
                    }
                }
            }
            div.lane.axis { span.name {} svg.track height="20" #axis { (axis(&window)) } }
            @for lane in lanes {
                div.lane data-node=(lane.node) {
                    span.name { (lane.node) }
                    svg.track height=(HEIGHT) {
                        @for fault in &faults { (fault_rect(fault, &window)) }
                        @for bar in &lane.bars { (bar_rect(bar, &window)) }
                        @for mark in &lane.marks { (mark_dot(mark, &window)) }
                    }
                }
            }
            output.detail #detail { "Point at an event, or go through them with n and p." }
        }
    }
}

/// Ticks at tenths of what is shown.
fn axis(window: &Window) -> Markup {
    html! {
        @for tenth in 0..10_u32 {
            @let part = f64::from(tenth) / 10.0;
            @let at_ms = window.from_ms + part * (window.to_ms - window.from_ms);
            text x=(percent(part)) y="14" { (format!("{:.1} s", at_ms / 1e3)) }
        }
    }
}

fn fault_rect(fault: &FaultWindow, window: &Window) -> Markup {
    html! {
        rect.fault x=(percent(window.part(fault.from_ms))) y="0" height="100%"
            width=(percent(window.part(fault.until_ms) - window.part(fault.from_ms)))
            data-at=(ms(fault.from_ms)) data-until=(ms(fault.until_ms)) { title { (fault.what) } }
    }
}

fn bar_rect(bar: &Bar, window: &Window) -> Markup {
    let (from, until) = (window.part(bar.from_ms), window.part(bar.until_ms));
    html! {
        rect.bar.(bar.class) x=(percent(from)) y="22" height="11" rx="2" width=(percent((until - from).max(0.0)))
            data-at=(ms(bar.from_ms)) data-until=(ms(bar.until_ms)) { title { (bar.name) } }
        text.bar-name x=(percent(from)) dx="4" y="31" data-at=(ms(bar.from_ms)) data-until=(ms(bar.until_ms))
            style=[(until - from < 0.08).then_some("display:none")] { (bar.name) }
    }
}

fn mark_dot(mark: &Mark, window: &Window) -> Markup {
    let x = percent(window.part(mark.at_ms));
    let title = format!("{:.3} s: {}", mark.at_ms / 1e3, mark.what);
    html! {
        @match mark.number {
            Some(number) => g.mark.attempt data-kind=(mark.kind.name()) data-what=(title) {
                circle cx=(x) cy="11" r="9" data-at=(ms(mark.at_ms)) { title { (title) } }
                text x=(x) y="15" data-at=(ms(mark.at_ms)) { (number) }
            },
            None => circle.mark.(kind_class(mark.kind)).bad[mark.is_bad] cx=(x) cy="11" r="4.5" data-at=(ms(mark.at_ms))
                data-kind=(mark.kind.name()) data-what=(title) { title { (title) } },
        }
    }
}

/// The class of a kind of event, by which it is coloured.
fn kind_class(kind: Kind) -> String {
    format!("kind-{}", kind.name())
}

/// Milliseconds to the tenth.
fn ms(at_ms: f64) -> String {
    format!("{at_ms:.1}")
}
