//! Tools in the nodes of a lab.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use crate::support::{Raised, one_node, raise};
use farcall_lab::LabOptions;
use farcall_lab::exec::{ExecError, Streams, WindowSize, run};
use tokio::sync::{mpsc, watch};

/// Runs a shell command in a node and returns status, output and errors.
pub(crate) async fn shell(raised: &Raised, node: &str, command: &str) -> (i64, String, String) {
    talk(raised, node, command, "").await.unwrap()
}

async fn talk(
    raised: &Raised,
    node: &str,
    command: &str,
    input: &str,
) -> Result<(i64, String, String), ExecError> {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let (sender, stdin) = mpsc::channel(1);
    sender.send(input.as_bytes().to_vec()).await.unwrap();
    drop(sender);
    let streams = Streams {
        stdin,
        stdout: &mut stdout,
        stderr: &mut stderr,
        terminal: None,
    };
    let command = ["bash", "-c", command].map(str::to_owned);
    let status = run(&raised.engine, &raised.session, node, &command, streams).await?;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ok((status, text(stdout), text(stderr)))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_has_its_streams_and_its_status() {
    let raised = raise(&one_node("bob"), LabOptions::new()).await.unwrap();
    let ran = talk(
        &raised,
        "bob",
        "read x; echo $x; echo oh >&2; exit 7",
        "hi\n",
    );
    assert_eq!(ran.await.unwrap(), (7, "hi\n".into(), "oh\n".into()));

    // All of a long output comes, and an input that nobody reads does no harm.
    let (status, output, _) = talk(&raised, "bob", "seq 200000", "unread").await.unwrap();
    assert_eq!((status, output.lines().count()), (0, 200_000));

    // What is left running in the background holds the streams open, not the command.
    let ran = shell(&raised, "bob", "sleep 600 & echo started");
    let ran = tokio::time::timeout(std::time::Duration::from_secs(10), ran);
    assert_eq!(ran.await.unwrap(), (0, "started\n".into(), String::new()));

    let missing = talk(&raised, "carol", "true", "").await.unwrap_err();
    assert!(matches!(missing, ExecError::NoNode { .. }), "{missing}");
    raised.lab.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_has_the_size_of_the_window() {
    let raised = raise(&one_node("bob"), LabOptions::new()).await.unwrap();
    let mut stdout = Vec::new();
    let (_open, stdin) = mpsc::channel(1);
    let (_window, mut terminal) = watch::channel(WindowSize {
        rows: 33,
        columns: 77,
    });
    terminal.mark_changed();
    let streams = Streams {
        stdin,
        stdout: &mut stdout,
        stderr: Vec::new(),
        terminal: Some(terminal),
    };
    let command = "until [ \"$(stty size)\" = '33 77' ]; do :; done; tty";
    let command = ["timeout", "10", "bash", "-c", command].map(str::to_owned);
    let status = run(&raised.engine, &raised.session, "bob", &command, streams).await;
    assert_eq!(status.unwrap(), 0);
    assert!(String::from_utf8(stdout).unwrap().contains("/dev/pts/"));
    raised.lab.remove().await.unwrap();
}
