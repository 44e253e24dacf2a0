//! The base image: coturn, nftables and the other tools of the network. It comes from the public
//! Debian image where a registry has it, otherwise from the package sources of this host.

use std::time::Duration;

use bollard::Docker;
use bollard::models::CreateImageInfo;
use bollard::query_parameters::CreateImageOptionsBuilder;
use sha2::{Digest, Sha256};

use super::build::{Context, append, build, follow};
use super::import::import;
use super::progress::Log;
use super::shared::{SharedFiles, shared};
use super::{ImageError, LABEL, OnProgress, lock, store};
use crate::engine::Engine;

/// The public image that the Dockerfile starts from.
pub(crate) const PUBLIC_BASE: &str = "debian";
/// Its tag.
pub(crate) const PUBLIC_BASE_TAG: &str = "bookworm-slim";

const DOCKERFILE: &str = include_str!("../../../../docker/Dockerfile");
const PACKAGES: &str = include_str!("../../../../docker/packages.txt");
const IMPORT_SCRIPT: &str = include_str!("../../../../docker/import-base.sh");

const REPOSITORY: &str = "farcall-base";
const KIND: &str = "base";

/// Where an image has its programs and libraries: `/bin`, `/lib` and the others are links into it.
const FILES: &str = "/usr";

/// How many base images stay: this recipe's and that of another checkout.
const KEPT_IMAGES: usize = 2;

/// How long the registry may be silent before the other way is taken.
const REGISTRY_SILENCE: Duration = Duration::from_secs(20);

/// The image with the tools of the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseImage {
    /// Name and tag, `farcall-base:<hash of the recipe>`.
    pub reference: String,
    /// Id in this engine, `sha256:...`.
    pub id: String,
}

impl BaseImage {
    /// The tools, in a volume that all containers with this image below them can mount; made if it is missing.
    ///
    /// # Errors
    ///
    /// If Docker cannot make it.
    pub async fn shared_files(
        &self,
        engine: &Engine,
        on_progress: OnProgress<'_>,
    ) -> Result<SharedFiles, ImageError> {
        shared(&engine.docker, &self.id, FILES, on_progress).await
    }
}

/// The name that the base image of this version of farcall has.
pub fn base_reference() -> String {
    format!("{REPOSITORY}:{}", recipe_hash())
}

/// The base image, if it is there.
///
/// # Errors
///
/// If Docker cannot be asked.
pub async fn existing_base_image(engine: &Engine) -> Result<Option<BaseImage>, ImageError> {
    let reference = base_reference();
    let found = store::find(&engine.docker, &reference).await?;
    Ok(found.map(|id| BaseImage { reference, id }))
}

/// The base image, made if it is missing. That takes some seconds, or minutes on a slow line.
///
/// # Errors
///
/// [`ImageError::Base`] if neither way works, with the end of both logs.
pub async fn base_image(
    engine: &Engine,
    on_progress: OnProgress<'_>,
) -> Result<BaseImage, ImageError> {
    if let Some(image) = existing_base_image(engine).await? {
        return Ok(image);
    }
    let mut log = Log::new(on_progress);
    let _lock =
        lock::acquire(|| log.step("waiting for another process that builds images")).await?;
    if let Some(image) = existing_base_image(engine).await? {
        return Ok(image);
    }
    make(&engine.docker, on_progress).await?;
    store::prune(&engine.docker, KIND, KEPT_IMAGES, &base_reference()).await?;
    existing_base_image(engine)
        .await?
        .ok_or_else(|| ImageError::Step {
            summary: format!("{} was built but is not there", base_reference()),
            log: log.tail(),
        })
}

