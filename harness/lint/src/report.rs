//! Findings as people, pipelines and code scanners read them.

mod brief;
mod human;
mod json;
mod sarif;

pub use brief::brief;
pub use human::{Look, human};
pub use json::{FileReport, LintReport, SCHEMA_VERSION, Totals, json, schema};
pub use sarif::sarif;

use crate::rule::Severity;

/// `2 errors, 1 warning`, without those of which there are none.
fn counted(severities: impl Iterator<Item = Severity>) -> String {
    let mut counts = [0_usize; 3];
    for severity in severities {
        counts[severity as usize] += 1;
    }
    let named = [Severity::Error, Severity::Warning, Severity::Note]
        .map(|severity| (counts[severity as usize], severity));
    let parts: Vec<String> = named
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| match count {
            1 => format!("1 {severity}"),
            count => format!("{count} {severity}s"),
        })
        .collect();
    if parts.is_empty() {
        "nothing to say".to_owned()
    } else {
        parts.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::{Severity, counted};

    #[test]
    fn findings_are_counted_the_gravest_first() {
        use Severity::{Error, Note, Warning};
        let counted = |severities: &[Severity]| counted(severities.iter().copied());
        assert_eq!(counted(&[]), "nothing to say");
        assert_eq!(counted(&[Note, Warning, Note]), "1 warning, 2 notes");
        assert_eq!(
            counted(&[Note, Error, Warning, Error]),
            "2 errors, 1 warning, 1 note"
        );
    }
}
