//! A run's directory while it is written.

use crate::stored::{PLAN_VERSION, StoredPlan, read_timeline};
use crate::{
    About, CapturePoint, EventWriter, MatrixResult, Merged, ReportError, StoredRun, counters, merge,
};
use farcall_plan::Topology;
use farcall_verdict::Declared;
use serde::Serialize;
use std::io::{BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use time::macros::format_description;

pub(crate) const PLAN_FILE: &str = "plan.json";
pub(crate) const EVENTS_FILE: &str = "events.jsonl";
pub(crate) const RESULT_FILE: &str = "result.json";
const MATRIX_FILE: &str = "matrix.json";
const LATEST: &str = "latest";

/// How many runs of one scenario, configuration and session may begin within one second.
const MAX_SAME_NAME: u32 = 1_000;

/// A run's directory. It exists from the beginning of the run, so that a path that cannot be written
/// ends the run before anything is raised.
#[derive(Debug)]
pub struct RunDirectory {
    path: PathBuf,
}

impl RunDirectory {
    /// Creates `OUT/TIME-SCENARIO-CONFIGURATION-SESSION` and lets the link `OUT/latest` point to it.
    ///
    /// # Errors
    /// When the directory cannot be created or written.
    pub fn create(out: &Path, about: &About) -> Result<Self, ReportError> {
        std::fs::create_dir_all(out).map_err(ReportError::io("create", out))?;
        let path = create_unique(out, &directory_name(about))?;
        EventWriter::create(&path.join(EVENTS_FILE))?;
        point_latest_to(out, &path, &about.session)?;
        Ok(Self { path })
    }

    /// A directory that exists already.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The event log, open for appending.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn events(&self) -> Result<EventWriter, ReportError> {
        EventWriter::create(&self.path.join(EVENTS_FILE))
    }

    /// Writes what the run is judged against, and the picture of its lab. May be written again when more of the
    /// environment is known.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_plan(
        &self,
        about: &About,
        declared: &Declared,
        topology: Option<&Topology>,
    ) -> Result<(), ReportError> {
        let plan = StoredPlan {
            version: PLAN_VERSION,
            about: about.clone(),
            declared: declared.clone(),
            topology: topology.cloned(),
        };
        write_json(&self.path.join(PLAN_FILE), &plan)
    }

    /// Writes a container's log to `logs/NODE.log`.
    ///
    /// # Errors
    /// When the node's name is no file name, or the file cannot be written.
    pub fn write_log(&self, node: &str, log: &[u8]) -> Result<(), ReportError> {
        let name = format!("{}.log", checked(node)?);
        self.write(&Path::new("logs").join(name), log)
    }

    /// Writes a file that a node left, such as its connection table, to `nodes/NODE/NAME`.
    ///
    /// # Errors
    /// When a name is no file name, or the file cannot be written.
    pub fn write_node_file(
        &self,
        node: &str,
        name: &str,
        content: &[u8],
    ) -> Result<(), ReportError> {
        let path = Path::new("nodes").join(checked(node)?).join(checked(name)?);
        self.write(&path, content)
    }

    /// Merges what was captured in a network into `captures/NETWORK.pcapng`.
    ///
    /// # Errors
    /// When the network's name is no file name, a capture is not pcap, or the file cannot be written.
    pub fn write_capture<R: Read>(
        &self,
        network: &str,
        points: Vec<CapturePoint<R>>,
    ) -> Result<Merged, ReportError> {
        let name = format!("{}.pcapng", checked(network)?);
        let path = self.path.join("captures").join(name);
        create_parent(&path)?;
        let file = std::fs::File::create(&path).map_err(ReportError::io("create", &path))?;
        let mut writer = BufWriter::new(file);
        let merged = merge(points, &mut writer).map_err(|source| ReportError::Capture {
            path: path.clone(),
            source,
        })?;
        writer.flush().map_err(ReportError::io("write", &path))?;
        Ok(merged)
    }

    /// Judges what was written, and writes `result.json`.
    ///
    /// # Errors
    /// When the plan was not written, or a file cannot be read or written.
    pub fn finish(&self) -> Result<StoredRun, ReportError> {
        let timeline = read_timeline(&self.path.join(EVENTS_FILE))?;
        for (node, table) in counters::tables(&timeline) {
            let name = format!("{}.txt", checked(&node)?);
            self.write(&Path::new("counters").join(name), table.as_bytes())?;
        }
        let run = StoredRun::load(&self.path)?;
        write_json(&self.path.join(RESULT_FILE), &run.result)?;
        Ok(run)
    }

    /// Writes `matrix.json`, in place of [`finish`](Self::finish).
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish_matrix(&self, result: &MatrixResult) -> Result<(), ReportError> {
        write_json(&self.path.join(MATRIX_FILE), result)
    }

    fn write(&self, relative: &Path, content: &[u8]) -> Result<(), ReportError> {
        let path = self.path.join(relative);
        create_parent(&path)?;
        std::fs::write(&path, content).map_err(ReportError::io("write", &path))
    }
}

