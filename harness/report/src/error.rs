//! What can go wrong with a run's directory.

use std::path::{Path, PathBuf};

/// A run could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The file system refused.
    #[error(
        "failed to {action} {}: {source}; check the directory's permissions and free space",
        path.display()
    )]
    Io {
        /// What was tried: `create`, `write`, `read`.
        action: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What came of it.
        source: std::io::Error,
    },
    /// `latest` is something else than a link.
    #[error(
        "failed to replace {}: it exists and is no symbolic link; move it away or choose another \
         output directory",
        path.display()
    )]
    LatestIsNoLink {
        /// Its path.
        path: PathBuf,
    },
    /// A file of a stored run is not what this version writes.
    #[error(
        "failed to read {}: {source}; it was perhaps written by another version of farcall",
        path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A stored run has not all that this version judges by, or more.
    #[error(
        "failed to judge {}: it has version {version}, and this farcall reads version {known}; judge it with the farcall \
         that wrote it, or run the scenario again",
        path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
        /// The version that is known.
        known: u32,
    },
    /// The event log of a stored run cannot be read.
    #[error("failed to read {}: {source}", path.display())]
    Events {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: farcall_timeline::StoreError,
    },
    /// A node gave a file a name that would lead out of the run's directory.
    #[error(
        "failed to store a file named {name:?}: names are letters, digits, '-', '_' and '.', and \
         do not begin with '.'"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// A capture could not be merged.
    #[error("failed to merge captures into {}: {source}", path.display())]
    Capture {
        /// The merged file.
        path: PathBuf,
        /// What is wrong.
        source: pcap_file::PcapError,
    },
}

impl ReportError {
    /// For `map_err` on an operation of the file system.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
