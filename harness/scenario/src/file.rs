//! Reading files.

use crate::problem::InputError;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// More than any scenario or ICE configuration has; what is larger was named by mistake.
const LARGEST_FILE_BYTES: u64 = 1024 * 1024;

/// More than the longest trace that mahimahi ships (3 MB).
pub(crate) const LARGEST_TRACE_BYTES: u64 = 8 * 1024 * 1024;

/// The text of a file that a person wrote: UTF-8, and at most 1 MiB.
///
/// # Errors
/// When the file cannot be read, is larger, or is no text.
pub fn read(path: &Path) -> Result<String, InputError> {
    read_up_to(path, LARGEST_FILE_BYTES)
}

/// The text of a file that may have so many bytes.
pub(crate) fn read_up_to(path: &Path, largest_bytes: u64) -> Result<String, InputError> {
    read_text(path, largest_bytes).map_err(|source| InputError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

fn read_text(path: &Path, largest_bytes: u64) -> io::Result<String> {
    let mut text = String::new();
    let mut file = File::open(path)?.take(largest_bytes + 1);
    file.read_to_string(&mut text)?;
    if text.len() as u64 > largest_bytes {
        let message = format!("it has more than {largest_bytes} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}
