//! Declared beside measured, as a table.

use super::style::Paint;
use super::text::{duration, wrap, wrapping};
use crate::Attestation;
use farcall_timeline::{Aspect, Measured};
use std::io::Write;

/// The widths of what is measured, what is declared and what was found.
const WIDTHS: [usize; 3] = [35, 27, 27];

/// What was measured of a lab, as text of at most 100 columns.
#[derive(Debug, Clone, Copy, Default)]
pub struct AttestationTable {
    /// Whether to add colours, which say nothing that the text does not.
    pub colour: bool,
}

impl AttestationTable {
    /// Writes all that is known of a lab: a headline, the table, and faults.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn render(&self, lab: &Attestation, out: &mut dyn Write) -> std::io::Result<()> {
        let paint = self.paint();
        let holding = lab.attestation.iter().filter(|one| one.holds).count();
        let times = [("raised", lab.raise_ms), ("measured", lab.attest_ms)];
        let times = times.map(|(done, ms)| match ms {
            Some(ms) => format!("{done} in {}", duration(ms)),
            None => format!("not {done}"),
        });
        writeln!(
            out,
            "{} {} with {}: {holding} of {} hold, {}\n",
            paint.holds(lab.holds, if lab.holds { "VALID" } else { "INVALID" }),
            lab.scenario,
            lab.ice_configuration,
            lab.attestation.len(),
            times.join(", ")
        )?;
        self.rows(&lab.attestation, out)?;
        for fault in &lab.faults {
            writeln!(out, "{}", wrap("fault   ", fault))?;
        }
        Ok(())
    }

    /// Writes the table alone, by node and aspect in the order in which they first come.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn rows(&self, measured: &[Measured], out: &mut dyn Write) -> std::io::Result<()> {
        let paint = self.paint();
        let mut groups: Vec<(&str, Aspect)> = Vec::new();
        for one in measured {
            let group = (one.node.as_str(), one.aspect);
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        let nodes = groups.iter().map(|(node, _)| *node);
        let nodes: Vec<&str> = nodes.fold(Vec::new(), |mut known, node| {
            if !known.contains(&node) {
                known.push(node);
            }
            known
        });
        groups.sort_by_key(|(node, _)| nodes.iter().position(|known| known == node));
        for (node, aspect) in groups {
            writeln!(out, "{}", paint.heading(&format!("{node}, {aspect}")))?;
            let of_group = measured
                .iter()
                .filter(|one| one.node == node && one.aspect == aspect);
            for one in of_group {
                row(paint, one, out)?;
            }
        }
        Ok(())
    }

    fn paint(&self) -> Paint {
        Paint {
            colour: self.colour,
        }
    }
}

fn row(paint: Paint, one: &Measured, out: &mut dyn Write) -> std::io::Result<()> {
    let cells = [&one.what, &one.declared, &one.measured];
    let cells: Vec<Vec<String>> = cells
        .iter()
        .zip(WIDTHS)
        .map(|(text, width)| {
            let lines = textwrap::wrap(text, wrapping(width));
            lines.into_iter().map(String::from).collect()
        })
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    for line in 0..height {
        let mark = match (line, one.holds) {
            (0, true) => "ok ",
            (0, false) => "NOT",
            _ => "   ",
        };
        let columns: Vec<String> = cells
            .iter()
            .zip(WIDTHS)
            .map(|(lines, width)| {
                let text = lines.get(line).map_or("", String::as_str);
                let missing = width.saturating_sub(textwrap::core::display_width(text));
                format!("{text}{}", " ".repeat(missing))
            })
            .collect();
        let line = format!("  {}  {}", paint.holds(one.holds, mark), columns.join("  "));
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::super::text::COLUMNS;
    use super::*;

    fn measured(node: &str, aspect: Aspect, what: &str, declared: &str, found: &str) -> Measured {
        Measured {
            node: node.to_owned(),
            aspect,
            what: what.to_owned(),
            declared: declared.to_owned(),
            measured: found.to_owned(),
            holds: declared == found || found.starts_with("101.3"),
        }
    }

    fn lab() -> Attestation {
        let interfaces = "eth in office-lan with 192.168.1.10/24; no IPv6";
        Attestation {
            scenario: "corporate-firewall".to_owned(),
            ice_configuration: "production".to_owned(),
            seed: 1,
            deep: false,
            holds: false,
            raise_ms: Some(2_345.0),
            attest_ms: Some(376.0),
            attestation: vec![
                measured(
                    "alice",
                    Aspect::Isolation,
                    "interfaces",
                    interfaces,
                    interfaces,
                ),
                measured(
                    "bob",
                    Aspect::Names,
                    "the name turn.example.net",
                    "203.0.113.20",
                    "203.0.113.20",
                ),
                measured(
                    "alice",
                    Aspect::Firewall,
                    "udp 443 to the internet",
                    "dropped",
                    "passes",
                ),
                measured(
                    "alice",
                    Aspect::Link,
                    "round trip, over tcp 443",
                    "100 ms ± 5 ms",
                    "101.3 ms (98.0 to 104.1 ms)",
                ),
            ],
            faults: vec![
                "failed to remove the network office-lan: it has active endpoints".to_owned(),
            ],
        }
    }

    fn rendered(colour: bool) -> String {
        let mut out = Vec::new();
        AttestationTable { colour }
            .render(&lab(), &mut out)
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn declared_stands_beside_measured() {
        insta::assert_snapshot!(rendered(false));
    }

    #[test]
    fn lines_fit_and_colour_says_nothing_more() {
        for line in rendered(false).lines() {
            assert!(textwrap::core::display_width(line) <= COLUMNS, "{line}");
        }
        assert!(rendered(true).contains('\u{1b}'));
        assert!(!rendered(false).contains('\u{1b}'));
    }
}
