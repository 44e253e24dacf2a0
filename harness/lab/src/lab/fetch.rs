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

/// The content of the file that a tar archive begins with; that of a directory begins with the
/// directory.
fn only_file(archive: &[u8]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Archive::new(archive);
    let first = archive.entries()?.next();
    let mut file = first.ok_or(io::ErrorKind::UnexpectedEof)??;
    if !file.header().entry_type().is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    // The crate takes an archive that ends too early for a shorter file.
    if content.len() as u64 == file.size() {
        Ok(content)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
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
    fn the_file_comes_whole() {
        let packed = archive(&[("wan.pcap", tar::EntryType::Regular, &[7; 2000])]);
        assert_eq!(only_file(&packed).unwrap(), [7; 2000]);
    }

    #[test]
    fn a_directory_or_half_an_archive_is_an_error() {
        let packed = archive(&[
            ("capture", tar::EntryType::Directory, b""),
            ("capture/wan.pcap", tar::EntryType::Regular, b"x"),
        ]);
        let error = only_file(&packed).unwrap_err();
        assert_eq!(error.to_string(), "it is not a file");
        let packed = archive(&[("a", tar::EntryType::Regular, &[7; 2000])]);
        assert!(only_file(&packed[..1024]).is_err());
        assert!(only_file(&[]).is_err());
    }
}