fn directory_name(about: &About) -> String {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let started_at = about.started_at.to_offset(time::UtcOffset::UTC);
    // The description has nothing that a date could lack.
    let time = started_at.format(&format).unwrap_or_default();
    let plain = |name: &str| -> String {
        let letters = name.chars();
        letters
            .map(|letter| if is_plain(letter) { letter } else { '-' })
            .collect()
    };
    let (scenario, configuration) = (plain(&about.scenario), plain(&about.ice_configuration));
    format!("{time}-{scenario}-{configuration}-{}", about.session)
}

fn create_unique(out: &Path, name: &str) -> Result<PathBuf, ReportError> {
    let mut path = out.join(name);
    for number in 2..MAX_SAME_NAME {
        match std::fs::create_dir(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                path = out.join(format!("{name}-{number}"));
            }
            created => {
                return created
                    .map(|()| path.clone())
                    .map_err(ReportError::io("create", &path));
            }
        }
    }
    Err(ReportError::io("create", &path)(
        ErrorKind::AlreadyExists.into(),
    ))
}

/// Swaps the link in one step, so that there is always one, also with several runs at a time.
fn point_latest_to(out: &Path, directory: &Path, session: &str) -> Result<(), ReportError> {
    let latest = out.join(LATEST);
    if latest
        .symlink_metadata()
        .is_ok_and(|found| !found.is_symlink())
    {
        return Err(ReportError::LatestIsNoLink { path: latest });
    }
    let target = directory.file_name().unwrap_or(directory.as_os_str());
    let swap = out.join(format!(".{LATEST}-{session}-{}", target.to_string_lossy()));
    std::os::unix::fs::symlink(target, &swap).map_err(ReportError::io("create", &swap))?;
    std::fs::rename(&swap, &latest).map_err(ReportError::io("write", &latest))
}

/// Writes the whole file or nothing.
fn write_json(path: &Path, content: &impl Serialize) -> Result<(), ReportError> {
    let mut text = serde_json::to_vec_pretty(content)
        .map_err(|source| ReportError::io("write", path)(source.into()))?;
    text.push(b'\n');
    replace_file(path, &text)
}

/// Writes a whole file in place of what is there, or nothing.
///
/// # Errors
/// When it cannot be written.
pub fn replace_file(path: &Path, content: &[u8]) -> Result<(), ReportError> {
    let to_error = || ReportError::io("write", path);
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(to_error())?;
    file.write_all(content).map_err(to_error())?;
    readable_by_all(file.as_file()).map_err(to_error())?;
    file.persist(path)
        .map(|_| ())
        .map_err(|error| to_error()(error.error))
}

