//! What the end-to-end tests have in common.

pub mod docker;

use farcall::{Harness, IceConfiguration, RunOptions, Scenario, StoredRun};
use std::path::{Path, PathBuf};

/// The binary under test, which also runs inside the containers.
pub fn executable() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_farcall"))
}

/// Where the tests' runs are kept.
pub fn out() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("runs")
}

/// Docker and the images. Fails with what to do where there is no Docker.
pub async fn harness() -> Harness {
    Harness::prepare(executable(), &|_| {})
        .await
        .unwrap_or_else(|error| panic!("the end-to-end tests need Docker: {error}"))
}

/// A configuration of `ice/`, by name.
pub fn configuration(name: &str) -> IceConfiguration {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("ice/{name}.json"));
    IceConfiguration::load(&path).unwrap()
}

/// Runs a scenario with a configuration.
pub async fn call(scenario: &Scenario, ice: &IceConfiguration) -> StoredRun {
    let options = RunOptions {
        out: out(),
        ..RunOptions::default()
    };
    call_with(scenario, ice, &options).await
}

/// Runs a scenario with each of several configurations, in one lab.
pub async fn call_each(scenario: &Scenario, all: &[IceConfiguration]) -> Vec<StoredRun> {
    let options = RunOptions {
        out: out(),
        ..RunOptions::default()
    };
    let harness = harness().await;
    harness.run_each(scenario, all, &options).await.unwrap()
}

/// Runs a scenario with a configuration and options.
pub async fn call_with(
    scenario: &Scenario,
    ice: &IceConfiguration,
    options: &RunOptions,
) -> StoredRun {
    let harness = harness().await;
    harness.run(scenario, ice, options).await.unwrap()
}
