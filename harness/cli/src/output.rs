//! Standard output and standard error, without a panic when nobody reads them any more
//! (`farcall plan NAME | head`).

use std::fmt::Display;
use std::io::{ErrorKind, Write};

/// Writes a line of data to standard output. A reader that has gone has seen what it wanted.
///
/// # Errors
/// When standard output cannot be written for another reason, such as a full disk.
pub(crate) fn line(text: impl Display) -> std::io::Result<()> {
    unless_gone(writeln!(std::io::stdout().lock(), "{text}"))
}

/// Writes with `write` to standard output.
///
/// # Errors
/// As [`line`].
pub(crate) fn with(
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    unless_gone(write(&mut out).and_then(|()| out.flush()))
}

/// Writes a line for people to standard error. Where that cannot be written there is nobody to tell.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

fn unless_gone(written: std::io::Result<()>) -> std::io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_that_has_gone_is_no_error_and_a_full_disk_is() {
        assert!(unless_gone(Err(ErrorKind::BrokenPipe.into())).is_ok());
        assert!(unless_gone(Err(ErrorKind::StorageFull.into())).is_err());
    }
}
