//! Where a report goes: seen to be writable in the beginning, written at the end.

use crate::args::{ReportKind, RequestedReport};
use crate::exit::Failure;
use crate::output;
use farcall_report::{Call, ReportError, ReportFormat, dump_of_peer, html_index, replace_file};
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file to which GitHub Actions wants a step's summary appended.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// A report that will be written.
pub(crate) struct Outlet {
    kind: ReportKind,
    /// `None` for standard output.
    target: Option<Target>,
}

/// What is written.
struct Target {
    /// As it was named.
    path: PathBuf,
    sink: Sink,
}

enum Sink {
    /// A file that takes the place of what is there when it is whole.
    File(PathBuf),
    /// A file that keeps what it has, or a pipe.
    Stream(File),
}

impl Outlet {
    /// Opens the files of all reports that are to be written at a command's end.
    pub(crate) fn open_all(reports: &[RequestedReport]) -> Result<Vec<Self>, Failure> {
        let reports = reports.iter();
        let reports = reports.map(|report| Self::open(report.format, Some(&report.file)));
        reports.collect()
    }

    /// Writes all of them.
    pub(crate) fn write_all(reports: Vec<Self>, calls: &[Call]) -> Result<(), Failure> {
        let mut reports = reports.into_iter();
        reports.try_for_each(|report| report.write(calls, None))
    }

    /// Opens the file, and leaves what is there until [`write`](Self::write).
    pub(crate) fn open(kind: ReportKind, path: Option<&Path>) -> Result<Self, Failure> {
        let summary = match kind {
            ReportKind::Github => std::env::var_os(STEP_SUMMARY).map(PathBuf::from),
            _ => None,
        };
        let appends = path.is_none();
        let path = path.map(Path::to_owned).or(summary);
        let target = path.map(|path| match open(&path, appends) {
            Ok(sink) => Ok(Target { path, sink }),
            Err(error) => Err(cannot("open", &path, &error)),
        });
        Ok(Self {
            kind,
            target: target.transpose()?,
        })
    }

    /// Writes the report of these calls; of a dump, only what is about `peer` where one is named.
    pub(crate) fn write(self, calls: &[Call], peer: Option<&str>) -> Result<(), Failure> {
        let annotations = match self.kind {
            ReportKind::Github => Some(rendered(ReportFormat::GithubAnnotations, calls)?),
            _ => None,
        };
        let report = match (self.kind, peer) {
            (ReportKind::Html, _) if !is_one_run(calls) => self.index(calls)?,
            (ReportKind::Dump, Some(peer)) => {
                let mut bytes = Vec::new();
                dump_of_peer(calls, peer, &mut bytes).map_err(failure)?;
                bytes
            }
            (_, Some(_)) if self.kind != ReportKind::Dump => {
                return Err(Failure::Usage(miette::miette!(
                    "--peer is for --format dump alone"
                )));
            }
            (kind, _) => rendered(format(kind), calls)?,
        };
        match self.target {
            Some(target) => target.write(&report)?,
            None => output::with(|out| out.write_all(&report))?,
        }
        match annotations {
            Some(commands) => Ok(output::with(|out| out.write_all(&commands))?),
            None => Ok(()),
        }
    }

    /// The index of all calls, with the page of each that has a run in a directory beside it.
    fn index(&self, calls: &[Call]) -> Result<Vec<u8>, Failure> {
        let Some(Target { path, .. }) = &self.target else {
            return Err(Failure::Usage(miette::miette!(
                help = "add --out FILE, or name one run",
                "several runs as html are several files, which standard output cannot have"
            )));
        };
        let mut directory_name = OsString::from(path.file_stem().unwrap_or_default());
        directory_name.push("-runs");
        let directory = path.with_file_name(&directory_name);
        std::fs::create_dir_all(&directory)
            .map_err(|error| cannot("create", &directory, &error))?;
        let mut links = Vec::new();
        let with_a_run = calls.iter().filter(|call| call.run.is_ok());
        for (number, call) in (1_usize..).zip(with_a_run) {
            let name = format!("run-{number}.html");
            let page = rendered(ReportFormat::Html, std::slice::from_ref(call))?;
            let page_path = directory.join(&name);
            replace_file(&page_path, &page).map_err(Failure::usage)?;
            links.push(format!("{}/{name}", directory_name.to_string_lossy()));
        }
        let mut bytes = Vec::new();
        html_index(calls, &links, &mut bytes).map_err(failure)?;
        Ok(bytes)
    }
}

