//! Where a report goes: open from the beginning, written at the end.

use crate::args::{ReportKind, RequestedReport};
use crate::exit::Failure;
use crate::output;
use farcall_report::{ReportError, ReportFormat, StoredRun, dump_of_peer, html_index};
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

/// A file, open.
struct Target {
    path: PathBuf,
    file: File,
    /// Whether it keeps what it has.
    appends: bool,
}

impl Outlet {
    /// Opens the files of all reports that are to be written at a command's end.
    pub(crate) fn open_all(reports: &[RequestedReport]) -> Result<Vec<Self>, Failure> {
        let reports = reports.iter();
        let reports = reports.map(|report| Self::open(report.format, Some(&report.file)));
        reports.collect()
    }

    /// Writes all of them.
    pub(crate) fn write_all(reports: Vec<Self>, runs: &[StoredRun]) -> Result<(), Failure> {
        let mut reports = reports.into_iter();
        reports.try_for_each(|report| report.write(runs, None))
    }

    /// Opens the file, and leaves what is in it until [`write`](Self::write).
    pub(crate) fn open(kind: ReportKind, path: Option<&Path>) -> Result<Self, Failure> {
        let summary = match kind {
            ReportKind::Github => std::env::var_os(STEP_SUMMARY).map(PathBuf::from),
            _ => None,
        };
        let appends = path.is_none();
        let path = path.map(Path::to_owned).or(summary);
        let target = path.map(|path| match open(&path, appends) {
            Ok(file) => Ok(Target {
                path,
                file,
                appends,
            }),
            Err(error) => Err(cannot("open", &path, &error)),
        });
        Ok(Self {
            kind,
            target: target.transpose()?,
        })
    }

    /// Writes the report of these runs; of a dump, only what is about `peer` where one is named.
    pub(crate) fn write(self, runs: &[StoredRun], peer: Option<&str>) -> Result<(), Failure> {
        let annotations = match self.kind {
            ReportKind::Github => Some(rendered(ReportFormat::GithubAnnotations, runs)?),
            _ => None,
        };
        let report = match (self.kind, peer) {
            (ReportKind::Html, _) if runs.len() != 1 => self.index(runs)?,
            (ReportKind::Dump, Some(peer)) => {
                let mut bytes = Vec::new();
                dump_of_peer(runs, peer, &mut bytes).map_err(failure)?;
                bytes
            }
            (_, Some(_)) if self.kind != ReportKind::Dump => {
                return Err(Failure::Usage(miette::miette!(
                    "--peer is for --format dump alone"
                )));
            }
            (kind, _) => rendered(format(kind), runs)?,
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

    /// The index of several runs, with the page of each in a directory beside it.
    fn index(&self, runs: &[StoredRun]) -> Result<Vec<u8>, Failure> {
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
        for (number, run) in (1_usize..).zip(runs) {
            let name = format!("run-{number}.html");
            let page = rendered(ReportFormat::Html, std::slice::from_ref(run))?;
            let page_path = directory.join(&name);
            std::fs::write(&page_path, page)
                .map_err(|error| cannot("write", &page_path, &error))?;
            links.push(format!("{}/{name}", directory_name.to_string_lossy()));
        }
        let mut bytes = Vec::new();
        html_index(runs, &links, &mut bytes).map_err(failure)?;
        Ok(bytes)
    }
}

fn open(path: &Path, appends: bool) -> std::io::Result<File> {
    let mut options = File::options();
    options.create(true);
    match appends {
        true => options.append(true),
        false => options.write(true).truncate(false),
    };
    options.open(path)
}

impl Target {
    /// A file is replaced, a pipe written to.
    fn write(mut self, content: &[u8]) -> Result<(), Failure> {
        let written = match self.file.metadata() {
            Ok(about) if about.is_file() && !self.appends => self.file.set_len(0),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        written
            .and_then(|()| self.file.write_all(content))
            .and_then(|()| self.file.flush())
            .map_err(|error| cannot("write", &self.path, &error))
    }
}

fn rendered(format: ReportFormat, runs: &[StoredRun]) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    format.render(runs, &mut bytes).map_err(failure)?;
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
