//! The agent image: the base image, this executable, and the loader and libraries it was linked
//! with, so that the C libraries of host and image need not agree.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use bollard::Docker;
use sha2::{Digest, Sha256};

use super::base::short_hex;
use super::build::{Context, append, build};
use super::closure::{Closure, closure};
use super::progress::Log;
use super::shared::{SharedFiles, shared};
use super::{
    BaseImage, ImageError, LABEL, OnProgress, base_image, existing_base_image, lock, store,
};
use crate::engine::Engine;

const REPOSITORY: &str = "farcall-agent";
const KIND: &str = "agent";

/// How many agent images stay: one each for `cargo run`, `cargo run --release` and a test.
const KEPT_IMAGES: usize = 3;

const FILES: &str = "/farcall";
const EXECUTABLE: &str = "/farcall/bin/farcall";
const LIBRARIES: &str = "/farcall/lib";

/// An image whose containers can run the agent, and every tool of the base image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentImage {
    /// Name and tag, `farcall-agent:<hash of everything in it>`.
    pub reference: String,
    /// The command that starts `farcall agent` in it; further arguments go after it. For a
    /// dynamic executable it begins with the bundled loader, so `current_exe` is the loader there.
    pub command: Vec<String>,
    /// What its containers share, and mount.
    pub shared: Vec<SharedFiles>,
}

/// The image with `executable` in it, made if it is missing; the base image likewise.
///
/// # Errors
///
/// If `executable` or one of its libraries cannot be read, or Docker cannot build.
pub async fn agent_image(
    engine: &Engine,
    executable: &Path,
    on_progress: OnProgress<'_>,
) -> Result<AgentImage, ImageError> {
    let docker = &engine.docker;
    let base = base_image(engine, on_progress).await?;
    let content = Content::read(executable).await?;
    let mut image = content.image(&base);
    let id = match store::find(docker, &image.reference).await? {
        Some(id) => id,
        None => make(docker, content, &base, &image.reference, on_progress).await?,
    };
    let of_base = base.shared_files(engine, on_progress).await?;
    let own = shared(docker, &id, FILES, on_progress).await?;
    image.shared = vec![of_base, own];
    Ok(image)
}

/// Builds the image, unless somebody else does meanwhile, and gives its id.
async fn make(
    docker: &Docker,
    content: Content,
    base: &BaseImage,
    reference: &str,
    on_progress: OnProgress<'_>,
) -> Result<String, ImageError> {
    let mut log = Log::new(on_progress);
    let _lock =
        lock::acquire(|| log.step("waiting for another process that builds images")).await?;
    if let Some(id) = store::find(docker, reference).await? {
        return Ok(id);
    }
    log.step(format!("building {reference}"));
    let context = content.pack(base.reference.clone()).await?;
    build(docker, context, reference, &mut log).await?;
    let id = store::find(docker, reference).await?;
    let id = id.ok_or_else(|| ImageError::Step {
        summary: format!("{reference} was built but is not there"),
        log: log.tail(),
    })?;
    store::prune(docker, KIND, KEPT_IMAGES, reference).await?;
    Ok(id)
}

/// The image with `executable` in it, if it is there, without what its containers share.
///
/// # Errors
///
/// As [`agent_image`], but nothing is built.
pub async fn existing_agent_image(
    engine: &Engine,
    executable: &Path,
) -> Result<Option<AgentImage>, ImageError> {
    let Some(base) = existing_base_image(engine).await? else {
        return Ok(None);
    };
    let image = Content::read(executable).await?.image(&base);
    let found = store::find(&engine.docker, &image.reference).await?;
    Ok(found.map(|_| image))
}

/// The files of the agent image, and their hash.
struct Content {
    loader: Option<String>,
    /// Path in the image and path on this host.
    files: Vec<(String, PathBuf)>,
    hash: Vec<u8>,
}

impl Content {
    async fn read(executable: &Path) -> Result<Self, ImageError> {
        let executable = executable.to_owned();
        blocking(move || {
            let Closure { loader, files } = closure(&executable)?;
            let libraries = files
                .into_iter()
                .map(|(name, path)| (format!("{LIBRARIES}/{name}"), path));
            let mut files: Vec<_> = libraries.collect();
            files.push((EXECUTABLE.to_owned(), executable));
            let hash = hash_files(&files)?;
            Ok(Self {
                loader,
                files,
                hash,
            })
        })
        .await
    }

