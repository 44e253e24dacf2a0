//! A command in a node with this process's own streams.

use super::session::{ExecError, Streams, run};
use super::terminal::{self, RawMode};
use crate::engine::Engine;
use crate::identity::SessionId;
use std::io::{self, IsTerminal, Read};
use tokio::sync::mpsc;

/// The size of the chunks in which input is passed on, in bytes.
const CHUNK: usize = 8 * 1024;

/// The status of a command that is ended by SIGPIPE, as shells tell it.
const BROKEN_PIPE: i64 = 128 + 13;

/// Runs a command in a node with this process's standard streams, and with its terminal if both
/// input and output are one. Returns the command's exit status.
///
/// # Errors
/// As [`run`], and when the terminal cannot be lent.
pub async fn exec(
    engine: &Engine,
    session: &SessionId,
    node: &str,
    command: &[String],
) -> Result<i64, ExecError> {
    let interactive = io::stdin().is_terminal() && io::stdout().is_terminal();
    let (raw_mode, window) = if interactive {
        (Some(RawMode::enter()?), Some(terminal::window()?))
    } else {
        (None, None)
    };
    let streams = Streams {
        stdin: standard_input(),
        stdout: tokio::io::stdout(),
        stderr: tokio::io::stderr(),
        terminal: window,
    };
    let ended = run(engine, session, node, command, streams).await;
    drop(raw_mode);
    match ended {
        // Whoever read the output, such as `head`, has seen enough.
        Err(ExecError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(BROKEN_PIPE),
        ended => ended,
    }
}

/// Reads on a thread of its own, which nobody waits for: a runtime that ends would wait for a read
/// of tokio's own, until the next key.
fn standard_input() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(4);
    std::thread::spawn(move || {
        let mut chunk = vec![0; CHUNK];
        while let Ok(length @ 1..) = io::stdin().lock().read(&mut chunk) {
            if sender.blocking_send(chunk[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    receiver
}