/// Whether a page can show all of it.
fn is_one_run(calls: &[Call]) -> bool {
    matches!(calls, [call] if call.run.is_ok())
}

fn open(path: &Path, appends: bool) -> std::io::Result<Sink> {
    if appends {
        let file = File::options().create(true).append(true).open(path)?;
        return Ok(Sink::Stream(file));
    }
    let at = match path.metadata() {
        // The file that a link leads to, not the link.
        Ok(about) if about.is_file() => path.canonicalize()?,
        Ok(_) => return File::options().write(true).open(path).map(Sink::Stream),
        Err(_) => path.to_owned(),
    };
    let directory = at.parent().filter(|parent| !parent.as_os_str().is_empty());
    // One without a name, so that nothing is left of the attempt.
    tempfile::tempfile_in(directory.unwrap_or(Path::new(".")))?;
    Ok(Sink::File(at))
}

impl Target {
    fn write(self, content: &[u8]) -> Result<(), Failure> {
        let mut stream = match self.sink {
            Sink::File(at) => return replace_file(&at, content).map_err(Failure::usage),
            Sink::Stream(stream) => stream,
        };
        let written = stream.write_all(content).and_then(|()| stream.flush());
        written.map_err(|error| cannot("write", &self.path, &error))
    }
}

fn rendered(format: ReportFormat, calls: &[Call]) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    format.render(calls, &mut bytes).map_err(failure)?;
    Ok(bytes)
}

fn format(kind: ReportKind) -> ReportFormat {
    match kind {
        ReportKind::Html => ReportFormat::Html,
        ReportKind::Junit => ReportFormat::Junit,
        ReportKind::Github => ReportFormat::GithubSummary,
        ReportKind::Markdown => ReportFormat::Markdown,
        ReportKind::Json => ReportFormat::Json,
        ReportKind::Dump => ReportFormat::Dump,
        ReportKind::Trace => ReportFormat::Trace,
        ReportKind::Pcapng => ReportFormat::Pcapng,
        ReportKind::Mermaid => ReportFormat::Mermaid,
    }
}

/// What was asked for cannot be, or it went wrong.
fn failure(error: ReportError) -> Failure {
    match error {
        ReportError::OneRunOnly { .. }
        | ReportError::NoCapture { .. }
        | ReportError::UnknownPeer { .. }
        | ReportError::NoRun { .. } => Failure::usage(error),
        other => Failure::infrastructure(other),
    }
}

fn cannot(action: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::Usage(miette::miette!(
        help = "name a file that can be written, in a directory that exists",
        "failed to {action} {}: {error}",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn a_report_that_cannot_be_made_leaves_what_is_there_and_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        let [old, new] = ["old", "new"].map(|name| directory.path().join(name));
        std::fs::write(&old, "as it was").unwrap();
        for path in [&old, &new] {
            let outlet = Outlet::open(ReportKind::Pcapng, Some(path)).unwrap();
            assert!(outlet.write(&[], None).is_err());
        }
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "as it was");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_report_takes_the_place_of_the_one_before_also_where_a_link_leads_to_it() {
        let directory = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| directory.path().join(name));
        std::fs::write(&file, "a long report, longer than what comes after it").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let outlet = Outlet::open(ReportKind::Json, Some(&link)).unwrap();
        outlet.write(&[], None).unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "");
        assert!(link.is_symlink());
    }
}
