//! Recorded rates, which scenario files name.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use farcall_scenario::{InputError, Rate, Scenario};
use std::fs;
use std::path::PathBuf;

/// A directory of its own with a scenario whose link has a trace.
fn directory(name: &str, trace: Option<&str>) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&directory).unwrap();
    let text = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../scenarios/home-to-home.toml"
    ));
    let link = "[sites.alice-home.link_override.down]\ntrace = \"drive.trace\"\n";
    let scenario = text.unwrap() + link;
    fs::write(directory.join("drive.toml"), scenario).unwrap();
    if let Some(trace) = trace {
        fs::write(directory.join("drive.trace"), trace).unwrap();
    }
    directory
}

#[test]
fn a_trace_is_read_beside_the_scenario_that_names_it() {
    let directory = directory("a-trace", Some("3\n9\n"));
    let scenario = Scenario::load(&directory.join("drive.toml")).unwrap();
    let site = &scenario.sites["alice-home"];
    let link = site.link.overridden(site.link_override.as_ref());
    let rate = link.unwrap().unwrap().down.rate;
    let delivery_ms = vec![3, 9];
    assert_eq!(rate, Rate::Trace { delivery_ms });
}

#[test]
fn what_is_wrong_with_a_trace_is_told_with_its_path() {
    let missing = directory("no-trace", None);
    let missing = Scenario::load(&missing.join("drive.toml")).unwrap_err();
    assert!(
        matches!(&missing, InputError::Unreadable { path, .. } if path.ends_with("drive.trace"))
    );
    let wrong = directory("wrong-trace", Some("9\n3\n"));
    let wrong = Scenario::load(&wrong.join("drive.toml")).unwrap_err();
    assert!(
        matches!(&wrong, InputError::Trace { path, .. } if path.ends_with("drive.trace")),
        "{wrong}"
    );
}
