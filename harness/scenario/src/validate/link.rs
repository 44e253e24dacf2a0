//! Links that can be emulated.

use crate::model::{LinkDirectionOverride, Site};
use crate::preset::{LinkDirection, Loss};
use crate::read::Finding;
use std::ops::RangeInclusive;

/// A probability in percent.
const PERCENT: RangeInclusive<f64> = 0.0..=100.0;

pub(super) fn check(path: &str, site: &Site) -> Vec<Finding> {
    let Some(overrides) = &site.link_override else {
        return Vec::new();
    };
    let link = site.link.expand();
    let up = link.as_ref().map(|link| &link.up);
    let down = link.as_ref().map(|link| &link.down);
    let path = format!("{path}.link_override");
    let mut findings = check_direction(&format!("{path}.up"), up, &overrides.up);
    findings.extend(check_direction(
        &format!("{path}.down"),
        down,
        &overrides.down,
    ));
    findings
}

fn check_direction(
    path: &str,
    preset: Option<&LinkDirection>,
    overrides: &LinkDirectionOverride,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut range = |key: &str, found: Option<f64>, range: RangeInclusive<f64>| {
        if let Some(found) = found.filter(|found| !range.contains(found)) {
            let message = format!("{found} is out of range");
            let hint = format!("write {} to {}", range.start(), range.end());
            findings.push(Finding::new(format!("{path}.{key}"), message).hint(hint));
        }
    };
    range("delay_ms", overrides.delay_ms, 0.0..=5_000.0);
    range("duplicate_percent", overrides.duplicate_percent, PERCENT);
    range("reorder_percent", overrides.reorder_percent, PERCENT);
    range(
        "rate_kbit",
        overrides.rate_kbit.map(f64::from),
        8.0..=1_000_000.0,
    );
    range(
        "queue_ms",
        overrides.queue_ms.map(f64::from),
        1.0..=10_000.0,
    );
    range("mtu", overrides.mtu.map(f64::from), 1_280.0..=1_500.0);
    match overrides.loss.unwrap_or_default() {
        Loss::None => {}
        Loss::Random { percent } => range("loss.percent", Some(percent), PERCENT),
        Loss::Bursts {
            good_to_bad_percent,
            bad_to_good_percent,
            good_loss_percent,
            bad_loss_percent,
        } => {
            for (key, percent) in [
                ("loss.good_to_bad_percent", good_to_bad_percent),
                ("loss.bad_to_good_percent", bad_to_good_percent),
            ] {
                range(key, Some(percent), f64::MIN_POSITIVE..=100.0);
            }
            range("loss.good_loss_percent", Some(good_loss_percent), PERCENT);
            range("loss.bad_loss_percent", Some(bad_loss_percent), PERCENT);
        }
    }
    let usual = preset.cloned().unwrap_or_default();
    let delay_ms = overrides.delay_ms.unwrap_or(usual.delay_ms);
    let jitter_ms = overrides.jitter_ms.unwrap_or(usual.jitter_ms);
    if !(0.0..=delay_ms).contains(&jitter_ms) {
        let key = if overrides.jitter_ms.is_some() {
            "jitter_ms"
        } else {
            "delay_ms"
        };
        findings.push(
            Finding::new(
                format!("{path}.{key}"),
                format!("a jitter of {jitter_ms} ms is more than the delay of {delay_ms} ms"),
            )
            .hint("write a jitter of at most the delay"),
        );
    }
    if overrides.rate_kbit.is_some() && overrides.trace.is_some() {
        findings.push(
            Finding::new(
                format!("{path}.trace"),
                "a link has either a rate or a trace",
            )
            .because_of(format!("{path}.rate_kbit"))
            .hint("leave one of them out"),
        );
    }
    findings
}
