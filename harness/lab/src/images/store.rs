//! Images that are already there: finding, naming, and removing the old ones.

use std::collections::HashMap;

use bollard::Docker;
use bollard::errors::Error as DockerError;
use bollard::query_parameters::{
    ListImagesOptionsBuilder, RemoveImageOptions, TagImageOptionsBuilder,
};

use super::{ImageError, LABEL, shared};

/// The id (`sha256:...`) of an image, or `None` where there is none of that name.
pub(super) async fn find(docker: &Docker, reference: &str) -> Result<Option<String>, ImageError> {
    match docker.inspect_image(reference).await {
        Ok(image) => Ok(image.id),
        Err(DockerError::DockerResponseServerError {
            status_code: 404, ..
        }) => Ok(None),
        Err(error) => Err(ImageError::docker(format!("look for {reference}"), error)),
    }
}

/// Names the image `id`.
pub(super) async fn tag(
    docker: &Docker,
    id: &str,
    repository: &str,
    tag: &str,
) -> Result<(), ImageError> {
    let options = TagImageOptionsBuilder::default().repo(repository).tag(tag);
    docker
        .tag_image(id, Some(options.build()))
        .await
        .map_err(|error| ImageError::docker(format!("tag {id} as {repository}:{tag}"), error))
}

/// Removes all but the newest `keep` images whose label says `kind`, except the one that has just been made, which is as
/// old as the layers of the engine's cache that it consists of, and those that a container or another image rests on: Docker refuses to remove these, and that is as it should be. What the containers of
/// an image share goes with it.
pub(super) async fn prune(
    docker: &Docker,
    kind: &str,
    keep: usize,
    made: &str,
) -> Result<(), ImageError> {
    let filters = HashMap::from([("label", vec![format!("{LABEL}={kind}")])]);
    let options = ListImagesOptionsBuilder::default().filters(&filters);
    let mut images = docker
        .list_images(Some(options.build()))
        .await
        .map_err(|error| ImageError::docker(format!("list the {kind} images"), error))?;
    images.sort_by_key(|image| std::cmp::Reverse(image.created));
    let older = images.into_iter().skip(keep);
    for image in older.filter(|image| !image.repo_tags.iter().any(|tag| tag == made)) {
        shared::remove(docker, &image.id).await;
        let removed = docker
            .remove_image(&image.id, None::<RemoveImageOptions>, None)
            .await;
        if let Err(error) = removed {
            tracing::debug!(image = image.id, %error, "an old image stays");
        }
    }
    shared::prune(docker).await
}
