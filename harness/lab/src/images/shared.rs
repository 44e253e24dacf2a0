//! Files of an image that all its containers share: a volume has a copy of them and is mounted over them, so that
//! a page of a program is in memory once. Storage drivers other than overlay2 give each container pages of its own.
//!
//! The engine fills a volume while it creates a container that mounts it, and shows neither that it does nor that it has
//! done so. So a second, empty volume is made when the first is whole.

use std::collections::{HashMap, HashSet};

use bollard::Docker;
use bollard::errors::Error as DockerError;
use bollard::models::{
    ContainerCreateBody, HostConfig, Mount, MountType, MountVolumeOptions, VolumeCreateRequest,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListImagesOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptions, RemoveVolumeOptions,
};

use super::progress::Log;
use super::{ImageError, LABEL, OnProgress, lock};

const KIND: &str = "files";

/// A directory of an image, in a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedFiles {
    /// The volume's name.
    pub volume: String,
    /// The directory, which its containers mount from the volume.
    pub directory: String,
}

impl SharedFiles {
    /// How a container has it: read-only, and whatever is in the volume.
    pub(crate) fn mount(&self) -> Mount {
        Mount {
            read_only: Some(true),
            ..mount(&self.volume, &self.directory, true)
        }
    }
}

/// A volume with what is in this directory of the image with this id (`sha256:...`), filled if it is missing.
///
/// # Errors
///
/// If Docker cannot make or fill it.
pub(super) async fn shared(
    docker: &Docker,
    image: &str,
    directory: &str,
    on_progress: OnProgress<'_>,
) -> Result<SharedFiles, ImageError> {
    let volume = volume_of(image);
    if !is_whole(docker, &volume).await? {
        let mut log = Log::new(on_progress);
        let _lock =
            lock::acquire(|| log.step("waiting for another process that fills a volume")).await?;
        if !is_whole(docker, &volume).await? {
            fill(docker, image, &volume, directory).await?;
        }
    }
    Ok(SharedFiles {
        volume,
        directory: directory.to_owned(),
    })
}

/// Removes what the containers of an image share, unless one of them is left.
pub(super) async fn remove(docker: &Docker, image: &str) {
    discard(docker, &volume_of(image)).await;
}

/// Removes what the containers of images shared that are gone.
pub(super) async fn prune(docker: &Docker) -> Result<(), ImageError> {
    let failed = |error| ImageError::docker("list the volumes of images that are gone", error);
    let labelled = |label: String| HashMap::from([("label", vec![label])]);
    let images = ListImagesOptionsBuilder::default().filters(&labelled(LABEL.to_owned()));
    let images = docker.list_images(Some(images.build())).await;
    let images = images.map_err(failed)?.into_iter();
    let wanted: HashSet<String> = images.map(|image| volume_of(&image.id)).collect();
    let is_wanted = |name: &str| {
        let volume = name.strip_suffix("-whole").unwrap_or(name);
        wanted.contains(volume)
    };
    let volumes =
        ListVolumesOptionsBuilder::default().filters(&labelled(format!("{LABEL}={KIND}")));
    let volumes = docker.list_volumes(Some(volumes.build())).await;
    let volumes = volumes.map_err(failed)?.volumes.unwrap_or_default();
    for volume in volumes.iter().filter(|one| !is_wanted(&one.name)) {
        discard(docker, &volume.name).await;
    }
    Ok(())
}

/// Named by the image's id, not by its name: an image that was made anew has other files.
fn volume_of(image: &str) -> String {
    let id = image.strip_prefix("sha256:").unwrap_or(image);
    format!("farcall-files-{}", id.get(..12).unwrap_or(id))
}

/// The volume that there is when another one is whole.
fn whole(volume: &str) -> String {
    format!("{volume}-whole")
}

/// Whether both are there: whoever tidies up may have removed one.
async fn is_whole(docker: &Docker, volume: &str) -> Result<bool, ImageError> {
    for name in [volume, &whole(volume)] {
        match docker.inspect_volume(name).await {
            Ok(_) => {}
            Err(error) if status(&error) == Some(404) => return Ok(false),
            Err(error) => return Err(ImageError::docker(format!("look for {name}"), error)),
        }
    }
    Ok(true)
}

async fn fill(
    docker: &Docker,
    image: &str,
    volume: &str,
    directory: &str,
) -> Result<(), ImageError> {
    let failed =
        |error| ImageError::docker(format!("fill the volume {volume} from {image}"), error);
    // Whoever began and did not come to the end may have left both.
    discard(docker, volume).await;
    let options = CreateContainerOptionsBuilder::default().name(volume);
    let filling = ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(vec!["true".to_owned()]),
        labels: Some(labels()),
        host_config: Some(HostConfig {
            network_mode: Some("none".to_owned()),
            mounts: Some(vec![mount(volume, directory, false)]),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    docker
        .create_container(Some(options.build()), filling)
        .await
        .map_err(failed)?;
    let mark = VolumeCreateRequest {
        name: Some(whole(volume)),
        labels: Some(labels()),
        ..VolumeCreateRequest::default()
    };
    docker.create_volume(mark).await.map_err(failed)?;
    let removed = docker.remove_container(volume, None::<RemoveContainerOptions>);
    removed.await.map_err(failed)
}

/// What is in use stays, as it should, and is not known to be whole any more.
async fn discard(docker: &Docker, volume: &str) {
    let mark = whole(volume);
    let removed = docker.remove_volume(&mark, None::<RemoveVolumeOptions>);
    unless_missing(volume, removed.await);
    let removed = docker.remove_container(volume, None::<RemoveContainerOptions>);
    unless_missing(volume, removed.await);
    let removed = docker.remove_volume(volume, None::<RemoveVolumeOptions>);
    unless_missing(volume, removed.await);
}

fn unless_missing(volume: &str, removed: Result<(), DockerError>) {
    if let Err(error) = removed
        && status(&error) != Some(404)
    {
        tracing::debug!(volume, %error, "files of an image stay");
    }
}

fn mount(volume: &str, directory: &str, as_it_is: bool) -> Mount {
    Mount {
        typ: Some(MountType::VOLUME),
        source: Some(volume.to_owned()),
        target: Some(directory.to_owned()),
        volume_options: Some(MountVolumeOptions {
            no_copy: Some(as_it_is),
            labels: Some(labels()),
            ..MountVolumeOptions::default()
        }),
        ..Mount::default()
    }
}

fn labels() -> HashMap<String, String> {
    HashMap::from([(LABEL.to_owned(), KIND.to_owned())])
}

fn status(error: &DockerError) -> Option<u16> {
    match error {
        DockerError::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_volume_is_named_by_the_image_that_it_is_filled_from() {
        let volume = volume_of("sha256:4d8644d7bcb5dafce5fce0c7");
        assert_eq!(volume, "farcall-files-4d8644d7bcb5");
        assert_ne!(volume, volume_of("sha256:14b63f63602b4d8644d7bcb5"));
    }

    #[test]
    fn a_lab_cannot_write_what_others_use_and_never_fills_it() {
        let files = SharedFiles {
            volume: "farcall-files-4d8644d7bcb5".to_owned(),
            directory: "/usr".to_owned(),
        };
        let mount = files.mount();
        assert_eq!(mount.read_only, Some(true));
        assert_eq!(mount.volume_options.and_then(|of| of.no_copy), Some(true));
        assert_eq!(mount.target.as_deref(), Some("/usr"));
    }
}
