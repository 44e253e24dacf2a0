//! The ten networks of libwebrtc call each other: a hundred calls in one lab of 46 containers. It is a target of its own
//! so that nothing else runs beside it. It needs a Docker Engine and fails where there is none.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use serde_json::Value;
use std::process::{Command, Stdio};

#[test]
fn all_cells_connect_as_expected() {
    let mut farcall = Command::new(env!("CARGO_BIN_EXE_farcall"));
    farcall.args(["matrix", "--libwebrtc", "--json", "--out"]);
    farcall.arg(concat!(env!("CARGO_TARGET_TMPDIR"), "/runs"));
    let output = farcall.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let matrix: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}; {said}"));
    let cells = matrix["cells"].as_array().unwrap();
    assert_eq!(cells.len(), 100);
    let wrong: Vec<_> = cells
        .iter()
        .filter(|cell| cell["verdict"] != "pass")
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}\n{said}");
    let from_libwebrtc = cells.iter().filter(|cell| cell["source"] == "libwebrtc");
    assert_eq!(from_libwebrtc.count(), 56);
    assert_eq!(output.status.code(), Some(0), "{said}");
}
