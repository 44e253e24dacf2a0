//! One builder at a time: a lock on a file, which the kernel releases however the holder ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::ImageError;

/// Longer than any build takes that still makes progress on a slow line.
const LOCK_DEADLINE: Duration = Duration::from_secs(900);

const RETRY_INTERVAL: Duration = Duration::from_millis(100);

/// Held while it lives.
#[derive(Debug)]
pub(super) struct BuildLock {
    _file: File,
}

/// Waits until this process is the only one of this user that makes images. `on_wait` is called
/// once if another holds the lock.
pub(super) async fn acquire(on_wait: impl FnOnce()) -> Result<BuildLock, ImageError> {
    acquire_at(&lock_path(), LOCK_DEADLINE, on_wait).await
}

/// Each user has a file of their own: in a sticky directory nobody may open another's for writing.
fn lock_path() -> PathBuf {
    let user = nix::unistd::geteuid();
    std::env::temp_dir().join(format!("farcall-images-{user}.lock"))
}

async fn acquire_at(
    path: &Path,
    deadline: Duration,
    on_wait: impl FnOnce(),
) -> Result<BuildLock, ImageError> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(ImageError::file("open the lock file", path))?;
    let begun = Instant::now();
    let mut on_wait = Some(on_wait);
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(BuildLock { _file: file }),
            Err(TryLockError::Error(error)) => {
                return Err(ImageError::file("lock", path)(error));
            }
            Err(TryLockError::WouldBlock) if begun.elapsed() >= deadline => {
                return Err(ImageError::Locked {
                    path: path.to_owned(),
                    after: deadline,
                });
            }
            Err(TryLockError::WouldBlock) => {
                if let Some(on_wait) = on_wait.take() {
                    on_wait();
                }
                tokio::time::sleep(RETRY_INTERVAL).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    #[tokio::test]
    async fn the_second_builder_waits_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = acquire_at(&path, Duration::from_secs(1), || panic!("waited"))
            .await
            .unwrap();
        let mut waited = false;
        let refused = acquire_at(&path, Duration::from_millis(20), || waited = true).await;
        assert!(matches!(refused, Err(ImageError::Locked { .. })));
        assert!(waited);
        drop(first);
        acquire_at(&path, Duration::from_secs(1), || panic!("waited"))
            .await
            .unwrap();
    }
}
