//! `docker import` of the tree that `import-base.sh` makes on this host.

use std::process::Stdio;
use std::time::Duration;

use bollard::query_parameters::{CreateImageOptions, RemoveImageOptions};
use bollard::{Docker, body_try_stream};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;

use super::ImageError;
use super::build::{chunks, follow};
use super::progress::Log;

/// How long apt may take on a slow line, and Docker to take in what comes of it.
const IMPORT_DEADLINE: Duration = Duration::from_secs(900);

const ACTION: &str = "import the base image";

/// Runs `script` and imports what it writes, with `changes` in the words of a Dockerfile. Returns
/// the id of the image, which has no name yet.
pub(super) async fn import(
    docker: &Docker,
    script: &str,
    packages: &str,
    changes: Vec<String>,
    log: &mut Log<'_>,
) -> Result<String, ImageError> {
    let work = tempfile::Builder::new()
        .prefix("farcall-base-")
        .tempdir()
        .map_err(ImageError::file(
            "make a directory in",
            std::env::temp_dir(),
        ))?;
    let script_path = work.path().join("import-base.sh");
    let packages_path = work.path().join("packages.txt");
    for (path, text) in [(&script_path, script), (&packages_path, packages)] {
        tokio::fs::write(path, text)
            .await
            .map_err(ImageError::file("write", path))?;
    }
    let mut child = Command::new("sh")
        .arg(&script_path)
        .arg(work.path())
        .arg(&packages_path)
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(ImageError::file("start", "sh"))?;
    let (Some(output), Some(messages)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(failed("its output is not connected", log));
    };

    let run = async {
        let imported = send(docker, output, changes);
        let (imported, ()) = tokio::join!(imported, copy_lines(messages, log));
        (imported, child.wait().await)
    };
    let (imported, ended) = tokio::time::timeout(IMPORT_DEADLINE, run)
        .await
        .map_err(|_| {
            failed(
                &format!("not done within {} s", IMPORT_DEADLINE.as_secs()),
                log,
            )
        })?;
    let status = ended.map_err(ImageError::file("wait for", "sh"))?;
    if status.success() {
        return imported;
    }
    // Docker takes an archive that ends early, even an empty one, for an image.
    if let Ok(id) = imported {
        let removed = docker.remove_image(&id, None::<RemoveImageOptions>, None);
        if let Err(error) = removed.await {
            tracing::warn!(image = id, %error, "a half-made image stays");
        }
    }
    Err(failed(&status.to_string(), log))
}

/// Sends an archive to Docker and returns the id of the image that came of it.
async fn send(
    docker: &Docker,
    archive: impl AsyncRead + Send + 'static,
    changes: Vec<String>,
) -> Result<String, ImageError> {
    let options = CreateImageOptions {
        from_src: Some("-".to_owned()),
        changes,
        ..CreateImageOptions::default()
    };
    let docker = docker.clone().with_timeout(IMPORT_DEADLINE);
    let body = body_try_stream(chunks(archive));
    let stream = docker.create_image(Some(options), Some(body), None);
    let mut quiet = Log::new(&|_| {});
    let last = follow(stream, ACTION, IMPORT_DEADLINE, &mut quiet, |_| None).await?;
    last.and_then(|info| info.status)
        .ok_or_else(|| failed("Docker named no image", &quiet))
}

async fn copy_lines(messages: impl AsyncRead + Unpin, log: &mut Log<'_>) {
    let mut lines = BufReader::new(messages).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        log.lines(&String::from_utf8_lossy(&line));
    }
}

fn failed(reason: &str, log: &Log<'_>) -> ImageError {
    ImageError::step(ACTION, reason, log.tail())
}
