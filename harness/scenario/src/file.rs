//! Reading files.

use crate::problem::InputError;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// More than any scenario or ICE configuration has; what is larger was named by mistake.
const LARGEST_FILE_BYTES: u64 = 1024 * 1024;

/// The text of a file.
pub(crate) fn read(path: &Path) -> Result<String, InputError> {
    read_text(path).map_err(|source| InputError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let mut file = File::open(path)?.take(LARGEST_FILE_BYTES + 1);
    file.read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST_FILE_BYTES {
        let message = format!("it has more than {LARGEST_FILE_BYTES} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(text)
}