async fn make(docker: &Docker, on_progress: OnProgress<'_>) -> Result<(), ImageError> {
    let registry = match from_registry(docker, &mut Log::new(on_progress)).await {
        Err(error @ ImageError::NoSpace { .. }) => return Err(error),
        Err(error) => error,
        Ok(()) => return Ok(()),
    };
    match from_packages(docker, &mut Log::new(on_progress)).await {
        Err(error @ ImageError::NoSpace { .. }) => Err(error),
        Err(packages) => Err(ImageError::Base {
            reference: base_reference(),
            image: format!("{PUBLIC_BASE}:{PUBLIC_BASE_TAG}"),
            registry: registry.to_string(),
            packages: packages.to_string(),
        }),
        Ok(()) => Ok(()),
    }
}

async fn from_registry(docker: &Docker, log: &mut Log<'_>) -> Result<(), ImageError> {
    let public = format!("{PUBLIC_BASE}:{PUBLIC_BASE_TAG}");
    if store::find(docker, &public).await?.is_none() {
        log.step(format!("pulling {public}"));
        pull(docker, &public, log).await?;
    }
    let reference = base_reference();
    log.step(format!("building {reference} from {public}"));
    let context = recipe_context().map_err(ImageError::file("pack", "docker/"))?;
    build(docker, Context::Bytes(context), &reference, log).await
}

async fn pull(docker: &Docker, public: &str, log: &mut Log<'_>) -> Result<(), ImageError> {
    let options = CreateImageOptionsBuilder::default()
        .from_image(PUBLIC_BASE)
        .tag(PUBLIC_BASE_TAG)
        .build();
    let docker = docker.clone().with_timeout(REGISTRY_SILENCE);
    let stream = docker.create_image(Some(options), None, None);
    let action = format!("pull {public}");
    // A message with a number is one tick of a progress bar, and there are hundreds of them.
    let text = |info: &CreateImageInfo| {
        let ticks = info.progress_detail.as_ref()?.current.is_some();
        info.status.clone().filter(|_| !ticks)
    };
    follow(stream, &action, REGISTRY_SILENCE, log, text)
        .await
        .map(|_| ())
}

async fn from_packages(docker: &Docker, log: &mut Log<'_>) -> Result<(), ImageError> {
    let reference = base_reference();
    log.step(format!(
        "building {reference} from the packages of this host's own sources"
    ));
    let changes = [
        format!("LABEL {LABEL}={KIND}"),
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_owned(),
        "CMD [\"bash\"]".to_owned(),
    ];
    let id = import(docker, IMPORT_SCRIPT, PACKAGES, changes.into(), log).await?;
    store::tag(docker, &id, REPOSITORY, &recipe_hash()).await
}

fn recipe_context() -> std::io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    append(&mut tar, "Dockerfile", DOCKERFILE.as_bytes())?;
    append(&mut tar, "packages.txt", PACKAGES.as_bytes())?;
    tar.into_inner()
}

fn recipe_hash() -> String {
    let mut hash = Sha256::new();
    for part in [DOCKERFILE, PACKAGES, IMPORT_SCRIPT] {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    short_hex(&hash.finalize())
}

/// Enough of a hash to tell images apart, short enough to read.
pub(super) fn short_hex(hash: &[u8]) -> String {
    let head = hash.iter().take(6);
    head.map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_names_the_recipe() {
        let reference = base_reference();
        let tag = reference.strip_prefix("farcall-base:").unwrap_or_default();
        assert_eq!(tag.len(), 12);
        assert!(tag.chars().all(|c| c.is_ascii_hexdigit()));
        assert_eq!(reference, base_reference());
    }

    #[test]
    fn the_dockerfile_starts_from_the_image_that_is_pulled() {
        assert!(DOCKERFILE.contains(&format!("\nFROM {PUBLIC_BASE}:{PUBLIC_BASE_TAG}\n")));
        assert!(DOCKERFILE.contains(&format!("\nLABEL {LABEL}={KIND}\n")));
    }

    #[test]
    fn the_list_of_packages_has_every_tool_of_a_lab() {
        let listed: Vec<_> = PACKAGES.lines().collect();
        for package in [
            "coturn",
            "nftables",
            "iproute2",
            "conntrack",
            "tcpdump",
            "dnsmasq-base",
        ] {
            assert!(listed.contains(&package), "{package}");
        }
    }
}
