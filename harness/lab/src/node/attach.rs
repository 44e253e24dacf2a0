//! The two tasks between a node's container and its handle: one writes, one reads.

use super::handle::{NodeHandle, Shared};
use super::sink::EventSink;
use bollard::Docker;
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::errors::Error;
use bollard::query_parameters::{AttachContainerOptionsBuilder, WaitContainerOptionsBuilder};
use bytes::BytesMut;
use futures::{Stream, StreamExt};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::codec::{Decoder, LinesCodec};

/// The longest line that an agent prints: the files of a gateway with a large connection table.
const LONGEST_LINE: usize = 32 << 20;

/// How long Docker may take to say how a container ended.
const AUTOPSY_DEADLINE: Duration = Duration::from_secs(5);

/// A container's standard input, output and error.
pub(crate) struct Wires {
    input: Pin<Box<dyn AsyncWrite + Send>>,
    output: Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>,
}

/// Attaches to a container that has not started yet, so that nothing of its output is missed.
pub(crate) async fn attach(docker: &Docker, container: &str) -> Result<Wires, Error> {
    let options = AttachContainerOptionsBuilder::default()
        .stream(true)
        .stdin(true)
        .stdout(true)
        .stderr(true)
        .build();
    let AttachContainerResults { input, output } =
        docker.attach_container(container, Some(options)).await?;
    Ok(Wires { input, output })
}

impl Wires {
    /// Begins to read and write.
    pub(crate) fn converse(
        self,
        docker: Docker,
        container: String,
        node: String,
        sink: EventSink,
    ) -> NodeHandle {
        let (lines, queue) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::new(node, sink, lines));
        let mut tasks = JoinSet::new();
        tasks.spawn(write(self.input, queue));
        tasks.spawn(read(self.output, docker, container, Arc::clone(&shared)));
        NodeHandle {
            shared,
            _tasks: tasks,
        }
    }
}

/// Writes each line whole: a request that is given up half-way must not leave half a line.
async fn write(
    mut input: Pin<Box<dyn AsyncWrite + Send>>,
    mut queue: mpsc::UnboundedReceiver<String>,
) {
    while let Some(mut line) = queue.recv().await {
        line.push('\n');
        let written = async {
            input.write_all(line.as_bytes()).await?;
            input.flush().await
        };
        // The reader learns of the end as well, and tells why.
        if written.await.is_err() {
            return;
        }
    }
}

async fn read(
    mut output: Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>,
    docker: Docker,
    container: String,
    shared: Arc<Shared>,
) {
    let mut stdout = Lines::default();
    let mut stderr = Lines::default();
    let mut broken = None;
    while let Some(chunk) = output.next().await {
        match chunk {
            Ok(LogOutput::StdErr { message }) => {
                stderr.take(&message, |line| shared.complained(line, "stderr"));
            }
            Ok(chunk) => stdout.take(chunk.as_ref(), |line| shared.printed(line)),
            Err(error) => {
                broken = Some(error);
                break;
            }
        }
    }
    stdout.finish(|line| shared.printed(line));
    stderr.finish(|line| shared.complained(line, "stderr"));
    if shared.end_expected() {
        return shared.ended(None, "it was removed".to_owned());
    }
    let (exit_code, mut ending) = autopsy(&docker, &container).await;
    if let (None, Some(error)) = (exit_code, broken) {
        ending = format!("the connection to it broke: {error}");
    }
    shared.ended(exit_code, ending);
}

/// How a container ended, in numbers and in words.
async fn autopsy(docker: &Docker, container: &str) -> (Option<i64>, String) {
    let examine = async {
        let options = WaitContainerOptionsBuilder::default()
            .condition("not-running")
            .build();
        // Its result has no more than the exit code, which the inspection has as well.
        let _ = docker.wait_container(container, Some(options)).next().await;
        docker.inspect_container(container, None).await
    };
    let state = match tokio::time::timeout(AUTOPSY_DEADLINE, examine).await {
        Ok(Ok(found)) => found.state.unwrap_or_default(),
        Ok(Err(error)) => return (None, format!("Docker lost it: {error}")),
        Err(_) => return (None, "it closed its output but still runs".to_owned()),
    };
    let ending = match (state.oom_killed, state.exit_code) {
        (Some(true), _) => "the kernel killed it for want of memory".to_owned(),
        (_, Some(code)) if code > 128 => format!("it was ended by signal {}", code - 128),
        (_, Some(code)) => format!("it exited with status {code}"),
        (_, None) => "it ended".to_owned(),
    };
    (state.exit_code, ending)
}

/// Lines out of chunks.
struct Lines {
    codec: LinesCodec,
    buffer: BytesMut,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            codec: LinesCodec::new_with_max_length(LONGEST_LINE),
            buffer: BytesMut::new(),
        }
    }
}

impl Lines {
    fn take(&mut self, chunk: &[u8], mut each: impl FnMut(&str)) {
        self.buffer.extend_from_slice(chunk);
        loop {
            match self.codec.decode(&mut self.buffer) {
                Ok(Some(line)) => each(&line),
                Ok(None) => return,
                Err(error) => each(&format!("(a line was dropped: {error})")),
            }
        }
    }

    /// The rest, without a line break at its end.
    fn finish(&mut self, mut each: impl FnMut(&str)) {
        while let Ok(Some(line)) = self.codec.decode_eof(&mut self.buffer) {
            each(&line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_whole_however_the_chunks_are_cut() {
        let mut lines = Lines::default();
        let mut seen = Vec::new();
        for chunk in ["a", "b\nc", "\n\nd\r\ne"] {
            lines.take(chunk.as_bytes(), |line| seen.push(line.to_owned()));
        }
        assert_eq!(seen, ["ab", "c", "", "d"]);
        lines.finish(|line| seen.push(line.to_owned()));
        assert_eq!(seen[4..], ["e"]);
    }

    #[test]
    fn what_is_no_text_does_not_end_the_reading() {
        let mut lines = Lines::default();
        let mut seen = 0;
        lines.take(b"\xff\xfe\nplain\n", |_| seen += 1);
        assert_eq!(seen, 2);
    }
}
