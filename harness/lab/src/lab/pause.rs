//! Letting a node's processes stand still, and go on.

use super::handle::Lab;
use crate::identity::container_name;
use crate::node::NodeError;
use bollard::query_parameters::InspectContainerOptions;
use std::time::{Duration, Instant};

impl Lab {
    /// Lets all processes of a node stand still; when this returns, they do, as Docker tells. Returns since when.
    ///
    /// # Errors
    /// When there is no such node, or Docker cannot.
    pub async fn pause(&self, node: &str, within: Duration) -> Result<Instant, NodeError> {
        let container = self.container(node)?;
        let pausing = self.docker.pause_container(&container);
        self.in_time(node, "let it stand still", within, pausing)
            .await?;
        let paused = Instant::now();
        let inspecting = self
            .docker
            .inspect_container(&container, None::<InspectContainerOptions>);
        let found = self
            .in_time(node, "see whether it stands still", within, inspecting)
            .await?;
        let is_paused = found.state.and_then(|state| state.paused);
        if is_paused == Some(true) {
            return Ok(paused);
        }
        Err(NodeError::Paused {
            node: node.to_owned(),
            tried: "let it stand still",
            reason: "Docker says that it goes on".to_owned(),
        })
    }

    /// Lets the processes of a node go on that stand still.
    ///
    /// # Errors
    /// When there is no such node, or Docker cannot.
    pub async fn unpause(&self, node: &str, within: Duration) -> Result<(), NodeError> {
        let container = self.container(node)?;
        let going_on = self.docker.unpause_container(&container);
        self.in_time(node, "let it go on", within, going_on).await
    }

    fn container(&self, node: &str) -> Result<String, NodeError> {
        let node = self.node(node)?.name();
        Ok(container_name(self.session(), node))
    }

    async fn in_time<T>(
        &self,
        node: &str,
        tried: &'static str,
        within: Duration,
        asked: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, NodeError> {
        let failed = |reason: String| NodeError::Paused {
            node: node.to_owned(),
            tried,
            reason,
        };
        match tokio::time::timeout(within, asked).await {
            Ok(done) => done.map_err(|error| failed(error.to_string())),
            Err(_) => Err(failed(format!(
                "no answer of Docker within {} ms",
                within.as_millis()
            ))),
        }
    }
}
