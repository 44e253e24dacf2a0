//! Files out of a node's container.

use super::handle::Lab;
use crate::identity::container_name;
use crate::node::NodeError;
use bollard::query_parameters::DownloadFromContainerOptionsBuilder;
use futures::TryStreamExt;
use std::io::{self, Read};

/// The largest file that is fetched.
const LARGEST_BYTES: usize = 256 << 20;

impl Lab {
    /// Fetches a file from a node's container.
    ///
    /// # Errors
    /// When there is no such node or file, or it is larger than 256 MiB.
    pub async fn fetch_file(&self, node: &str, path: &str) -> Result<Vec<u8>, NodeError> {
        let node = self.node(node)?.name();
        let failed = |reason: String| NodeError::File {
            node: node.to_owned(),
            path: path.to_owned(),
            reason,
        };
        let options = DownloadFromContainerOptionsBuilder::default()
            .path(path)
            .build();
        let container = container_name(self.session(), node);
        let mut chunks = Box::pin(
            self.docker
                .download_from_container(&container, Some(options)),
        );
        let mut archive = Vec::new();
        while let Some(chunk) = chunks
            .try_next()
            .await
            .map_err(|error| failed(error.to_string()))?
        {
            if archive.len() + chunk.len() > LARGEST_BYTES {
                return Err(failed(format!(
                    "it is larger than {} MiB",
                    LARGEST_BYTES >> 20
                )));
            }
            archive.extend_from_slice(&chunk);
        }
        only_file(&archive).map_err(|error| failed(error.to_string()))
    }
}

/// The content of the one file in a tar archive.
fn only_file(archive: &[u8]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if entry.header().entry_type().is_file() {
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            return Ok(content);
        }
    }
    Err(io::Error::new(
        io::ErrorKind::NotFound,
        "it is not a file",
    ))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn archive(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, kind, content) in entries {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, path, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn the_file_is_found_behind_what_else_docker_packs() {
        let packed = archive(&[
            ("capture", tar::EntryType::Directory, b""),
            ("capture/wan.pcap", tar::EntryType::Regular, b"\xd4\xc3"),
        ]);
        assert_eq!(only_file(&packed).unwrap(), b"\xd4\xc3");
    }

    #[test]
    fn a_directory_or_half_an_archive_is_an_error() {
        let packed = archive(&[("capture", tar::EntryType::Directory, b"")]);
        assert_eq!(
            only_file(&packed).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
        let packed = archive(&[("a", tar::EntryType::Regular, &[7; 2000])]);
        assert!(only_file(&packed[..1024]).is_err());
    }
}
