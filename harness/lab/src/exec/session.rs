//! A command in a node's container, with its streams.

use super::terminal::WindowSize;
use crate::engine::Engine;
use crate::identity::{SessionId, container_name};
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::exec::{CreateExecOptions, ResizeExecOptions, StartExecOptions, StartExecResults};
use futures::{Stream, StreamExt};
use std::pin::Pin;
use std::time::Duration;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

/// How often Docker is asked whether the command has ended: its streams do not always end with it.
const POLL: Duration = Duration::from_millis(100);

/// For how long after its end a command's output may still trickle in.
const DRAIN: Duration = Duration::from_millis(200);

/// A command could not be run in a node.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The node's container is not there.
    #[error(
        "failed to run a command in {node}: the lab {session} has no such running node\n\
         hint: `farcall up NAME` tells the names of its nodes"
    )]
    NoNode {
        /// The node.
        node: String,
        /// The lab.
        session: SessionId,
    },
    /// Docker did not run it.
    #[error("failed to run a command in {node}: {source}")]
    Docker {
        /// The node.
        node: String,
        /// Docker's answer.
        source: Error,
    },
    /// This process's own input or output failed.
    #[error("failed to pass on input or output: {0}")]
    Io(#[from] std::io::Error),
}

/// What a command reads and writes.
pub struct Streams<Out, Err> {
    /// What it reads, chunk by chunk; its input ends when the sender is gone.
    pub stdin: mpsc::Receiver<Vec<u8>>,
    /// Where its standard output goes, and with a terminal all its output.
    pub stdout: Out,
    /// Where its standard error goes.
    pub stderr: Err,
    /// The window, if it is to have a terminal.
    pub terminal: Option<watch::Receiver<WindowSize>>,
}

/// Runs a command in a node of a lab until it ends, and returns its exit status.
///
/// # Errors
/// When there is no such node, Docker refuses, or a stream fails.
pub async fn run<Out, Err>(
    engine: &Engine,
    session: &SessionId,
    node: &str,
    command: &[String],
    streams: Streams<Out, Err>,
) -> Result<i64, ExecError>
where
    Out: AsyncWrite + Unpin,
    Err: AsyncWrite + Unpin,
{
    let refused = |source: Error| match source {
        Error::DockerResponseServerError {
            status_code: 404 | 409,
            ..
        } => ExecError::NoNode {
            node: node.to_owned(),
            session: session.clone(),
        },
        source => ExecError::Docker {
            node: node.to_owned(),
            source,
        },
    };
    let tty = streams.terminal.is_some();
    let options = CreateExecOptions {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(tty),
        cmd: Some(command.to_vec()),
        ..CreateExecOptions::default()
    };
    let container = container_name(session, node);
    let created = engine.docker.create_exec(&container, options).await;
    let id = created.map_err(refused)?.id;
    let options = StartExecOptions {
        detach: false,
        tty,
        output_capacity: None,
    };
    let started = engine.docker.start_exec(&id, Some(options)).await;
    let StartExecResults::Attached { output, input } = started.map_err(refused)? else {
        return Ok(0);
    };
    Execution {
        engine,
        id: &id,
        output,
    }
    .follow(input, streams)
    .await?;
    let ended = engine.docker.inspect_exec(&id).await.map_err(refused)?;
    Ok(ended.exit_code.unwrap_or_default())
}

struct Execution<'a> {
    engine: &'a Engine,
    id: &'a str,
    output: Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>,
}

impl Execution<'_> {
    /// Passes input and output on until the command has ended and its output is passed on.
    async fn follow<Out, Err>(
        mut self,
        mut input: Pin<Box<dyn AsyncWrite + Send>>,
        mut streams: Streams<Out, Err>,
    ) -> Result<(), ExecError>
    where
        Out: AsyncWrite + Unpin,
        Err: AsyncWrite + Unpin,
    {
        let mut poll = tokio::time::interval(POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut reads = true;
        loop {
            tokio::select! {
                // Output comes first, so that none is left when the command is found to have ended.
                biased;
                chunk = self.output.next() => match chunk {
                    Some(Ok(chunk)) => pass_on(chunk, &mut streams).await?,
                    Some(Err(_)) | None => return self.ended(&mut poll).await,
                },
                chunk = streams.stdin.recv(), if reads => match chunk {
                    Some(chunk) => {
                        // A command that no longer reads its input may go on writing.
                        reads = input.write_all(&chunk).await.is_ok() && input.flush().await.is_ok();
                    }
                    None => {
                        reads = false;
                        let _ = input.shutdown().await;
                    }
                },
                size = resized(&mut streams.terminal) => self.resize(size).await,
                _ = poll.tick() => if self.has_ended().await {
                    return self.drain(&mut streams).await;
                },
            }
        }
    }

    async fn has_ended(&self) -> bool {
        let found = self.engine.docker.inspect_exec(self.id).await;
        // An exec instance that Docker no longer knows does not run either.
        found.map_or(true, |found| found.running == Some(false))
    }

    /// The streams ended: the command does at once, or has closed its output and goes on.
    async fn ended(&self, poll: &mut tokio::time::Interval) -> Result<(), ExecError> {
        while !self.has_ended().await {
            poll.tick().await;
        }
        Ok(())
    }

    async fn drain<Out, Err>(&mut self, streams: &mut Streams<Out, Err>) -> Result<(), ExecError>
    where
        Out: AsyncWrite + Unpin,
        Err: AsyncWrite + Unpin,
    {
        while let Ok(Some(Ok(chunk))) = tokio::time::timeout(DRAIN, self.output.next()).await {
            pass_on(chunk, streams).await?;
        }
        Ok(())
    }

    async fn resize(&self, size: WindowSize) {
        let options = ResizeExecOptions {
            height: size.rows,
            width: size.columns,
        };
        // A command that has just ended has no window any more.
        let _ = self.engine.docker.resize_exec(self.id, options).await;
    }
}

async fn resized(terminal: &mut Option<watch::Receiver<WindowSize>>) -> WindowSize {
    if let Some(window) = terminal
        && window.changed().await.is_ok()
    {
        return *window.borrow_and_update();
    }
    std::future::pending().await
}

async fn pass_on<Out, Err>(
    chunk: LogOutput,
    streams: &mut Streams<Out, Err>,
) -> Result<(), std::io::Error>
where
    Out: AsyncWrite + Unpin,
    Err: AsyncWrite + Unpin,
{
    if let LogOutput::StdErr { message } = chunk {
        streams.stderr.write_all(&message).await?;
        return streams.stderr.flush().await;
    }
    streams.stdout.write_all(chunk.as_ref()).await?;
    streams.stdout.flush().await
}
