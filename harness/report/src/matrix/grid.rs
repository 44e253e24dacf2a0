//! A matrix for people: a row for each network that offers, a column for each that answers.

use super::{CellResult, MatrixResult};
use crate::format::{Paint, cut, duration, wrap};
use farcall_verdict::Verdict;
use std::io::Write;

/// How many cells that are not as expected are told of.
const MAX_WRONG: usize = 20;
/// The widest expectation or observation that is shown, in characters.
const MAX_PHRASE: usize = 300;

/// The grid as text. Columns have numbers, which the rows explain.
#[derive(Debug, Clone, Copy, Default)]
pub struct Grid {
    /// Whether to add colours, which say nothing that the text does not.
    pub colour: bool,
}

impl Grid {
    /// Writes the grid, what was not as expected, and the times.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn render(&self, result: &MatrixResult, out: &mut dyn Write) -> std::io::Result<()> {
        let paint = Paint {
            colour: self.colour,
        };
        let widths = widths(result);
        let names = result.networks.iter().map(|name| name.chars().count());
        let name_width = names.max().unwrap_or(0);
        let mut header = " ".repeat(name_width + 4);
        for (index, width) in widths.iter().enumerate() {
            header.push_str(&format!("  {:<width$}", index + 1, width = *width));
        }
        writeln!(out, "{}", header.trim_end())?;
        for (row, from) in result.networks.iter().enumerate() {
            write!(out, "{from:name_width$} {:>3}", row + 1)?;
            for (column, (to, width)) in result.networks.iter().zip(&widths).enumerate() {
                let cell = result.cell(from, to);
                let verdict = cell.map_or(Verdict::Invalid, |cell| cell.verdict);
                let is_last = column + 1 == widths.len();
                let width = if is_last { 0 } else { *width };
                let text = format!("{:width$}", text(cell));
                write!(out, "  {}", paint.in_verdict(verdict, &text))?;
            }
            writeln!(out)?;
        }
        writeln!(
            out,
            "\nRows offer, columns answer. `-`: not connected, a failure; `.`: not connected, as expected; `!`: \
             not as expected; `?`: not known.\n"
        )?;
        self.wrong(paint, result, out)?;
        summary(result, out)
    }

    fn wrong(
        &self,
        paint: Paint,
        result: &MatrixResult,
        out: &mut dyn Write,
    ) -> std::io::Result<()> {
        let is_wrong = |cell: &&CellResult| cell.verdict != Verdict::Pass;
        for cell in result.cells.iter().filter(is_wrong).take(MAX_WRONG) {
            writeln!(
                out,
                "{} {} calls {}",
                paint.verdict(cell.verdict),
                cell.offerer,
                cell.answerer
            )?;
            for check in &cell.wrong {
                let phrase = format!(
                    "{}: expected {}; observed {}",
                    check.name, check.expected, check.observed
                );
                writeln!(out, "{}", wrap("        ", &cut(&phrase, MAX_PHRASE)))?;
            }
            if let Some(because) = &cell.because {
                writeln!(out, "{}", wrap("        expected because ", because))?;
            }
        }
        let hidden = result.cells.iter().filter(is_wrong).count();
        if hidden > MAX_WRONG {
            writeln!(out, "and {} more in matrix.json", hidden - MAX_WRONG)?;
        }
        for fault in &result.faults {
            writeln!(out, "{}", wrap("fault   ", &cut(fault, MAX_PHRASE)))?;
        }
        Ok(())
    }
}

/// The width of each column.
fn widths(result: &MatrixResult) -> Vec<usize> {
    let columns = result.networks.iter().map(|to| {
        let cells = result
            .networks
            .iter()
            .map(|from| text(result.cell(from, to)));
        cells.map(|text| text.len()).max()
    });
    columns.map(|width| width.unwrap_or(0).max(2)).collect()
}

