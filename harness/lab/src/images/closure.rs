//! What an executable needs to run where nothing of this host is: its loader and its libraries.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lddtree::DependencyAnalyzer;

use super::ImageError;

/// Libraries that glibc loads by name while it runs, so that no executable names them: the
/// sources of host names (before glibc 2.34 they are not part of libc itself).
const LOADED_BY_NAME: [&str; 3] = ["libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2"];

/// Everything that has to come along with an executable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Closure {
    /// File name of the loader (`ld-linux-x86-64.so.2`), or `None` for a static executable.
    pub(super) loader: Option<String>,
    /// The files by the name under which the loader looks for them, the loader among them.
    pub(super) files: BTreeMap<String, PathBuf>,
}

/// Reads the headers of `executable` and of all that it names; nothing is run.
pub(super) fn closure(executable: &Path) -> Result<Closure, ImageError> {
    let unreadable = |reason: String| ImageError::Executable {
        path: executable.to_owned(),
        reason,
    };
    let tree = DependencyAnalyzer::default()
        .analyze(executable)
        .map_err(|error| unreadable(error.to_string()))?;

    let mut files = BTreeMap::new();
    let mut missing = Vec::new();
    for (name, library) in tree.libraries {
        match library.realpath {
            // The loader is named by its path, every other library by its name.
            Some(path) => files.insert(file_name(&name), path),
            None => {
                missing.push(name);
                None
            }
        };
    }
    if !missing.is_empty() {
        missing.sort();
        return Err(ImageError::MissingLibraries {
            path: executable.to_owned(),
            missing,
        });
    }
    let Some(interpreter) = tree.interpreter else {
        return Ok(Closure {
            loader: None,
            files,
        });
    };
    let loader = file_name(&interpreter);
    let loader_path = std::fs::canonicalize(&interpreter)
        .map_err(ImageError::file("find the loader", &interpreter))?;
    files.insert(loader.clone(), loader_path);
    add_loaded_by_name(&mut files);
    Ok(Closure {
        loader: Some(loader),
        files,
    })
}

fn add_loaded_by_name(files: &mut BTreeMap<String, PathBuf>) {
    let Some(directory) = files.get("libc.so.6").and_then(|path| path.parent()) else {
        return;
    };
    let found = LOADED_BY_NAME.map(|name| (name.to_owned(), directory.join(name)));
    for (name, path) in found {
        if path.is_file() {
            files.entry(name).or_insert(path);
        }
    }
}

fn file_name(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::*;

    #[test]
    fn this_test_needs_its_loader_and_the_c_library() {
        let closure = closure(&std::env::current_exe().unwrap()).unwrap();
        let loader = closure.loader.unwrap();
        assert!(loader.starts_with("ld-"), "{loader}");
        for name in [&loader, "libc.so.6"] {
            let path = closure.files.get(name).unwrap();
            assert!(path.is_file() && !path.is_symlink(), "{}", path.display());
        }
        assert!(closure.files.keys().all(|name| !name.contains('/')));
    }

    #[test]
    fn what_is_no_executable_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("script");
        std::fs::write(&path, "#!/bin/sh\n").unwrap();
        let error = closure(&path).unwrap_err();
        assert!(matches!(error, ImageError::Executable { .. }), "{error}");
        assert!(error.to_string().contains("/script"), "{error}");
    }
}