    fn image(&self, base: &BaseImage) -> AgentImage {
        let mut hash = Sha256::new();
        hash.update(&base.id);
        hash.update(&self.hash);
        AgentImage {
            reference: format!("{REPOSITORY}:{}", short_hex(&hash.finalize())),
            command: command(self.loader.as_deref()),
            shared: Vec::new(),
        }
    }

    /// A build context in an unnamed temporary file. It is one layer on top of the base image.
    async fn pack(self, base_reference: String) -> Result<Context, ImageError> {
        let file = blocking(move || {
            pack_files(&self.files, &base_reference).map_err(ImageError::file(
                "pack into a file in",
                std::env::temp_dir(),
            ))
        });
        Ok(Context::File(tokio::fs::File::from_std(file.await?)))
    }
}

/// How the agent is started, given the file name of its loader.
fn command(loader: Option<&str>) -> Vec<String> {
    let mut command = Vec::new();
    if let Some(loader) = loader {
        command.push(format!("{LIBRARIES}/{loader}"));
        command.push("--library-path".to_owned());
        command.push(LIBRARIES.to_owned());
    }
    command.push(EXECUTABLE.to_owned());
    command.push("agent".to_owned());
    command
}

fn hash_files(files: &[(String, PathBuf)]) -> Result<Vec<u8>, ImageError> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1024 * 1024];
    for (name, path) in files {
        let content = (|| {
            let mut file = File::open(path)?;
            hash.update(name);
            hash.update(file.metadata()?.len().to_le_bytes());
            loop {
                let count = io::Read::read(&mut file, &mut buffer)?;
                if count == 0 {
                    return Ok(());
                }
                hash.update(&buffer[..count]);
            }
        })();
        content.map_err(ImageError::file("read", path))?;
    }
    Ok(hash.finalize().to_vec())
}

fn pack_files(files: &[(String, PathBuf)], base_reference: &str) -> io::Result<File> {
    let mut tar = tar::Builder::new(tempfile::tempfile()?);
    // Each instruction costs Docker a container; the label comes first so that it is cached.
    let dockerfile =
        format!("FROM {base_reference}\nLABEL {LABEL}={KIND}\nCOPY farcall /farcall\n");
    append(&mut tar, "Dockerfile", dockerfile.as_bytes())?;
    for (name, path) in files {
        let mut file = File::open(path)?;
        let mut header = tar::Header::new_gnu();
        header.set_size(file.metadata()?.len());
        header.set_mode(0o755);
        header.set_mtime(0);
        tar.append_data(&mut header, name.trim_start_matches('/'), &mut file)?;
    }
    let mut file = tar.into_inner()?;
    io::Seek::rewind(&mut file)?;
    Ok(file)
}

/// Runs what reads and writes large files where it holds up no other task.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ImageError> + Send + 'static,
) -> Result<T, ImageError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(ImageError::Step {
                summary: format!("failed to read the executable: {error}"),
                log: String::new(),
            }),
        },
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    fn base(id: &str) -> BaseImage {
        BaseImage {
            reference: "farcall-base:x".to_owned(),
            id: id.to_owned(),
        }
    }

    #[test]
    fn a_dynamic_executable_is_started_by_its_own_loader() {
        let dynamic = command(Some("ld-linux-x86-64.so.2")).join(" ");
        assert_eq!(
            dynamic,
            "/farcall/lib/ld-linux-x86-64.so.2 --library-path /farcall/lib /farcall/bin/farcall agent"
        );
        assert_eq!(command(None), ["/farcall/bin/farcall", "agent"]);
    }

    #[tokio::test]
    async fn the_name_follows_the_base_and_the_content() {
        let executable = std::env::current_exe().unwrap();
        let content = Content::read(&executable).await.unwrap();
        let image = content.image(&base("sha256:1"));
        assert_eq!(image, content.image(&base("sha256:1")));
        assert_ne!(image.reference, content.image(&base("sha256:2")).reference);

        let dir = tempfile::tempdir().unwrap();
        let changed = dir.path().join("changed");
        let mut bytes = std::fs::read(&executable).unwrap();
        bytes.push(0);
        std::fs::write(&changed, bytes).unwrap();
        let changed = Content::read(&changed).await.unwrap();
        assert_ne!(image.reference, changed.image(&base("sha256:1")).reference);
    }

    #[test]
    fn the_context_has_the_executable_where_the_command_looks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("exe");
        std::fs::write(&path, "content").unwrap();
        let file = pack_files(&[(EXECUTABLE.to_owned(), path)], "farcall-base:x").unwrap();
        let mut archive = tar::Archive::new(file);
        let names: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().display().to_string())
            .collect();
        assert_eq!(names, ["Dockerfile", "farcall/bin/farcall"]);
    }
}
