//! Statistics as a dump has them: for each property of each report a list of values.

use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The values of one property.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Series {
    start_time: String,
    end_time: String,
    stats_type: String,
    /// A JSON list.
    values: String,
}

/// Reports by id, each with its times and values.
#[derive(Default)]
pub(super) struct Statistics {
    reports: BTreeMap<String, Reports>,
}

struct Reports {
    kind: String,
    times_ms: Vec<f64>,
    properties: BTreeMap<String, Vec<Value>>,
}

/// The report of one moment. Every property must be set in every report of an id, so that each value has its time.
pub(super) struct At<'a> {
    reports: &'a mut Reports,
}

impl Statistics {
    pub(super) fn report(&mut self, id: &str, kind: &str, at_ms: f64) -> At<'_> {
        let reports = self
            .reports
            .entry(id.to_owned())
            .or_insert_with(|| Reports {
                kind: kind.to_owned(),
                times_ms: Vec::new(),
                properties: BTreeMap::new(),
            });
        reports.times_ms.push(at_ms);
        At { reports }
    }

    /// `ID-PROPERTY` for each property, the times being those of the property `timestamp`.
    pub(super) fn into_series(self) -> BTreeMap<String, Series> {
        let mut all = BTreeMap::new();
        for (id, reports) in self.reports {
            let times = reports.times_ms;
            let (Some(first), Some(last)) = (times.first(), times.last()) else {
                continue;
            };
            let series = |values: Vec<Value>| Series {
                start_time: iso(*first),
                end_time: iso(*last),
                stats_type: reports.kind.clone(),
                values: Value::from(values).to_string(),
            };
            let timestamps = times.iter().map(|at_ms| json!(at_ms)).collect();
            all.insert(format!("{id}-timestamp"), series(timestamps));
            for (property, mut values) in reports.properties {
                // A property that came late has the times of the last.
                let missing = times.len().saturating_sub(values.len());
                let padding = std::iter::repeat_n(Value::Null, missing);
                values.splice(0..0, padding);
                all.insert(format!("{id}-{property}"), series(values));
            }
        }
        all
    }
}

impl At<'_> {
    pub(super) fn set(&mut self, property: &str, value: impl Into<Value>) {
        let reported = self.reports.times_ms.len();
        let values = self
            .reports
            .properties
            .entry(property.to_owned())
            .or_default();
        values.resize(reported - 1, Value::Null);
        values.push(value.into());
    }

    /// A total in bytes, and beside it what Chrome computes of it: bits in a second since the report before.
    pub(super) fn total(&mut self, property: &str, bytes: u64) {
        let before = self.reports.properties.get(property);
        let before = before
            .and_then(|values| values.last())
            .and_then(Value::as_u64);
        let rate = match (before, self.reports.times_ms.as_slice()) {
            (Some(before), [.., earlier, now]) if now > earlier && bytes >= before => {
                let bits = f64::from(u32::try_from(bytes - before).unwrap_or(u32::MAX)) * 8.0;
                bits * 1e3 / (now - earlier)
            }
            _ => 0.0,
        };
        self.set(&format!("[{property}_in_bits/s]"), rate);
        self.set(property, bytes);
    }
}

/// A time as JavaScript's `toISOString` has it.
pub(super) fn iso(epoch_ms: f64) -> String {
    let since = time::Duration::seconds_f64(epoch_ms / 1e3);
    let at = OffsetDateTime::UNIX_EPOCH.checked_add(since);
    // Only a year that RFC 3339 cannot have has no form.
    let text = at.and_then(|at| at.format(&Rfc3339).ok());
    text.unwrap_or_default()
}
