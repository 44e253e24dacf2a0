//! `farcall lint`: what can be said of ICE configurations without any network.

use super::run::is_coloured;
use crate::args::{Deny, LintArgs, LintFormat};
use crate::exit::{Exit, Failure};
use crate::input::{self, IceSource};
use crate::output;
use farcall_lint::{FileReport, LintReport, LintedFile, Look, Severity, brief, human, json, sarif};
use time::OffsetDateTime;

/// What a line of excerpts and advice has at most, in characters.
const WIDTH: usize = 100;

pub(crate) fn lint(args: &LintArgs) -> Result<Exit, Failure> {
    let now = OffsetDateTime::now_utc();
    let mut files = Vec::new();
    let mut worst = None;
    for source in input::ice_sources(&args.files, &args.shipped.configs) {
        match examine(&source, now) {
            Ok(linted) => {
                worst = worst.max(linted.worst());
                if args.format == LintFormat::Human {
                    print(&linted, !files.is_empty())?;
                }
                files.push(FileReport::examined(linted));
            }
            Err(problem) => {
                output::note(format_args!("{problem:?}"));
                files.push(FileReport::failed(&source.name(), &problem.to_string()));
            }
        }
    }
    let exit = if files.iter().any(|file| file.problem.is_some()) {
        Exit::Usage
    } else if worst >= Some(least(args.deny)) {
        Exit::Failed
    } else {
        Exit::Passed
    };
    let report = LintReport::new(files);
    match args.format {
        LintFormat::Human => {}
        LintFormat::Json => output::with(|out| json(&report, out))?,
        LintFormat::Sarif => output::with(|out| sarif(&report, env!("CARGO_PKG_VERSION"), out))?,
    }
    Ok(exit)
}

/// What is found, in a few lines on standard error, before something else is done with the configurations.
/// What cannot be examined is told of by those who read it.
pub(crate) fn tell(sources: &[IceSource]) {
    let now = OffsetDateTime::now_utc();
    for source in sources {
        let Ok(linted) = examine(source, now) else {
            continue;
        };
        let command = match source {
            IceSource::File { path, .. } => format!("farcall lint {}", path.display()),
            IceSource::Shipped(_) => format!("farcall lint --config {}", source.name()),
        };
        for line in brief(&linted, &command) {
            output::note(line);
        }
    }
}

fn examine(source: &IceSource, now: OffsetDateTime) -> Result<LintedFile, miette::Report> {
    let text = source.text()?;
    Ok(farcall_lint::lint(&source.name(), &text, now)?)
}

fn print(linted: &LintedFile, is_next: bool) -> std::io::Result<()> {
    let look = Look {
        colour: is_coloured(),
        width: WIDTH,
    };
    output::with(|out| {
        if is_next {
            writeln!(out)?;
        }
        human(linted, look, out)
    })
}

/// From how bad on a finding is not let through.
fn least(deny: Option<Deny>) -> Severity {
    match deny {
        None => Severity::Error,
        Some(Deny::Warnings) => Severity::Warning,
        Some(Deny::Notes) => Severity::Note,
    }
}
