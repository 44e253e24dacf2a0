//! What stands in Docker, and its removal even when nobody asks for it any more.

use super::error::RemoveError;
use super::remains::Remains;
use crate::identity::SessionId;
use crate::reap;
use bollard::Docker;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long calls to Docker that are under way when a raising is dropped may take to come back.
const RETURN_DEADLINE: Duration = Duration::from_secs(2);

/// Docker's ids of the containers that exist, by their names.
pub(super) type Ids = Arc<Mutex<HashMap<String, String>>>;

/// The containers and networks of one lab. Dropping it removes them.
#[derive(Debug)]
pub(crate) struct Standing {
    docker: Docker,
    session: SessionId,
    remains: Remains,
    ids: Ids,
    /// Tells the tasks that raise the lab to stop after the call that they are in.
    pub(crate) stop: CancellationToken,
    /// Those tasks.
    pub(crate) raising: TaskTracker,
    armed: bool,
}

impl Standing {
    pub(crate) fn new(docker: Docker, session: SessionId, remains: Remains) -> Self {
        Self {
            docker,
            session,
            remains,
            ids: Ids::default(),
            stop: CancellationToken::new(),
            raising: TaskTracker::new(),
            armed: true,
        }
    }

    /// Removes everything; if this is given up half-way, dropping goes on with it.
    pub(crate) async fn remove(mut self) -> Result<(), RemoveError> {
        self.stop_raising();
        let removed = self.rubble().remove().await;
        self.armed = false;
        removed
    }

    /// The lab.
    pub(crate) fn session(&self) -> &SessionId {
        &self.session
    }

    /// Where the ids of containers are remembered as they are created.
    pub(crate) fn ids(&self) -> Ids {
        Arc::clone(&self.ids)
    }

    /// Leaves everything as it is.
    pub(crate) fn leave(mut self) {
        self.stop_raising();
        self.armed = false;
    }
}

impl Standing {
    fn stop_raising(&self) {
        self.stop.cancel();
        self.raising.close();
    }

    fn rubble(&self) -> Rubble {
        let mut remains = self.remains.clone();
        let ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        for container in &mut remains.containers {
            if let Some(id) = ids.get(container) {
                container.clone_from(id);
            }
        }
        Rubble {
            docker: self.docker.clone(),
            session: self.session.clone(),
            remains,
            raising: self.raising.clone(),
        }
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        if !self.armed {
            return;
        }
        self.stop_raising();
        let rubble = self.rubble();
        // This may be a panic's unwinding or a runtime's end: the removal needs a runtime of its own.
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| error.to_string())?;
            let removed = runtime.block_on(rubble.remove());
            removed.map_err(|error| error.to_string())
        });
        let failure = match removal.join() {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error,
            Err(_) => "the removal panicked; run `farcall clean`".to_owned(),
        };
        tracing::error!(session = %self.session, "{failure}");
    }
}

/// What is to be removed, apart from who wants it.
struct Rubble {
    docker: Docker,
    session: SessionId,
    remains: Remains,
    raising: TaskTracker,
}

impl Rubble {
    async fn remove(&self) -> Result<(), RemoveError> {
        let was_raising = !self.raising.is_empty();
        let removed = self.remains.remove(&self.docker).await;
        if was_raising {
            // Docker goes on with what it was asked for: what it made after the first removal is
            // found by its labels. Calls that do not come back in time leave it to the reaper.
            let _ = tokio::time::timeout(RETURN_DEADLINE, self.raising.wait()).await;
            let late = reap::remains_of(&self.docker, &self.session).await?;
            late.remove(&self.docker).await?;
        }
        removed
    }
}
