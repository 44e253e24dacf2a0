//! A run that was kept.

use crate::directory::{EVENTS_FILE, PLAN_FILE, RESULT_FILE};
use crate::topology::topology_of;
use crate::{About, ReportError, RunResult};
use farcall_diagnosis::diagnose;
use farcall_plan::Topology;
use farcall_timeline::{Timeline, read_events};
use farcall_verdict::{Declared, judge};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, ErrorKind};
use std::path::{Path, PathBuf};

/// A run as it stands in its directory, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRun {
    /// Its directory.
    pub directory: PathBuf,
    /// Which run it was.
    pub about: About,
    /// What it was judged against.
    pub declared: Declared,
    /// The lab as a picture has it. Of a run that an earlier version stored, what its expectations tell of it.
    pub topology: Topology,
    /// Everything that happened.
    pub timeline: Timeline,
    /// What it came to.
    pub result: RunResult,
}

/// The version of `plan.json`. It grows when something is added that the verdict or the diagnosis rests on.
pub(crate) const PLAN_VERSION: u32 = 2;

/// The content of `plan.json`: what a run needs to be judged again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredPlan {
    /// [`PLAN_VERSION`]; runs before it was counted have none.
    #[serde(default)]
    pub(crate) version: u32,
    pub(crate) about: About,
    pub(crate) declared: Declared,
    /// Missing in what earlier versions stored.
    #[serde(default)]
    pub(crate) topology: Option<Topology>,
}

impl StoredRun {
    /// Reads a run's directory and judges it. Nothing is written.
    ///
    /// # Errors
    /// When a file is missing or is not what this version writes.
    pub fn load(directory: &Path) -> Result<Self, ReportError> {
        let path = directory.join(PLAN_FILE);
        let StoredPlan {
            version,
            about,
            declared,
            topology,
        } = read_plan(&path)?;
        if version != PLAN_VERSION {
            return Err(ReportError::Version {
                path,
                version,
                known: PLAN_VERSION,
            });
        }
        let timeline = read_timeline(&directory.join(EVENTS_FILE))?;
        let judgement = judge(&timeline, &declared);
        let began_at_s = about.started_at.unix_timestamp();
        let diagnosis = diagnose(&timeline, &declared, began_at_s, &judgement);
        let result = RunResult::new(&about, judgement, diagnosis, list_files(directory)?);
        Ok(Self {
            directory: directory.to_owned(),
            about,
            topology: topology.unwrap_or_else(|| topology_of(&declared.expect)),
            declared,
            timeline,
            result,
        })
    }
}

impl StoredRun {
    /// Whether `result.json` says the same, whatever files have come to the directory since. Not if there is none, as of
    /// a run that was killed, nor if another version wrote it.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn is_as_stored(&self) -> Result<bool, ReportError> {
        let path = self.directory.join(RESULT_FILE);
        let stored = match std::fs::read(&path) {
            Ok(stored) => stored,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(ReportError::io("read", &path)(error)),
        };
        let stored: Result<RunResult, _> = serde_json::from_slice(&stored);
        Ok(stored.is_ok_and(|stored| {
            let files = self.result.files.clone();
            RunResult { files, ..stored } == self.result
        }))
    }
}

/// The directories of runs among or in these: each is a run's own, or holds those of several, which come in the order of
/// their names, and so of their beginnings. A run that is named twice, or is also `latest`, comes once.
///
/// # Errors
/// When one of them cannot be read, or there is no run in it.
pub fn run_directories(named: &[PathBuf]) -> Result<Vec<PathBuf>, ReportError> {
    let mut found = Vec::new();
    let mut known = BTreeSet::new();
    for path in named {
        let of_path = match path.join(PLAN_FILE).is_file() {
            true => vec![path.clone()],
            false => within(path)?,
        };
        if of_path.is_empty() {
            return Err(ReportError::NoRun {
                path: path.clone(),
                file: PLAN_FILE,
            });
        }
        for directory in of_path {
            let whole = directory
                .canonicalize()
                .map_err(ReportError::io("read", &directory))?;
            if known.insert(whole) {
                found.push(directory);
            }
        }
    }
    Ok(found)
}

/// The runs in a directory, without links such as `latest`.
fn within(path: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let to_error = || ReportError::io("read", path);
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(path).map_err(to_error())? {
        let directory = entry.map_err(to_error())?.path();
        if !directory.is_symlink() && directory.join(PLAN_FILE).is_file() {
            found.insert(directory);
        }
    }
    Ok(found.into_iter().collect())
}

fn read_plan(path: &Path) -> Result<StoredPlan, ReportError> {
    let file = File::open(path).map_err(ReportError::io("read", path))?;
    serde_json::from_reader(BufReader::new(file)).map_err(|source| ReportError::Format {
        path: path.to_owned(),
        source,
    })
}

pub(crate) fn read_timeline(path: &Path) -> Result<Timeline, ReportError> {
    let file = File::open(path).map_err(ReportError::io("read", path))?;
    read_events(BufReader::new(file)).map_err(|source| ReportError::Events {
        path: path.to_owned(),
        source,
    })
}

/// Every file below a directory, `result.json` included whether or not it is written yet.
fn list_files(directory: &Path) -> Result<Vec<String>, ReportError> {
    let mut found = BTreeSet::from([RESULT_FILE.to_owned()]);
    let mut pending = vec![directory.to_owned()];
    while let Some(current) = pending.pop() {
        let to_error = || ReportError::io("read", &current);
        for entry in std::fs::read_dir(&current).map_err(to_error())? {
            let path = entry.map_err(to_error())?.path();
            if path.is_dir() {
                pending.push(path);
            } else if let Ok(relative) = path.strip_prefix(directory) {
                found.insert(relative.to_string_lossy().into_owned());
            }
        }
    }
    Ok(found.into_iter().collect())
}

