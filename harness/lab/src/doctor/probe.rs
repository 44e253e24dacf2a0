//! A short-lived container without any network that runs one shell script.

use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    CreateContainerOptions, LogsOptionsBuilder, RemoveContainerOptionsBuilder,
    StartContainerOptions, WaitContainerOptions,
};
use futures::StreamExt;

use crate::images::{BaseImage, LABEL};

/// How long such a script may take, the start of its container included.
const PROBE_DEADLINE: Duration = Duration::from_secs(20);

/// Why a script could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProbeError {
    /// Docker refused a step.
    #[error("failed to {step} a container for a try: {source}")]
    Docker {
        /// Which step.
        step: &'static str,
        /// What Docker said.
        source: Error,
    },
    /// The container did not end.
    #[error("failed to try: the container did not end within {} s", PROBE_DEADLINE.as_secs())]
    Late,
}

fn refused(step: &'static str) -> impl FnOnce(Error) -> ProbeError {
    move |source| ProbeError::Docker { step, source }
}

/// Runs `script` with NET_ADMIN and what `host` adds, and returns what it wrote. The container is
/// removed whatever happens, and labelled so that it can be found if this process is killed.
pub(super) async fn run(
    docker: &Docker,
    image: &BaseImage,
    script: String,
    host: HostConfig,
) -> Result<String, ProbeError> {
    let config = ContainerCreateBody {
        image: Some(image.id.clone()),
        cmd: Some(vec!["sh".to_owned(), "-c".to_owned(), script]),
        labels: Some([(LABEL.to_owned(), "doctor".to_owned())].into()),
        host_config: Some(HostConfig {
            network_mode: Some("none".to_owned()),
            cap_add: Some(vec!["NET_ADMIN".to_owned()]),
            ..host
        }),
        ..ContainerCreateBody::default()
    };
    let created = docker
        .create_container(None::<CreateContainerOptions>, config)
        .await
        .map_err(refused("create"))?;
    let ran = tokio::time::timeout(PROBE_DEADLINE, run_created(docker, &created.id)).await;
    let options = RemoveContainerOptionsBuilder::default().force(true).build();
    docker
        .remove_container(&created.id, Some(options))
        .await
        .map_err(refused("remove"))?;
    ran.map_err(|_| ProbeError::Late)?
}

async fn run_created(docker: &Docker, id: &str) -> Result<String, ProbeError> {
    docker
        .start_container(id, None::<StartContainerOptions>)
        .await
        .map_err(refused("start"))?;
    let mut waiting = docker.wait_container(id, None::<WaitContainerOptions>);
    while let Some(ended) = waiting.next().await {
        match ended {
            // Each line of the output says what failed; the script's own status adds nothing.
            Ok(_) | Err(Error::DockerContainerWaitError { .. }) => {}
            Err(error) => return Err(refused("wait for")(error)),
        }
    }
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true);
    let mut logs = docker.logs(id, Some(options.build()));
    let mut output = Vec::new();
    while let Some(chunk) = logs.next().await {
        output.extend(chunk.map_err(refused("read the log of"))?.into_bytes());
    }
    Ok(String::from_utf8_lossy(&output).into_owned())
}
