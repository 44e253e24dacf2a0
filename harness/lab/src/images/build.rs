//! `docker build` and everything else that answers with a stream of progress.

use std::time::Duration;

use bollard::errors::Error as DockerError;
use bollard::models::BuildInfo;
use bollard::query_parameters::BuildImageOptionsBuilder;
use bollard::{Docker, body_full, body_try_stream};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, TryStreamExt};
use tokio::io::AsyncRead;
use tokio_util::codec::{BytesCodec, FramedRead};

use super::ImageError;
use super::progress::Log;

/// How long a build may be silent, such as while it unpacks or commits a large layer.
const BUILD_SILENCE: Duration = Duration::from_secs(300);

/// How much is read at once; the default of 8 KiB makes one HTTP chunk of each 8 KiB.
const CHUNK_BYTES: usize = 256 * 1024;

/// What a build reads: a tar archive with the `Dockerfile` and the files that it copies.
pub(super) enum Context {
    /// In memory.
    Bytes(Vec<u8>),
    /// In a file, read from its beginning.
    File(tokio::fs::File),
}

/// Builds `context` as `reference`.
pub(super) async fn build(
    docker: &Docker,
    context: Context,
    reference: &str,
    log: &mut Log<'_>,
) -> Result<(), ImageError> {
    let action = format!("build {reference}");
    let options = BuildImageOptionsBuilder::default()
        .t(reference)
        .rm(true)
        .forcerm(true)
        .build();
    let body = match context {
        Context::Bytes(bytes) => body_full(Bytes::from(bytes)),
        Context::File(file) => body_try_stream(chunks(file)),
    };
    let docker = docker.clone().with_timeout(BUILD_SILENCE);
    let stream = docker.build_image(options, None, Some(body));
    follow(stream, &action, BUILD_SILENCE, log, |info: &BuildInfo| {
        info.stream.clone().or_else(|| info.status.clone())
    })
    .await
    .map(|_| ())
}

/// Reads a stream of progress to its end and returns the last message. `text` says what of a
/// message is worth a line; no message may take longer than `silence`.
pub(super) async fn follow<T>(
    stream: impl Stream<Item = Result<T, DockerError>>,
    action: &str,
    silence: Duration,
    log: &mut Log<'_>,
    text: impl Fn(&T) -> Option<String>,
) -> Result<Option<T>, ImageError> {
    let mut stream = std::pin::pin!(stream);
    let mut last = None;
    loop {
        let next = tokio::time::timeout(silence, stream.next()).await;
        match next.map_err(|_| stalled(action, silence))? {
            None => return Ok(last),
            Some(Ok(message)) => {
                if let Some(text) = text(&message) {
                    log.lines(&text);
                }
                last = Some(message);
            }
            Some(Err(DockerError::DockerStreamError { error })) => {
                log.lines(&error);
                return Err(ImageError::step(action, &error, log.tail()));
            }
            Some(Err(DockerError::RequestTimeoutError)) => return Err(stalled(action, silence)),
            Some(Err(error)) => return Err(ImageError::docker(action, error)),
        }
    }
}

fn stalled(action: &str, after: Duration) -> ImageError {
    ImageError::Stalled {
        action: action.to_owned(),
        after,
    }
}

/// The bytes of `reader` as a stream for a request's body.
pub(super) fn chunks(
    reader: impl AsyncRead + Send + 'static,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send {
    FramedRead::with_capacity(reader, BytesCodec::new(), CHUNK_BYTES).map_ok(BytesMut::freeze)
}

/// Adds a file of this program's own to a build context. Its time is fixed, so that equal content
/// gives equal archives.
pub(super) fn append(
    tar: &mut tar::Builder<impl std::io::Write>,
    name: &str,
    content: &[u8],
) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    tar.append_data(&mut header, name, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::ptr_arg, reason = "follow hands out what is in the stream")]
    fn text(message: &String) -> Option<String> {
        Some(message.clone())
    }

    #[tokio::test]
    async fn the_error_of_a_step_comes_with_its_log() {
        let messages = [
            Ok("Step 1/2 : RUN false".to_owned()),
            Err(DockerError::DockerStreamError {
                error: "returned a non-zero code: 1".to_owned(),
            }),
        ];
        let mut log = Log::new(&|_| {});
        let stream = futures::stream::iter(messages);
        let result = follow(stream, "build x", BUILD_SILENCE, &mut log, text).await;
        let told = result.err().map(|error| error.to_string());
        let told = told.unwrap_or_default();
        assert!(told.starts_with("failed to build x: returned"), "{told}");
        assert!(told.contains("\n  Step 1/2 : RUN false\n"), "{told}");
    }

    #[tokio::test]
    async fn silence_is_an_error_that_names_what_was_awaited() {
        let mut log = Log::new(&|_| {});
        let silence = Duration::from_millis(20);
        let stream = futures::stream::pending::<Result<String, DockerError>>();
        let result = follow(stream, "pull y", silence, &mut log, text).await;
        let told = result.err().map(|error| error.to_string());
        assert!(
            told.is_some_and(|told| told.starts_with("failed to pull y: Docker was silent for "))
        );
    }
}