#[cfg(test)]
pub(crate) mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::{Environment, RunDirectory};
    use farcall_scenario::IceTransportPolicy;
    use farcall_timeline::Event;
    use farcall_verdict::Verdict;
    use farcall_verdict::sample::Sample;
    use time::macros::datetime;

    pub(crate) fn about() -> About {
        About {
            scenario: "corporate-firewall".into(),
            written: None,
            ice_configuration: "production".into(),
            policy: IceTransportPolicy::All,
            seed: 42,
            session: "a1b2c3".into(),
            started_at: datetime!(2026-01-02 03:04:05 UTC),
            environment: Environment {
                farcall: "0.1.0".into(),
                engine: Some("20.10.24".into()),
                kernel: None,
                coturn: None,
            },
        }
    }

    /// A sample written to a directory and judged.
    pub(crate) fn stored(out: &tempfile::TempDir, about: &About, sample: &Sample) -> StoredRun {
        let directory = RunDirectory::create(out.path(), about).unwrap();
        directory.write_plan(about, &sample.declared, None).unwrap();
        let mut events = directory.events().unwrap();
        for entry in &sample.entries {
            events.append(entry).unwrap();
        }
        directory.finish().unwrap()
    }

    #[test]
    fn a_stored_run_is_judged_again_with_the_same_result() {
        for mut sample in [Sample::good(), Sample::not_connected()] {
            // Times as clocks give them, with as many digits as a number has.
            for (index, entry) in (0_u32..).zip(&mut sample.entries) {
                entry.at_ms += f64::from(index) / 7e6;
            }
            let out = tempfile::tempdir().unwrap();
            let run = stored(&out, &about(), &sample);
            let written = std::fs::read_to_string(run.directory.join(RESULT_FILE)).unwrap();
            let again = StoredRun::load(&run.directory).unwrap();
            assert_eq!(again, run);
            assert!(again.is_as_stored().unwrap());
            let text = serde_json::to_string_pretty(&again.result).unwrap();
            assert_eq!(format!("{text}\n"), written);
        }
    }

    #[test]
    fn a_run_that_was_killed_can_be_judged() {
        let out = tempfile::tempdir().unwrap();
        let run = stored(&out, &about(), &Sample::good());
        std::fs::remove_file(run.directory.join(RESULT_FILE)).unwrap();
        assert_eq!(StoredRun::load(&run.directory).unwrap().result, run.result);
    }

    #[test]
    fn another_log_is_another_result() {
        let out = tempfile::tempdir().unwrap();
        let mut sample = Sample::good();
        let run = stored(&out, &about(), &sample);
        sample.add(1.0, "harness", Event::Interrupted);
        let mut bytes = Vec::new();
        sample.timeline().write_jsonl(&mut bytes).unwrap();
        std::fs::write(run.directory.join(EVENTS_FILE), bytes).unwrap();
        let again = StoredRun::load(&run.directory).unwrap();
        assert_eq!(again.result.verdict, Verdict::Invalid);
        assert!(!again.is_as_stored().unwrap());
    }

    #[test]
    fn a_run_that_has_less_to_be_judged_by_is_refused() {
        let out = tempfile::tempdir().unwrap();
        let run = stored(&out, &about(), &Sample::good());
        let path = run.directory.join(PLAN_FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        let without = text.replace(&format!("\"version\": {PLAN_VERSION},"), "");
        assert_ne!(without, text);
        std::fs::write(&path, without).unwrap();
        let error = StoredRun::load(&run.directory).unwrap_err().to_string();
        assert!(error.contains("version 0"), "{error}");
    }

    #[test]
    fn runs_are_found_by_their_own_directory_and_by_the_one_that_holds_them() {
        let out = tempfile::tempdir().unwrap();
        let one = stored(&out, &about(), &Sample::good()).directory;
        let other = stored(&out, &about(), &Sample::good()).directory;
        let found = run_directories(&[other.clone(), out.path().to_owned()]).unwrap();
        assert_eq!(found, [other.clone(), one]);
        let latest = run_directories(&[out.path().join("latest")]).unwrap();
        assert_eq!(latest.len(), 1);
        let error = run_directories(&[other.join("logs")]).unwrap_err();
        assert!(error.to_string().contains("logs"), "{error}");
    }

    #[test]
    fn a_run_of_a_version_without_a_picture_of_the_lab_is_read_too() {
        let out = tempfile::tempdir().unwrap();
        let run = stored(&out, &about(), &Sample::good());
        let text = std::fs::read_to_string(run.directory.join(PLAN_FILE)).unwrap();
        let mut plan: serde_json::Value = serde_json::from_str(&text).unwrap();
        plan.as_object_mut().unwrap().remove("topology");
        std::fs::write(run.directory.join(PLAN_FILE), plan.to_string()).unwrap();
        let read = StoredRun::load(&run.directory).unwrap();
        let gateway = &read.topology.sites[0].routers[0];
        assert_eq!(gateway.name, "office-gateway");
    }

    #[test]
    fn a_directory_without_a_run_is_named() {
        let out = tempfile::tempdir().unwrap();
        let error = StoredRun::load(out.path()).unwrap_err().to_string();
        assert!(error.contains(PLAN_FILE), "{error}");
    }
}
