//! Runs the tools of the image, such as `ip` and `nft`.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use crate::reaper::{self, Own};

/// Far more than any tool needs, also on a busy machine.
const DEADLINE: Duration = Duration::from_secs(10);

/// A tool did not do its work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ToolError {
    /// It could not be started.
    #[error("failed to run `{command}`: {source}; is it in the image?")]
    Start {
        /// The command.
        command: String,
        /// Why.
        source: std::io::Error,
    },
    /// It ended with an error.
    #[error("failed to run `{command}`: {status}: {said}")]
    Failed {
        /// The command.
        command: String,
        /// Its exit status or signal.
        status: std::process::ExitStatus,
        /// What it wrote to standard error.
        said: String,
    },
    /// It did not end.
    #[error("failed to run `{command}`: it did not end within {} s", DEADLINE.as_secs())]
    Deadline {
        /// The command.
        command: String,
    },
}

/// Runs a tool to its end with this on its standard input, and gives what it wrote to its standard
/// output.
pub(crate) async fn run(command: &[&str], input: &str) -> Result<String, ToolError> {
    start(command)?.give(input).await
}

/// As [`run`]; errors show these words in place of a command with a secret in it.
pub(crate) async fn run_shown(
    shown: &str,
    command: &[&str],
    input: &str,
) -> Result<String, ToolError> {
    start_shown(shown, command)?.give(input).await
}

/// Starts a tool that does nothing before it has its input, so that it does it the sooner then.
pub(crate) fn start(command: &[&str]) -> Result<Waiting, ToolError> {
    start_shown(&command.join(" "), command)
}

fn start_shown(shown: &str, command: &[&str]) -> Result<Waiting, ToolError> {
    let (program, arguments) = command.split_first().unwrap_or((&"", &[]));
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let (child, own) = reaper::spawn(&mut command).map_err(|source| ToolError::Start {
        command: shown.to_owned(),
        source,
    })?;
    Ok(Waiting {
        shown: shown.to_owned(),
        child,
        own,
    })
}

/// A tool that waits for its input.
pub(crate) struct Waiting {
    shown: String,
    child: Child,
    own: Own,
}

impl Waiting {
    /// Gives it its input and waits until it ends; gives what it wrote to its standard output.
    pub(crate) async fn give(self, input: &str) -> Result<String, ToolError> {
        let Self {
            shown,
            mut child,
            own: _own,
        } = self;
        let stdin = child.stdin.take();
        let feed = async {
            if let Some(mut stdin) = stdin {
                // A tool that stops reading tells why when it ends.
                let _ = stdin.write_all(input.as_bytes()).await;
            }
        };
        let ended = async { tokio::join!(feed, child.wait_with_output()).1 };
        let output = match tokio::time::timeout(DEADLINE, ended).await {
            Err(_elapsed) => return Err(ToolError::Deadline { command: shown }),
            Ok(Err(source)) => {
                return Err(ToolError::Start {
                    command: shown,
                    source,
                });
            }
            Ok(Ok(output)) => output,
        };
        if !output.status.success() {
            return Err(ToolError::Failed {
                command: shown,
                status: output.status,
                said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            });
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[tokio::test]
    async fn a_tool_gets_its_input_and_gives_its_output() {
        let large = "line\n".repeat(100_000);
        assert_eq!(run(&["cat"], &large).await.unwrap(), large);
    }

    #[tokio::test]
    async fn a_tool_that_waits_ends_when_it_has_its_input() {
        let mut waiting = start(&["cat"]).unwrap();
        assert_eq!(waiting.child.try_wait().unwrap(), None);
        assert_eq!(waiting.give("now").await.unwrap(), "now");
    }

    #[tokio::test]
    async fn a_secret_argument_is_not_shown() {
        let failed = run_shown("turnadmin --add", &["false", "geheim"], "").await;
        let shown = format!("{:?}", failed.unwrap_err());
        assert!(shown.contains("turnadmin --add"), "{shown}");
        assert!(!shown.contains("geheim"), "{shown}");
    }

    #[tokio::test]
    async fn a_failure_tells_command_status_and_words() {
        let failed = run(&["sh", "-c", "cat >&2; exit 3"], "no such table").await;
        let message = failed.unwrap_err().to_string();
        assert!(message.contains("sh -c"), "{message}");
        assert!(message.contains("exit status: 3"), "{message}");
        assert!(message.contains("no such table"), "{message}");
        let missing = run(&["no-such-tool"], "").await.unwrap_err().to_string();
        assert!(missing.contains("no-such-tool"), "{missing}");
    }
}
