//! `farcall lint` as a person or a pipeline meets it. Needs no Docker.

use crate::support::executable;
use rstest::rstest;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const GOOD: &str = r#"[{ "urls": ["turns:a.example:443", "turn:b.example?transport=tcp"],
  "username": "4102444800:alice", "credential": "MDEyMzQ1Njc4OTAxMjM0NTY3ODk=" }]"#;
const NOTE: &str = r#"[{ "urls": ["turns:a.example:443", "turn:a.example?transport=tcp"],
  "username": "4102444800:alice", "credential": "MDEyMzQ1Njc4OTAxMjM0NTY3ODk=" }]"#;
const WARNING: &str = r#"[{ "urls": "stun:a.example" }]"#;
const ERROR: &str = r#"[{ "urls": "turn://a.example", "username": "u", "credential": "hunter2" }]"#;

fn farcall(arguments: &[&str], directory: &Path) -> Output {
    Command::new(executable())
        .args(arguments)
        .current_dir(directory)
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A message without what it is broken into lines with.
fn unwrapped(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| *word != "│");
    words.collect::<Vec<_>>().join(" ")
}

/// A directory with these files in it.
fn directory(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

#[rstest]
#[case::nothing(GOOD, &[], 0)]
#[case::nothing_to_deny(GOOD, &["--deny", "notes"], 0)]
#[case::a_note(NOTE, &["--deny", "warnings"], 0)]
#[case::a_denied_note(NOTE, &["--deny", "notes"], 1)]
#[case::a_warning(WARNING, &[], 0)]
#[case::a_denied_warning(WARNING, &["--deny", "warnings"], 1)]
#[case::an_error(ERROR, &[], 1)]
fn the_exit_code_says_how_bad_it_is(
    #[case] json: &str,
    #[case] options: &[&str],
    #[case] code: i32,
) {
    let directory = directory(&[("ice.json", json.as_bytes())]);
    for format in ["human", "json", "sarif"] {
        let arguments = [&["lint", "ice.json", "--format", format], options].concat();
        let output = farcall(&arguments, directory.path());
        assert_eq!(
            output.status.code(),
            Some(code),
            "{format}: {}",
            text(&output.stdout)
        );
        assert_eq!(text(&output.stderr), "");
        assert!(!text(&output.stdout).contains("hunter2"));
    }
}

#[rstest]
#[case::missing("no-such-file.json", "no-such-file.json")]
#[case::a_directory(".", "failed to read .")]
#[case::empty("empty.json", "the file is empty")]
#[case::binary("binary.json", "UTF-8")]
#[case::huge("huge.json", "more than 1048576 bytes")]
#[case::bad_json("bad.json", "at line 2, column 3: this is not JSON")]
#[case::bad_script("bad.ts", "this is not JavaScript or TypeScript")]
#[case::no_configuration("none.ts", "iceServers")]
fn what_cannot_be_examined_exits_with_2_and_the_rest_is(#[case] file: &str, #[case] said: &str) {
    let huge = vec![b' '; 1024 * 1024 + 1];
    let directory = directory(&[
        ("ice.json", WARNING.as_bytes()),
        ("empty.json", b""),
        ("binary.json", &[0xff, 0xfe, 0x00]),
        ("huge.json", &huge),
        ("bad.json", b"[\n  }"),
        ("bad.ts", b"const = ;"),
        ("none.ts", b"export {};"),
    ]);
    let output = farcall(&["lint", file, "ice.json"], directory.path());
    let stderr = unwrapped(&text(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains(said), "{stderr}");
    assert!(
        text(&output.stdout).contains("no-turn"),
        "{}",
        text(&output.stdout)
    );

    let json = farcall(
        &["lint", file, "ice.json", "--format", "json"],
        directory.path(),
    );
    assert_eq!(json.status.code(), Some(2));
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert!(json["files"][0]["problem"].is_string(), "{json}");
    assert_eq!(json["totals"]["warnings"], 1);
}

#[test]
fn lint_of_nothing_is_wrong_usage() {
    let output = farcall(&["lint"], Path::new("."));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn configurations_that_ship_are_examined_by_name() {
    let output = farcall(&["lint", "--config", "production,with-tls"], Path::new("."));
    let stdout = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{stdout}");
    assert!(stdout.contains("[production:3:"), "{stdout}");
    assert!(stdout.contains("\nwith-tls: "), "{stdout}");
}

/// They come before Docker is asked for anything.
#[rstest]
#[case::of_the_default(&["run", "open-internet"], "production")]
#[case::of_a_file(&["run", "open-internet", "home-to-home", "--ice", "ice.json"], "ice.json")]
#[case::before_a_matrix(&["matrix", "--ice", "ice.json"], "ice.json")]
fn a_run_prints_findings_first_and_once(#[case] arguments: &[&str], #[case] name: &str) {
    let directory = directory(&[("ice.json", WARNING.as_bytes())]);
    let output = farcall(arguments, directory.path());
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.starts_with(&format!("{name}:")), "{stderr}");
    assert_eq!(stderr.matches("farcall lint ").count(), 1, "{stderr}");
    assert!(
        stderr.find("farcall lint ") < stderr.find("docker.sock"),
        "{stderr}"
    );

    let json = farcall(&[arguments, &["--json"]].concat(), directory.path());
    assert!(text(&json.stderr).starts_with(&format!("{name}:")));
    let stdout = text(&json.stdout);
    assert!(!stdout.contains("farcall lint"), "{stdout}");
}
