//! What can be seen without a container: platform, disk, and the ways to the base image.

use std::path::Path;
use std::time::Duration;

use nix::sys::statvfs::statvfs;

use super::Finding;
use crate::engine::{Engine, EngineInfo};
use crate::images::{PUBLIC_BASE, PUBLIC_BASE_TAG};

/// Both images while they are built, with the build's own copies.
const NEEDED_BYTES: u64 = 1 << 30;

/// Room for the captures and logs of some runs too.
const COMFORTABLE_BYTES: u64 = 3 << 30;

/// How long a registry may take to say whether it has an image.
const REGISTRY_DEADLINE: Duration = Duration::from_secs(10);

/// The programs that `import-base.sh` runs.
const RECIPE_TOOLS: [&str; 4] = ["sh", "apt-get", "dpkg-deb", "tar"];

/// Whether containers can run an executable of this host.
pub(super) fn platform(info: &EngineInfo) -> Finding {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let host = (std::env::consts::OS, arch);
    let engine = (info.os.as_str(), info.arch.as_str());
    let found = format!("containers run {} on {}", engine.0, engine.1);
    if host == engine {
        return Finding::ok("platform", found);
    }
    Finding::problem(
        "platform",
        format!("{found}, this executable is for {} on {}", host.0, host.1),
        format!("build and run farcall on {} {}", engine.0, engine.1),
    )
}

/// Free space where Docker keeps its images.
pub(super) async fn disk(engine: &Engine) -> Finding {
    let root = match engine.docker.info().await {
        Ok(info) => info.docker_root_dir.unwrap_or_default(),
        Err(error) => return Finding::failure("disk", &error, "see `docker info`"),
    };
    match statvfs(Path::new(&root)) {
        Ok(stat) => free_space(&root, stat.blocks_available() * stat.fragment_size()),
        Err(_) => Finding::ok(
            "disk",
            format!("Docker's directory {root} cannot be seen from here"),
        ),
    }
}

fn free_space(root: &str, free_bytes: u64) -> Finding {
    let mib = |bytes: u64| bytes >> 20;
    let found = format!("{} MiB free in {root}", mib(free_bytes));
    let advice = "see `docker system df`, and free some with `docker system prune`";
    if free_bytes < NEEDED_BYTES {
        let needed = format!("{found}, {} MiB needed", mib(NEEDED_BYTES));
        Finding::problem("disk", needed, advice)
    } else if free_bytes < COMFORTABLE_BYTES {
        Finding::warning("disk", found, advice)
    } else {
        Finding::ok("disk", found)
    }
}

/// Whether the base image could be made, now or when its recipe changes.
pub(super) async fn recipe(engine: &Engine, have_base: bool) -> Finding {
    let public = format!("{PUBLIC_BASE}:{PUBLIC_BASE_TAG}");
    if engine.docker.inspect_image(&public).await.is_ok() {
        return Finding::ok("image source", format!("{public} is here"));
    }
    let asked = engine.docker.inspect_registry_image(&public, None);
    let reason = match tokio::time::timeout(REGISTRY_DEADLINE, asked).await {
        Ok(Ok(_)) => return Finding::ok("image source", format!("the registry has {public}")),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", REGISTRY_DEADLINE.as_secs()),
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let missing = missing_tools(&path);
    if missing.is_empty() {
        let found = "no registry, but apt-get and dpkg-deb of this host will do";
        return Finding::ok("image source", found);
    }
    let found = format!(
        "no registry ({reason}), and this host lacks {}",
        missing.join(", ")
    );
    let advice = format!("let Docker reach a registry that has {public}, or `docker load` it");
    if have_base {
        Finding::warning("image source", found, advice)
    } else {
        Finding::problem("image source", found, advice)
    }
}

fn missing_tools(path: &std::ffi::OsStr) -> Vec<&'static str> {
    let here = |tool: &&str| std::env::split_paths(path).any(|dir| dir.join(tool).is_file());
    RECIPE_TOOLS
        .into_iter()
        .filter(|tool| !here(tool))
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

    use super::super::Status;
    use super::*;
    use crate::engine::OLDEST_API;

    #[test]
    fn little_space_is_a_warning_and_too_little_a_problem() {
        let status = |bytes| free_space("/var/lib/docker", bytes).status;
        assert_eq!(status(NEEDED_BYTES - 1), Status::Problem);
        assert_eq!(status(NEEDED_BYTES), Status::Warning);
        assert_eq!(status(COMFORTABLE_BYTES), Status::Ok);
        let found = free_space("/d", 512 << 20).found;
        assert_eq!(found, "512 MiB free in /d, 1024 MiB needed");
    }

    #[test]
    fn an_engine_of_another_architecture_is_a_problem() {
        let info = EngineInfo {
            version: "20.10".to_owned(),
            api: OLDEST_API,
            kernel: String::new(),
            os: "linux".to_owned(),
            arch: "riscv64".to_owned(),
            cgroup_parent: None,
        };
        assert_eq!(platform(&info).status, Status::Problem);
    }

    #[test]
    fn the_tools_that_are_not_in_the_path_are_named() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("tar"), "").unwrap();
        let missing = missing_tools(dir.path().as_os_str());
        assert_eq!(missing, ["sh", "apt-get", "dpkg-deb"]);
    }
}
