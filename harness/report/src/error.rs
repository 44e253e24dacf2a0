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
    /// A stored capture cannot be read.
    #[error("failed to read the capture {}: {source}", path.display())]
    Captured {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: pcap_file::PcapError,
    },
    /// There is nothing captured.
    #[error(
        "failed to find a capture in {directories}: packets are kept of runs that did not pass, and only of those that \
         were told to capture"
    )]
    NoCapture {
        /// Where there is none.
        directories: String,
    },
    /// A format shows one run.
    #[error("failed to write {found} runs as {format}: it shows one run; name one directory")]
    OneRunOnly {
        /// The format.
        format: &'static str,
        /// How many runs there are.
        found: usize,
    },
    /// No run has a peer of that name.
    #[error("failed to find the peer {peer}: the runs have {known}")]
    UnknownPeer {
        /// The name.
        peer: String,
        /// The peers that there are.
        known: String,
    },
    /// A report could not be written.
    #[error("failed to write the report as {format}: {source}")]
    Render {
        /// The format.
        format: &'static str,
        /// What came of it.
        source: std::io::Error,
    },
    /// A directory holds no run.
    #[error(
        "failed to find a run in {}: neither it nor a directory in it has a {file}; name what `farcall run --out` wrote",
        path.display()
    )]
    NoRun {
        /// The directory.
        path: PathBuf,
        /// What a run's directory has.
        file: &'static str,
    },
}

impl ReportError {
    /// For `map_err` on an operation of the file system.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
