//! Findings beside the lines that they are about.

use super::counted;
use crate::excerpt::Excerpt;
use crate::finding::Finding;
use crate::lint::{LintedConfiguration, LintedFile};
use crate::rule::Severity;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, SourceCode,
    SourceSpan, SpanContents,
};
use std::fmt;
use std::io::Write;
use textwrap::WordSeparator;

/// More findings of one file than anybody reads.
const MOST_SHOWN: usize = 100;

/// How findings are shown.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// In colours.
    pub colour: bool,
    /// So many characters wide.
    pub width: usize,
}

/// Writes each finding with its line, what happens in which network and what to write instead, and at
/// last how many there are.
///
/// # Errors
/// When `out` cannot be written.
pub fn human(linted: &LintedFile, look: Look, out: &mut dyn Write) -> std::io::Result<()> {
    let theme = if look.colour {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::none()
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(look.width)
        // A URL is one word.
        .with_word_separator(WordSeparator::AsciiSpace)
        .with_links(false);
    let mut left = MOST_SHOWN;
    for configuration in &linted.configurations {
        if linted.configurations.len() > 1 {
            writeln!(out, "{}\n", heading(&linted.file, configuration))?;
        }
        for finding in configuration.findings.iter().take(left) {
            let shown = Shown {
                finding,
                source: Named {
                    file: &linted.file,
                    excerpt: &finding.excerpt,
                },
            };
            let mut text = String::new();
            handler
                .render_report(&mut text, &shown)
                .map_err(std::io::Error::other)?;
            writeln!(out, "{}\n", text.trim_end())?;
        }
        left = left.saturating_sub(configuration.findings.len());
    }
    let all = linted.findings().count();
    if all > MOST_SHOWN {
        writeln!(
            out,
            "{} more are not shown; `--format json` has them all\n",
            all - MOST_SHOWN
        )?;
    }
    let severities = linted.findings().map(|finding| finding.severity);
    writeln!(out, "{}: {}", linted.file, counted(severities))
}

fn heading(file: &str, configuration: &LintedConfiguration) -> String {
    let severities = configuration
        .findings
        .iter()
        .map(|finding| finding.severity);
    let counted = counted(severities);
    let line = configuration.place.line;
    match &configuration.name {
        Some(name) => format!("{name} ({file}, line {line}): {counted}"),
        None => format!("{file}, line {line}: {counted}"),
    }
}

/// A finding as miette takes it.
#[derive(Debug)]
struct Shown<'a> {
    finding: &'a Finding,
    source: Named<'a>,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.finding.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let Finding { severity, rule, .. } = self.finding;
        Some(Box::new(format!("{severity}: {rule}")))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Severity::Note => miette::Severity::Advice,
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let Finding {
            consequence,
            replacement,
            scenarios,
            ..
        } = self.finding;
        let mut help = format!("{consequence}.\nInstead: {replacement}.");
        if let Some(scenario) = scenarios.first() {
            help.push_str(&format!("\nShown by: farcall run {scenario}"));
        }
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let Finding {
            entry,
            excerpt,
            place,
            ..
        } = self.finding;
        // What is about the whole list points at its name.
        let name = (entry != "iceServers").then(|| entry.clone());
        let label = LabeledSpan::new_with_span(name, excerpt.label(place));
        Some(Box::new(std::iter::once(label)))
    }
}

/// An excerpt with the name of its file.
#[derive(Debug)]
struct Named<'a> {
    file: &'a str,
    excerpt: &'a Excerpt,
}

impl SourceCode for Named<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let contents = self.excerpt.read_span(span, before, after)?;
        Ok(Box::new(miette::MietteSpanContents::new_named(
            self.file.to_owned(),
            contents.data(),
            *contents.span(),
            contents.line(),
            contents.column(),
            contents.line_count(),
        )))
    }
}
