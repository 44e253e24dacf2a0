//! A line for each finding, for those who are about to do something else.

use super::counted;
use crate::finding::Finding;
use crate::lint::LintedFile;
use crate::rule::Severity;
use std::cmp::Reverse;

/// One line for each error and warning, the gravest first, and one that counts all and names the command
/// that explains them. Nothing where there is nothing to say.
#[must_use]
pub fn brief(linted: &LintedFile, command: &str) -> Vec<String> {
    let mut findings: Vec<&Finding> = linted.findings().collect();
    findings.sort_by_key(|finding| Reverse(finding.severity));
    let serious = findings
        .iter()
        .filter(|finding| finding.severity > Severity::Note);
    let mut lines: Vec<String> = serious
        .map(|finding| {
            let place = &finding.place;
            let Finding {
                severity,
                message,
                rule,
                ..
            } = finding;
            let file = &linted.file;
            format!(
                "{file}:{}:{}: {severity}: {message} ({rule})",
                place.line, place.column
            )
        })
        .collect();
    if !findings.is_empty() {
        let all = counted(findings.iter().map(|finding| finding.severity));
        lines.push(format!(
            "{}: {all}; `{command}` says what happens where, and what to write",
            linted.file
        ));
    }
    lines
}
