//! The one configuration of a text, where all of it is written down.

use crate::document::{Entry, Kind, Span, Value, mask_literals};
use crate::problem::Problems;
use crate::read::{Finding, Source};
use farcall_literal::{Document, HOLE, Kind as Literal, Value as Found, Written};

/// The key under which W3C `RTCConfiguration` has its servers.
const KEY: &str = "iceServers";

/// What to do where a run cannot use what a program computes.
const WRITE_IT_OUT: &str =
    "write what it comes to as JSON, `{ \"iceServers\": [...] }`, and name that file instead";

/// The configuration that is meant, as one that a person wrote for a run: of JSON the whole document, unless one is
/// chosen.
pub(super) fn value(
    source: &Source<'_>,
    document: &Document,
    chosen: Option<&str>,
) -> Result<Value, Problems> {
    let mut reading = Reading {
        later_counts: document.root.is_none(),
        findings: Vec::new(),
    };
    let value = match (&document.root, chosen) {
        (Some(root), None) => Ok(reading.plain(root, "")),
        _ => one(document, chosen).map(|written| configuration(written, &mut reading)),
    };
    let findings = match value {
        Ok(value) if reading.findings.is_empty() => return Ok(value),
        Ok(_) => reading.findings,
        Err(findings) => findings,
    };
    // Nothing is known to be harmless yet.
    let shown = mask_literals(source.text, &document.literals, None, |_, _| false);
    Err(source.problems(findings, Some(shown)))
}

/// The configuration that is meant, or why none is.
fn one<'d>(
    document: &'d Document,
    chosen: Option<&str>,
) -> Result<&'d Written, Vec<(Span, Finding)>> {
    let is_meant = |written: &&Written| chosen.is_none() || written.name.as_deref() == chosen;
    let meant: Vec<&Written> = document.configurations.iter().filter(is_meant).collect();
    match meant.as_slice() {
        [only] => Ok(only),
        [] => Err(none(document, chosen)),
        several => Err(several_of(several)),
    }
}

fn none(document: &Document, chosen: Option<&str>) -> Vec<(Span, Finding)> {
    if let Some(chosen) = chosen {
        let names = document.configurations.iter().map(name);
        let names: Vec<String> = names.collect();
        let hint = match names.is_empty() {
            true => document.language.looked_for(),
            false => format!("there are: {}", names.join(", ")),
        };
        let finding = Finding::new("", format!("there is no configuration called `{chosen}`"));
        return vec![(0..0, finding.hint(hint))];
    }
    if document.computed.is_empty() {
        let finding = Finding::new("", "there is no ICE configuration in it");
        return vec![(0..0, finding.hint(document.language.looked_for()))];
    }
    let places = document.computed.iter();
    places
        .map(|place| (place.clone(), is_computed(KEY)))
        .collect()
}

fn several_of(several: &[&Written]) -> Vec<(Span, Finding)> {
    let finding = |written: &&Written| {
        let message = format!(
            "{} is one of {} configurations, and a call is placed with one",
            name(written),
            several.len()
        );
        let same = several.iter().filter(|other| other.name == written.name);
        let hint = match &written.name {
            Some(name) if same.count() == 1 => {
                format!("to choose it write `#{name}` after the file's name: `--ice 'FILE#{name}'`")
            }
            _ => format!("to choose it {WRITE_IT_OUT}"),
        };
        (written.span.clone(), Finding::new(KEY, message).hint(hint))
    };
    several.iter().map(finding).collect()
}

fn name(written: &Written) -> String {
    match &written.name {
        Some(name) => format!("`{name}`"),
        None => "one without a name".to_owned(),
    }
}

fn is_computed(path: &str) -> Finding {
    let message = match path {
        "" => "this is computed when the program runs".to_owned(),
        path => format!("`{path}` is computed when the program runs"),
    };
    Finding::new(path, message).hint(WRITE_IT_OUT)
}

/// The whole of a configuration, with the servers that stand in it in the end.
fn configuration(written: &Written, reading: &mut Reading) -> Value {
    let value = match &written.object {
        None => reading.plain(&written.servers, KEY),
        Some(object) => {
            let mut whole = object.clone();
            if let Literal::Table(entries) = &mut whole.kind {
                let servers = entries
                    .iter_mut()
                    .filter(|entry| entry.key.as_deref() == Some(KEY));
                servers.for_each(|entry| entry.value = written.servers.clone());
            }
            reading.plain(&whole, "")
        }
    };
    reading.note_decided(&written.decided);
    value
}

/// What is noted on the way from what is written to what a document has.
struct Reading {
    /// Whether of two values under one key the later one counts, as in a program.
    later_counts: bool,
    findings: Vec<(Span, Finding)>,
}

impl Reading {
    fn plain(&mut self, found: &Found, path: &str) -> Value {
        let kind = match &found.kind {
            Literal::Text(text) if !text.contains(HOLE) => Kind::Text(text.clone()),
            Literal::Text(_) | Literal::Either(_) | Literal::Computed => {
                let finding = (found.span.clone(), is_computed(path));
                self.findings.push(finding);
                Kind::Other("what is computed")
            }
            Literal::Number(digits) => digits
                .parse()
                .map(Kind::Integer)
                .or_else(|_| digits.parse().map(Kind::Fraction))
                .unwrap_or(Kind::Other("no number")),
            Literal::Bool(truth) => Kind::Bool(*truth),
            Literal::Null(name) => Kind::Other(name),
            Literal::List(values) => {
                let values = values.iter().enumerate();
                let values = values.map(|(at, value)| self.plain(value, &format!("{path}[{at}]")));
                Kind::List(values.collect())
            }
            Literal::Table(entries) => Kind::Table(self.table(entries, path)),
        };
        Value {
            kind,
            span: found.span.clone(),
        }
    }

    /// The entries of a table without those that the program leaves out.
    fn table(&mut self, entries: &[farcall_literal::Entry], path: &str) -> Vec<Entry> {
        let mut table: Vec<Entry> = Vec::new();
        for entry in entries {
            let Some(key) = &entry.key else {
                let finding = (entry.key_span.clone(), is_computed(path));
                self.findings.push(finding);
                continue;
            };
            if self.later_counts {
                table.retain(|earlier| earlier.key != *key);
            }
            if matches!(entry.value.kind, Literal::Null("undefined")) {
                continue;
            }
            let path = match path {
                "" => key.clone(),
                path => format!("{path}.{key}"),
            };
            table.push(Entry {
                key: key.clone(),
                key_span: entry.key_span.clone(),
                value: self.plain(&entry.value, &path),
            });
        }
        table
    }

    /// Notes choices and changes of which nothing else is noted yet.
    fn note_decided(&mut self, decided: &[Span]) {
        for place in decided {
            if self
                .findings
                .iter()
                .all(|(known, _)| known.start != place.start)
            {
                self.findings.push((place.clone(), is_computed("")));
            }
        }
    }
}
