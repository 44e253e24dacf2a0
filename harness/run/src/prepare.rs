//! What comes before any run: Docker, the images, and what earlier runs left.

use crate::{Harness, RunError};
use farcall_lab::images::{self, Progress};
use farcall_lab::{Engine, reap};
use std::path::Path;

impl Harness {
    /// Connects to Docker, removes what runs left whose process is gone, and makes the images that
    /// are missing. `executable` is the `farcall` binary, which also runs inside the containers: a
    /// test of this package passes `env!("CARGO_BIN_EXE_farcall")`.
    ///
    /// # Errors
    /// When Docker cannot be used or an image cannot be made; the message says what to do.
    pub async fn prepare(
        executable: &Path,
        on_progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Self, RunError> {
        let engine = Engine::connect().await?;
        let leftovers = reap::leftovers(&engine).await?;
        if !leftovers.is_empty() {
            let runs = match leftovers.len() {
                1 => "an earlier run".to_owned(),
                several => format!("{several} earlier runs"),
            };
            on_progress(Progress::Step(format!("removing what {runs} left")));
            // What cannot be removed is in nobody's way: every lab has names and networks of its own.
            if let Err(error) = reap::remove(&engine, &leftovers).await {
                on_progress(Progress::Step(format!("warning: {error}")));
            }
        }
        let image = images::agent_image(&engine, executable, on_progress).await?;
        Ok(Self::new(engine, image))
    }

    /// The engine in use.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The agent image in use.
    #[must_use]
    pub fn image(&self) -> &farcall_lab::AgentImage {
        &self.image
    }
}
