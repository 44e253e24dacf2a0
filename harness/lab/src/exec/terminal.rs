//! The terminal that this process has, lent to a command in a node.

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use std::io;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// The size of a terminal's window, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowSize {
    /// Its height.
    pub rows: u16,
    /// Its width.
    pub columns: u16,
}

/// Standard input in raw mode: every key goes to the command, Ctrl-C too. Dropping it restores the
/// terminal.
pub(super) struct RawMode {
    before: Termios,
}

impl RawMode {
    pub(super) fn enter() -> io::Result<Self> {
        let before = tcgetattr(rustix::stdio::stdin())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &raw)?;
        Ok(Self { before })
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // There is nobody to tell when the terminal is gone.
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &self.before);
    }
}

/// The window's size, now and after each change.
pub(super) fn window() -> io::Result<watch::Receiver<WindowSize>> {
    let mut changes = signal(SignalKind::window_change())?;
    let (sender, mut receiver) = watch::channel(size()?);
    // Docker begins with a size of its own.
    receiver.mark_changed();
    tokio::spawn(async move {
        while changes.recv().await.is_some() {
            let Ok(size) = size() else { return };
            if sender.send(size).is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}

fn size() -> io::Result<WindowSize> {
    let size = tcgetwinsize(rustix::stdio::stdin())?;
    Ok(WindowSize {
        rows: size.ws_row,
        columns: size.ws_col,
    })
}
