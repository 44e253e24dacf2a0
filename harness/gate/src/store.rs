//! `gate.json` on disk.

use crate::{GATE_SCHEMA_VERSION, GateResult, Part};
use farcall_report::{ReportError, replace_file};
use std::path::{Path, PathBuf};

/// The file that a gate leaves in its directory.
pub const GATE_FILE: &str = "gate.json";

/// How deep below a directory results are looked for: as downloaded artifacts have them, each in a directory of its own.
const MAX_DEPTH: usize = 3;

/// A result could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] ReportError),
    /// It was written by another version, or is none.
    #[error("failed to read {}: {why}; merge with the farcall that wrote it", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// There is none in a directory.
    #[error(
        "failed to find a {GATE_FILE} in {} or {MAX_DEPTH} directories below: name what `farcall gate --out` wrote",
        path.display()
    )]
    Missing {
        /// The directory.
        path: PathBuf,
    },
}

/// Writes a result, all of it or nothing.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, result: &GateResult) -> Result<(), ReportError> {
    let mut text = serde_json::to_vec_pretty(result)
        .map_err(|source| ReportError::io("write", path)(source.into()))?;
    text.push(b'\n');
    replace_file(path, &text)
}

/// Every result in these directories and below, in the order of their names.
///
/// # Errors
/// When one of them has none, or one cannot be read.
pub fn read_all(directories: &[PathBuf]) -> Result<Vec<Part>, StoreError> {
    let mut parts = Vec::new();
    for directory in directories {
        let mut found = Vec::new();
        find(directory, MAX_DEPTH, &mut found)?;
        if found.is_empty() {
            return Err(StoreError::Missing {
                path: directory.clone(),
            });
        }
        found.sort();
        for directory in found {
            let result = read(&directory.join(GATE_FILE))?;
            parts.push(Part { directory, result });
        }
    }
    Ok(parts)
}

/// The directories that hold a result. Links, such as `latest`, lead to what is found anyway.
fn find(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), ReportError> {
    if directory.join(GATE_FILE).is_file() {
        found.push(directory.to_owned());
        return Ok(());
    }
    if depth == 0 {
        return Ok(());
    }
    let to_error = || ReportError::io("read", directory);
    for entry in std::fs::read_dir(directory).map_err(to_error())? {
        let path = entry.map_err(to_error())?.path();
        if path.is_dir() && !path.is_symlink() {
            find(&path, depth - 1, found)?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<GateResult, StoreError> {
    let text = std::fs::read(path).map_err(ReportError::io("read", path))?;
    let wrong = |why: String| StoreError::Format {
        path: path.to_owned(),
        why,
    };
    let value: serde_json::Value =
        serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
    let version = value["schema_version"].as_u64();
    if version != Some(u64::from(GATE_SCHEMA_VERSION)) {
        let found = version.map_or_else(|| "none".to_owned(), |version| version.to_string());
        return Err(wrong(format!(
            "it has version {found}, and this farcall reads version {GATE_SCHEMA_VERSION}"
        )));
    }
    serde_json::from_value(value).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::testing::result;

    #[test]
    fn results_are_found_where_they_were_moved_to() {
        let out = tempfile::tempdir().unwrap();
        for place in ["artifacts/gate-1/first-gate", "artifacts/gate-2"] {
            let directory = out.path().join(place);
            std::fs::create_dir_all(&directory).unwrap();
            write(&directory.join(GATE_FILE), &result()).unwrap();
        }
        std::os::unix::fs::symlink("gate-2", out.path().join("artifacts/latest")).unwrap();
        let moved = out.path().join("moved");
        std::fs::rename(out.path().join("artifacts"), &moved).unwrap();
        let parts = read_all(std::slice::from_ref(&moved)).unwrap();
        let places: Vec<&Path> = parts.iter().map(|part| part.directory.as_path()).collect();
        assert_eq!(
            places,
            [moved.join("gate-1/first-gate"), moved.join("gate-2")]
        );
        assert_eq!(parts[0].result, result());
    }

    #[test]
    fn what_is_none_is_said_to_be() {
        let out = tempfile::tempdir().unwrap();
        let error = read_all(&[out.path().to_owned()]).unwrap_err();
        assert!(matches!(error, StoreError::Missing { .. }), "{error}");
        let path = out.path().join(GATE_FILE);
        for (text, said) in [
            ("{\"schema_version\": 99}", "version 99"),
            ("{}", "version none"),
            ("[", "EOF"),
            ("{\"schema_version\": 1}", "missing field"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = read_all(&[out.path().to_owned()]).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
