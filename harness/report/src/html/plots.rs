//! How media flowed, plotted: for each direction bitrate, loss and jitter on the time of the time line.

use super::time_line::{FaultWindow, Window, fault_windows};
use crate::StoredRun;
use crate::flow::{Direction, Flow, FlowPoint, flows};
use farcall_timeline::Event;
use maud::{Markup, html};

/// The size of a plot's own units.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 100.0;

/// A figure for each direction.
pub(super) fn plots(run: &StoredRun) -> Markup {
    let all = flows(run);
    let peers: Vec<&str> = run.result.peers.keys().map(String::as_str).collect();
    let window = Window::of(run);
    let faults = fault_windows(run);
    let directions = peers.iter().flat_map(|to| {
        let from = peers.iter().filter(move |from| *from != to);
        from.map(move |from| (*from, *to))
    });
    if all.is_empty() {
        return html! { p.none { "No media were reported more than once." } };
    }
    html! {
        p.keys {
            @for kind in ["audio", "video", "data"] { span.key.(kind) { (kind) } }
            span { "on the time of the time line; totals at the end of the call:" }
        }
        @for (from, to) in directions {
            @let received: Vec<&Flow> = all.iter()
                .filter(|flow| flow.peer == to && flow.direction == Direction::Received).collect();
            h3 { (from) " \u{2192} " (to) }
            div.plots {
                (plot("bitrate", "kbit/s", &received, |point| Some(point.kbit_per_s), &window, &faults))
                (plot("loss", "%", &received, |point| point.loss_percent, &window, &faults))
                (plot("jitter", "ms", &received, |point| point.jitter_ms, &window, &faults))
                (round_trips(run, from, &window, &faults))
            }
            (totals(run, to))
        }
    }
}

/// What arrived at a peer in all.
fn totals(run: &StoredRun, to: &str) -> Markup {
    let lines = crate::format::media::directions(run);
    let wanted = format!("-> {to}:");
    html! {
        @for line in lines.iter().filter(|line| line.contains(&wanted)) { p.totals { (line) } }
    }
}

/// A line's kind, and its points by moment.
type Line = (String, Vec<(f64, f64)>);

/// One quantity of each flow.
fn plot(
    title: &str,
    unit: &str,
    flows: &[&Flow],
    value: impl Fn(&FlowPoint) -> Option<f64>,
    window: &Window,
    faults: &[FaultWindow],
) -> Markup {
    let lines = flows.iter().map(|flow| {
        let points = flow.points.iter();
        let points = points.filter_map(|point| Some((point.at_ms, value(point)?)));
        (flow.kind.to_string(), points.collect())
    });
    figure(title, unit, &lines.collect::<Vec<Line>>(), window, faults)
}

/// The round trip that a peer measured; nothing where it told none.
fn round_trips(run: &StoredRun, peer: &str, window: &Window, faults: &[FaultWindow]) -> Markup {
    let own = run.timeline.entries().iter();
    let points = own.filter_map(|entry| match entry.event {
        Event::RoundTrip { rtt_ms } if entry.node == peer => Some((entry.at_ms, rtt_ms)),
        _ => None,
    });
    let points: Vec<(f64, f64)> = points.collect();
    match points.is_empty() {
        true => html! {},
        false => figure(
            "round trip",
            "ms",
            &[("trip".to_owned(), points)],
            window,
            faults,
        ),
    }
}

fn figure(
    title: &str,
    unit: &str,
    lines: &[Line],
    window: &Window,
    faults: &[FaultWindow],
) -> Markup {
    let values = lines.iter().flat_map(|(_, points)| points);
    let most = values.map(|(_, value)| *value).fold(0.0, f64::max);
    let top = round_up(most);
    html! {
        figure.plot {
            figcaption { b { (title) } " " (unit) span.most { "most " (short(most)) } }
            div.axes {
                span.top { (short(top)) }
                span.bottom { "0" }
                svg.plot viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img"
                    aria-label=(format!("{title} in {unit}, at most {}", short(most))) {
                    @for fault in faults {
                        @let from = window.part(fault.from_ms) * WIDTH;
                        @let until = window.part(fault.until_ms) * WIDTH;
                        rect.fault x=(digits(from)) width=(digits(until - from)) y="0" height=(HEIGHT) {}
                    }
                    line.half x1="-100000" x2="100000" y1=(HEIGHT / 2.0) y2=(HEIGHT / 2.0) {}
                    @for (kind, points) in lines {
                        polyline.curve.(kind) points=(polyline(points, top, window)) {}
                    }
                }
            }
        }
    }
}

fn polyline(points: &[(f64, f64)], top: f64, window: &Window) -> String {
    let each = points.iter().map(|(at_ms, value)| {
        let x = window.part(*at_ms) * WIDTH;
        let y = HEIGHT - value / top * (HEIGHT - 4.0) - 2.0;
        format!("{},{}", digits(x), digits(y))
    });
    each.collect::<Vec<_>>().join(" ")
}

/// The next of 1, 2 and 5 times a power of ten; 1 for nothing.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    let enough = steps.into_iter().find(|step| *step >= value);
    enough.unwrap_or(value)
}

/// A number with as many digits as a person wants.
fn short(value: f64) -> String {
    match value {
        _ if value >= 100.0 || value.fract() == 0.0 => format!("{value:.0}"),
        _ if value >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn digits(value: f64) -> String {
    format!("{value:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number() {
        let found = [0.0, 0.3, 1.0, 3.0, 41.0, 999.0].map(round_up);
        let expected = [1.0, 0.5, 1.0, 5.0, 50.0, 1_000.0];
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found} {expected}");
        }
    }
}