/// A temporary file is for its owner only; a result is like any other file.
fn readable_by_all(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

fn create_parent(path: &Path) -> Result<(), ReportError> {
    let parent = path.parent().unwrap_or(path);
    std::fs::create_dir_all(parent).map_err(ReportError::io("create", parent))
}

/// A name that comes from a node must not lead out of the run's directory.
fn checked(name: &str) -> Result<&str, ReportError> {
    if !name.is_empty() && !name.starts_with('.') && name.chars().all(is_plain) {
        Ok(name)
    } else {
        Err(ReportError::Name {
            name: name.to_owned(),
        })
    }
}

fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.')
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::stored::tests::{about, stored};
    use farcall_verdict::sample::Sample;
    use std::collections::BTreeSet;

    #[test]
    fn a_directory_is_named_after_time_scenario_and_session() {
        let out = tempfile::tempdir().unwrap();
        let directory = RunDirectory::create(&out.path().join("deep/er"), &about()).unwrap();
        assert!(
            directory
                .path()
                .ends_with("deep/er/20260102T030405Z-corporate-firewall-production-a1b2c3")
        );
    }

    #[test]
    fn runs_side_by_side_never_share_a_directory() {
        let out = tempfile::tempdir().unwrap();
        let paths: BTreeSet<PathBuf> = std::thread::scope(|scope| {
            let runs: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| RunDirectory::create(out.path(), &about()).unwrap().path))
                .collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        assert_eq!(paths.len(), 8);
        let latest = out.path().join(LATEST).canonicalize().unwrap();
        assert!(
            paths.contains(&latest)
                || paths
                    .iter()
                    .any(|path| path.canonicalize().unwrap() == latest)
        );
        let left: Vec<_> = std::fs::read_dir(out.path()).unwrap().collect();
        assert_eq!(left.len(), 9);
    }

    #[test]
    fn latest_follows_the_newest_run() {
        let out = tempfile::tempdir().unwrap();
        for session in ["first", "second"] {
            let mut about = about();
            about.session = session.into();
            let directory = RunDirectory::create(out.path(), &about).unwrap();
            let target = std::fs::read_link(out.path().join(LATEST)).unwrap();
            assert_eq!(target.as_os_str(), directory.path().file_name().unwrap());
        }
    }

    #[test]
    fn what_is_no_link_is_not_replaced() {
        let out = tempfile::tempdir().unwrap();
        std::fs::create_dir(out.path().join(LATEST)).unwrap();
        let error = RunDirectory::create(out.path(), &about()).unwrap_err();
        assert!(
            matches!(error, ReportError::LatestIsNoLink { .. }),
            "{error}"
        );
    }

    #[test]
    fn a_path_that_cannot_be_written_fails_at_the_beginning() {
        let out = tempfile::tempdir().unwrap();
        let file = out.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = RunDirectory::create(&file, &about())
            .unwrap_err()
            .to_string();
        assert!(error.contains("failed to create"), "{error}");
    }

    #[test]
    fn every_file_of_a_run_is_listed() {
        let out = tempfile::tempdir().unwrap();
        let directory = stored(&out, &about(), &Sample::good()).directory;
        let run = RunDirectory { path: directory };
        run.write_log("alice", b"hello\n").unwrap();
        run.write_node_file("office-gateway", "conntrack.txt", b"udp 17 29\n")
            .unwrap();
        run.write_capture("office-lan", Vec::<CapturePoint<&[u8]>>::new())
            .unwrap();
        let files = run.finish().unwrap().result.files;
        assert_eq!(
            files,
            [
                "captures/office-lan.pcapng",
                "counters/mobile-carrier-gateway.txt",
                "counters/mobile-gateway.txt",
                "counters/office-gateway.txt",
                "events.jsonl",
                "logs/alice.log",
                "nodes/office-gateway/conntrack.txt",
                "plan.json",
                "result.json",
            ]
        );
        let table = std::fs::read_to_string(run.path.join("counters/office-gateway.txt")).unwrap();
        assert!(
            table.ends_with("corporate/drop-udp            10          512\n"),
            "{table}"
        );
    }

    #[test]
    fn names_do_not_lead_out_of_the_directory() {
        let out = tempfile::tempdir().unwrap();
        let run = RunDirectory::create(out.path(), &about()).unwrap();
        for name in ["../escaped", "", ".hidden", "a/b", ".."] {
            assert!(run.write_node_file("alice", name, b"").is_err(), "{name}");
            assert!(run.write_log(name, b"").is_err(), "{name}");
        }
    }
}