/// What connected, and a mark where the cell did not pass.
fn text(cell: Option<&CellResult>) -> String {
    let Some(cell) = cell else {
        return "?".to_owned();
    };
    let path = cell
        .path
        .map_or_else(|| "-".to_owned(), |path| path.to_string());
    match cell.verdict {
        Verdict::Pass if cell.path.is_none() => ".".to_owned(),
        Verdict::Pass => path,
        Verdict::Fail if cell.path.is_none() => path,
        Verdict::Fail => format!("{path}!"),
        Verdict::Invalid | Verdict::Unsupported => "?".to_owned(),
    }
}

fn summary(result: &MatrixResult, out: &mut dyn Write) -> std::io::Result<()> {
    let verdicts = [
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Invalid,
        Verdict::Unsupported,
    ];
    let counts = verdicts.map(|verdict| {
        let number = result
            .cells
            .iter()
            .filter(|cell| cell.verdict == verdict)
            .count();
        (number > 0).then(|| format!("{number} {verdict}"))
    });
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    writeln!(
        out,
        "{} with {}: {} cells, {}",
        result.matrix,
        result.ice_configuration,
        result.cells.len(),
        counts.join(", ")
    )?;
    let times = &result.times;
    let phases = [
        ("raise", times.raise_ms),
        ("attest", times.attest_ms),
        ("calls", times.calls_ms),
        ("collect", times.collect_ms),
        ("teardown", times.teardown_ms),
        ("total", Some(times.total_ms)),
    ];
    let phases = phases.map(|(phase, ms)| match ms {
        Some(ms) => format!("{phase} {}", duration(ms)),
        None => format!("{phase} not done"),
    });
    writeln!(out, "time    {}", phases.join(", "))?;
    writeln!(out, "seed    {}", result.seed)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::Environment;
    use crate::matrix::{ConnectedPath, MATRIX_SCHEMA_VERSION, MatrixTimes};
    use farcall_timeline::IceTransport;
    use farcall_verdict::{Check, CheckVerdict};
    use time::OffsetDateTime;

    fn cell(from: &str, to: &str, verdict: Verdict, path: Option<ConnectedPath>) -> CellResult {
        let wrong = (verdict != Verdict::Pass).then(|| Check {
            name: "connection".to_owned(),
            verdict: CheckVerdict::Fail,
            expected: "both peers connected within 15000 ms of the offer".to_owned(),
            observed: "the call did not connect".to_owned(),
            evidence: Vec::new(),
        });
        CellResult {
            offerer: from.to_owned(),
            answerer: to.to_owned(),
            verdict,
            path,
            offerer_pair: None,
            answerer_pair: None,
            connected_after_ms: None,
            source: None,
            because: wrong.as_ref().map(|_| "it has no UDP".to_owned()),
            wrong: wrong.into_iter().collect(),
        }
    }

    #[test]
    fn a_grid_says_what_connected_and_what_did_not_and_why() {
        let relay = ConnectedPath::Relay {
            offerer: Some(IceTransport::Tcp),
            answerer: None,
        };
        let result = MatrixResult {
            schema_version: MATRIX_SCHEMA_VERSION,
            matrix: "catalogue".to_owned(),
            ice_configuration: "production".to_owned(),
            seed: 7,
            session: "abc".to_owned(),
            started_at: OffsetDateTime::UNIX_EPOCH,
            environment: Environment::default(),
            times: MatrixTimes {
                raise_ms: Some(16_000.0),
                attest_ms: Some(900.0),
                total_ms: 17_000.0,
                ..MatrixTimes::default()
            },
            networks: ["home", "office", "hotel"].map(str::to_owned).into(),
            cells: vec![
                cell("home", "home", Verdict::Pass, Some(ConnectedPath::Srflx)),
                cell("home", "office", Verdict::Fail, None),
                cell("office", "home", Verdict::Fail, Some(relay)),
                cell("office", "office", Verdict::Invalid, Some(relay)),
                cell("hotel", "home", Verdict::Fail, Some(ConnectedPath::Srflx)),
                cell("hotel", "hotel", Verdict::Pass, None),
            ],
            faults: vec!["failed to remove a network".to_owned()],
        };
        let mut text = Vec::new();
        Grid::default().render(&result, &mut text).unwrap();
        insta::assert_snapshot!(String::from_utf8(text).unwrap());
    }
}
