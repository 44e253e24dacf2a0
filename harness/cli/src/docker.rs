//! Docker, the images, and what earlier runs left: what every command that raises a lab begins with.

use crate::exit::Failure;
use crate::progress::Progress;
use farcall_lab::images::Progress as ImageProgress;
use farcall_run::Harness;
use std::path::PathBuf;
use tokio_util::sync::CancellationToken;

/// Connects to Docker, removes what runs left whose process is gone, makes the images that are
/// missing, and shows what it does.
pub(crate) async fn prepare(progress: &Progress) -> Result<Harness, Failure> {
    let on_progress = |step: ImageProgress| match step {
        ImageProgress::Step(text) => progress.keep(&text),
        ImageProgress::Log(line) => progress.say_if_live(&line),
    };
    progress.say("looking at Docker");
    Harness::prepare(&executable()?, &on_progress)
        .await
        .map_err(Failure::infrastructure)
}

/// The same with a progress line of its own, unless it is interrupted.
pub(crate) async fn prepare_unless(stop: &CancellationToken) -> Result<Harness, Failure> {
    let progress = Progress::new();
    tokio::select! {
        harness = prepare(&progress) => harness,
        () = stop.cancelled() => Err(Failure::Interrupted),
    }
}

/// This very executable, which also runs inside the containers.
fn executable() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| {
        Failure::Infrastructure(miette::miette!(
            "failed to find the path of this executable: {error}; start farcall by its full path"
        ))
    })
}
