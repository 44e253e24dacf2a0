//! Why an image could not be made.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// A failure to find or make an image. Each message ends with what to do, where that is known.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// Docker refused or broke off a request.
    #[error("failed to {action}: {source}")]
    Docker {
        /// What was tried, with what.
        action: String,
        /// What Docker said.
        source: bollard::errors::Error,
    },
    /// Docker's disk, or the directory for temporary files, is full.
    #[error(
        "failed to {action}: no space left on the disk\n  {detail}\n\
         hint: see what Docker holds with `docker system df` and free some with `docker system prune`, \
         or set TMPDIR to a larger disk if it is the one for temporary files"
    )]
    NoSpace {
        /// What was tried, with what.
        action: String,
        /// The message of the engine or of a tool.
        detail: String,
    },
    /// Docker gave no sign of life in the middle of something.
    #[error(
        "failed to {action}: Docker was silent for {} s\n\
         hint: see whether the daemon is healthy (`docker version`), and try again", .after.as_secs()
    )]
    Stalled {
        /// What was tried, with what.
        action: String,
        /// How long nothing came.
        after: Duration,
    },
    /// Neither way to the base image worked.
    #[error(
        "failed to build the base image {reference}\n\
         from the registry: {registry}\n\
         from the package sources of this host: {packages}\n\
         hint: let Docker reach a registry that has {image}, or run on a Debian or Ubuntu host whose `apt-get update` works"
    )]
    Base {
        /// The image that was to be made.
        reference: String,
        /// The public image that the first way starts from.
        image: String,
        /// How the first way failed, with the last lines of its log.
        registry: String,
        /// How the second way failed, with the last lines of its log.
        packages: String,
    },
    /// One step of making an image failed, and left a log.
    #[error("{summary}; the last lines of its log:\n{log}")]
    Step {
        /// What failed, in words.
        summary: String,
        /// The last lines that it wrote, indented.
        log: String,
    },
    /// Another process held the lock for too long.
    #[error(
        "failed to wait for another process that builds images: {} was locked for {} s\n\
         hint: look for a hanging farcall process, and stop it", .path.display(), .after.as_secs()
    )]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// How long it was waited for.
        after: Duration,
    },
    /// A file of this host could not be read or written.
    #[error("failed to {action} {}: {source}", .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The executable is not one whose libraries can be told.
    #[error("failed to read which libraries {} needs: {reason}", .path.display())]
    Executable {
        /// The executable.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Libraries that the executable needs are not on this host.
    #[error(
        "failed to bundle {}: this host lacks {}\n\
         hint: run `ldd` on it and install what is \"not found\", or set LD_LIBRARY_PATH",
        .path.display(), .missing.join(", ")
    )]
    MissingLibraries {
        /// The executable.
        path: PathBuf,
        /// Names of the libraries.
        missing: Vec<String>,
    },
}

impl ImageError {
    /// Sorts out what Docker said while `action` was tried.
    pub(super) fn docker(action: impl Into<String>, source: bollard::errors::Error) -> Self {
        let action = action.into();
        match no_space_line(&source.to_string()) {
            Some(line) => Self::NoSpace {
                action,
                detail: line.to_owned(),
            },
            None => Self::Docker { action, source },
        }
    }

    /// A step that wrote `log` failed for `reason`.
    pub(super) fn step(action: &str, reason: &str, log: String) -> Self {
        match no_space_line(&log) {
            Some(line) => Self::NoSpace {
                action: action.to_owned(),
                detail: line.to_owned(),
            },
            None => Self::Step {
                summary: format!("failed to {action}: {reason}"),
                log,
            },
        }
    }

    pub(super) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }
}

/// The first line that says that a disk is full, in the words of the kernel (ENOSPC) or of apt,
/// which looks before it begins.
pub(super) fn no_space_line(text: &str) -> Option<&str> {
    let says_so = |line: &&str| {
        let line = line.to_ascii_lowercase();
        line.contains("no space left on device") || line.contains("have enough free space")
    };
    text.lines().find(says_so).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_other_refusals() {
        let refused = |message: &str| {
            let source = bollard::errors::Error::DockerResponseServerError {
                status_code: 500,
                message: message.to_owned(),
            };
            ImageError::docker("build x", source)
        };
        let full = refused("write /var/lib/docker/tmp/1: no space left on device");
        assert!(matches!(full, ImageError::NoSpace { .. }));
        assert!(full.to_string().contains("docker system prune"));
        let log =
            "  Get:1 x\n  E: You don't have enough free space in /tmp/archives/.\n".to_owned();
        let apt = ImageError::step("import", "exit status: 100", log).to_string();
        assert!(apt.contains("\n  E: You don't have enough"), "{apt}");
        let other = refused("pull access denied");
        assert!(matches!(other, ImageError::Docker { .. }));
        assert!(other.to_string().starts_with("failed to build x: "));
    }
}
