//! The command line as a person or a pipeline meets it: exit codes, messages, interruption, what is
//! left behind.

use crate::support::docker::{Left, left_of, wait_until};
use crate::support::executable;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rstest::rstest;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

fn farcall(arguments: &[&str]) -> Command {
    let mut command = Command::new(executable());
    command.args(arguments).stdin(Stdio::null());
    command
}

fn output(arguments: &[&str]) -> Output {
    farcall(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[rstest]
#[case::no_command(&[])]
#[case::an_unknown_command(&["rum"])]
#[case::an_unknown_option(&["run", "corporate-firewall", "--fast"])]
#[case::no_scenario(&["run"])]
#[case::a_count_of_zero(&["run", "open-internet", "--repeat", "0"])]
#[case::two_configurations(&["run", "open-internet", "--ice", "x.json", "--config", "production"])]
#[case::an_unknown_scenario(&["run", "corporate-firewal"])]
#[case::a_report_of_no_run(&["report", "ice"])]
#[case::a_comparison_with_no_run(&["compare", "ice", "ice"])]
#[case::a_report_that_cannot_be_written(&["report", "target", "--out", "no/such/directory/report.html"])]
#[case::a_report_of_a_run_without_a_format(&["run", "open-internet", "--report", "report.html"])]
#[case::a_report_of_a_run_that_cannot_be_written(&["run", "open-internet", "--report", "junit=no/such/directory/x.xml"])]
#[case::a_program_without_a_configuration(&["run", "open-internet", "--ice", "harness/report/src/html/index.js"])]
#[case::an_ice_file_that_is_not_there(&["run", "open-internet", "--ice", "no-such-file.json"])]
fn wrong_usage_exits_with_2_and_starts_nothing(#[case] arguments: &[&str]) {
    let output = farcall(arguments)
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    assert!(!output.stderr.is_empty());
}

#[test]
fn a_misspelt_scenario_is_answered_with_the_nearest_name() {
    let output = output(&["plan", "corporate-firewal"]);
    assert!(
        text(&output.stderr).contains("corporate-firewall"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn all_mistakes_of_a_scenario_file_are_reported_at_once_with_line_and_column() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("broken.toml");
    std::fs::write(
        &path,
        r#"description = "broken"
colour = "blue"

[sites.office]
lan = "10.20.0.0/24"
gateway = { nat = "home-rooter" }

[[peers]]
name = "alice"
site = "office"

[[peers]]
name = "alice"
site = "nowhere"

[expect]
connects = true
within_ms = 1
"#,
    )
    .unwrap();
    let output = output(&["run", path.to_str().unwrap()]);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    for mistake in ["colour", "home-rooter", "alice", "nowhere", "within_ms"] {
        assert!(stderr.contains(mistake), "{mistake} is missing:\n{stderr}");
    }
    assert!(stderr.contains("broken.toml:2:1"), "{stderr}");
}

#[test]
fn a_missing_docker_is_one_clear_message_and_exit_code_3() {
    let output = farcall(&["run", "open-internet"])
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .output()
        .unwrap();
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("/nonexistent/docker.sock"), "{stderr}");
    assert!(stderr.contains("hint:"), "{stderr}");
}

#[test]
fn list_and_plan_need_no_docker_and_print_no_credentials() {
    let listed = output(&["list", "--json"]);
    let rows: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let names: Vec<&str> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert!(names.contains(&"corporate-firewall"), "{names:?}");

    let plan = farcall(&["plan", "corporate-firewall"])
        .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        .output()
        .unwrap();
    let stdout = text(&plan.stdout);
    assert_eq!(plan.status.code(), Some(0));
    for part in [
        "office-gateway",
        "100.64.0.",
        "corporate/drop-udp",
        "openrelay.metered.ca",
    ] {
        assert!(stdout.contains(part), "{part} is missing:\n{stdout}");
    }
    assert!(!stdout.contains("openrelayproject"), "{stdout}");
}

/// A run that can be stopped in the middle of its call.
struct Running {
    child: Child,
    out: tempfile::TempDir,
}

impl Running {
    /// Starts a run.
    fn start() -> Self {
        let out = tempfile::tempdir().unwrap();
        let child = farcall(&["run", "corporate-firewall", "--out"])
            .arg(out.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, out }
    }

    /// Starts a run and waits until its call has begun.
    fn in_call() -> Self {
        let running = Self::start();
        wait_until("the call begins", Duration::from_secs(120), || {
            running
                .events()
                .iter()
                .any(|line| line.contains("call-started"))
        });
        running
    }

    fn directory(&self) -> Option<std::path::PathBuf> {
        let entries = std::fs::read_dir(self.out.path()).ok()?;
        entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .find(|path| path.is_dir() && !path.is_symlink())
    }

    fn events(&self) -> Vec<String> {
        let Some(directory) = self.directory() else {
            return Vec::new();
        };
        std::fs::File::open(directory.join("events.jsonl"))
            .map(|file| BufReader::new(file).lines().map_while(Result::ok).collect())
            .unwrap_or_default()
    }

    fn left(&self) -> Left {
        left_of(self.child.id())
    }

    /// Starts a run and waits until its lab has begun to stand.
    fn in_raise() -> Self {
        let running = Self::start();
        wait_until("a first container", Duration::from_secs(120), || {
            running.left().has_containers()
        });
        running
    }

    /// Sends a signal, waits for the end, and says how long that took.
    fn interrupted(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        let began = Instant::now();
        let status = self.child.wait().unwrap();
        let took = began.elapsed();
        println!("ended {took:?} after {signal}");
        // Here the machine is busy with other tests, and an end is all that is asked; how soon it comes is for
        // `farcall bench` to say.
        assert!(took < Duration::from_secs(60), "{took:?}");
        status
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
    }
}

/// Interrupts a run, which then says so, leaves nothing in Docker and writes what was seen.
fn interrupt(running: &mut Running, signal: Signal) {
    let status = running.interrupted(signal);
    assert_eq!(status.code(), Some(130));
    assert_eq!(running.left(), Left::default());
    assert!(
        running
            .events()
            .iter()
            .any(|line| line.contains("interrupted"))
    );
}

#[rstest]
#[case::ctrl_c(Signal::SIGINT)]
#[case::sigterm(Signal::SIGTERM)]
fn an_interrupted_run_removes_its_lab_and_writes_what_was_seen(#[case] signal: Signal) {
    let mut running = Running::in_call();
    assert_ne!(running.left(), Left::default());
    interrupt(&mut running, signal);
    let result = running.directory().unwrap().join("result.json");
    let result: serde_json::Value =
        serde_json::from_slice(&std::fs::read(result).unwrap()).unwrap();
    assert_eq!(result["verdict"], "invalid");
}

#[test]
fn a_run_that_is_interrupted_while_its_lab_is_raised_removes_what_there_is() {
    let mut running = Running::in_raise();
    interrupt(&mut running, Signal::SIGINT);
}

/// How `farcall up` is kept from ending well.
enum Mishap {
    CtrlC,
    ContainersDie,
}

#[rstest]
#[case::ctrl_c(Mishap::CtrlC, 130)]
#[case::a_failure(Mishap::ContainersDie, 3)]
fn a_lab_that_does_not_come_up_is_removed(#[case] mishap: Mishap, #[case] code: i32) {
    let mut child = farcall(&["up", "corporate-firewall"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id();
    wait_until("a first container", Duration::from_secs(120), || {
        left_of(pid).has_containers()
    });
    match mishap {
        Mishap::CtrlC => {
            let pid = i32::try_from(pid).unwrap();
            kill(Pid::from_raw(pid), Signal::SIGINT).unwrap();
        }
        Mishap::ContainersDie => {
            wait_until("the end", Duration::from_secs(120), || {
                left_of(pid).remove_containers();
                child.try_wait().unwrap().is_some()
            });
        }
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", text(&output.stderr));
    assert_eq!(left_of(pid), Left::default());
}

#[test]
fn what_a_killed_run_leaves_is_removed_by_the_next_command() {
    let mut running = Running::in_call();
    running.signal(Signal::SIGKILL);
    running.child.wait().unwrap();
    assert_ne!(running.left(), Left::default());
    let next = output(&[
        "run",
        "same-network",
        "--out",
        running.out.path().to_str().unwrap(),
    ]);
    assert_eq!(next.status.code(), Some(0), "{}", text(&next.stderr));
    assert_eq!(running.left(), Left::default());
}

#[test]
fn two_runs_side_by_side_do_not_know_of_each_other() {
    let out = tempfile::tempdir().unwrap();
    let start = || {
        farcall(&["run", "home-to-home", "--json", "--out"])
            .arg(out.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let both = [start(), start()];
    for child in both {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(result["verdict"], "pass");
    }
    let runs = std::fs::read_dir(out.path()).unwrap();
    let runs = runs.filter(|run| run.as_ref().is_ok_and(|run| !run.path().is_symlink()));
    assert_eq!(runs.count(), 2);
    assert!(out.path().join("latest/result.json").is_file());
}

#[test]
fn a_run_that_fails_exits_with_1_and_is_reported_in_every_format() {
    let out = tempfile::tempdir().unwrap();
    let junit = out.path().join("junit.xml");
    let report = format!("junit={}", junit.display());
    let failed = output(&[
        "run",
        "mobile-hotspot",
        "--config",
        "development",
        "--out",
        out.path().to_str().unwrap(),
        "--report",
        &report,
    ]);
    assert_eq!(failed.status.code(), Some(1), "{}", text(&failed.stderr));
    assert!(
        std::fs::read_to_string(&junit)
            .unwrap()
            .contains("<failure")
    );
    let latest = out.path().join("latest");
    assert!(Path::new(&latest).join("result.json").is_file());
    let captures = std::fs::read_dir(latest.join("captures")).unwrap();
    assert!(
        captures.count() > 0,
        "a run that does not pass keeps its captures"
    );
    for (format, beginning) in [
        ("html", "<!DOCTYPE html>"),
        ("junit", "<?xml"),
        ("github", "# FAIL mobile-hotspot"),
        ("markdown", "# FAIL mobile-hotspot"),
        ("json", "{\"schema_version\""),
        ("dump", "{\"getUserMedia\""),
        ("trace", "{\"traceEvents\""),
        ("mermaid", "sequenceDiagram"),
        ("pcapng", "\n\r\r\n"),
    ] {
        let file = out.path().join(format);
        let arguments = [
            "report",
            latest.to_str().unwrap(),
            "--format",
            format,
            "--out",
        ];
        let report = output(&[&arguments[..], &[file.to_str().unwrap()]].concat());
        assert!(
            report.status.success(),
            "{format}: {}",
            text(&report.stderr)
        );
        let written = text(&std::fs::read(&file).unwrap());
        assert!(written.starts_with(beginning), "{format}: {:.200}", written);
    }
}

#[test]
fn a_lab_that_is_up_takes_commands_in_its_nodes_and_goes_down() {
    let up = output(&["up", "same-network"]);
    assert_eq!(up.status.code(), Some(0), "{}", text(&up.stderr));
    let stdout = text(&up.stdout);
    let session = stdout
        .lines()
        .next()
        .and_then(|line| line.rsplit(' ').next())
        .unwrap()
        .to_owned();
    let session = session.as_str();

    let addresses = output(&[
        "exec",
        "--session",
        session,
        "alice",
        "--",
        "ip",
        "-brief",
        "address",
    ]);
    assert_eq!(
        addresses.status.code(),
        Some(0),
        "{}",
        text(&addresses.stderr)
    );
    assert!(
        text(&addresses.stdout).contains("192.168."),
        "{}",
        text(&addresses.stdout)
    );

    let status = output(&[
        "exec",
        "--session",
        session,
        "alice",
        "--",
        "sh",
        "-c",
        "exit 7",
    ]);
    assert_eq!(status.status.code(), Some(7));

    let unknown = output(&["exec", "--session", session, "mallory", "--", "true"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(
        text(&unknown.stderr).contains("alice"),
        "{}",
        text(&unknown.stderr)
    );

    let down = output(&["down", "--session", session]);
    assert_eq!(down.status.code(), Some(0), "{}", text(&down.stderr));
    let again = output(&["exec", "--session", session, "alice", "--", "true"]);
    assert_eq!(again.status.code(), Some(2));
}

#[test]
fn a_program_is_planned_with_the_configuration_that_is_chosen() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("service.ts");
    let service = "class Service {
  development() { return { iceServers: [{ urls: 'stun:stun.example.net' }] }; }
  production() { return { iceServers: [{ urls: 'turn:turn.example.net', username: 'u', credential: 'hunter2' }] }; }
}";
    std::fs::write(&path, service).unwrap();
    let file = path.to_str().unwrap();
    let several = output(&["plan", "open-internet", "--ice", file]);
    let stderr = text(&several.stderr);
    assert_eq!(several.status.code(), Some(2), "{stderr}");
    for place in ["service.ts:2:28", "service.ts:3:27", "#production"] {
        assert!(stderr.contains(place), "{place} is missing:\n{stderr}");
    }
    assert!(!stderr.contains("hunter2"), "{stderr}");
    let chosen = output(&[
        "plan",
        "open-internet",
        "--ice",
        &format!("{file}#production"),
    ]);
    let planned = text(&chosen.stdout);
    assert_eq!(chosen.status.code(), Some(0), "{}", text(&chosen.stderr));
    assert!(planned.contains("turn.example.net"), "{planned}");
    assert!(!planned.contains("stun.example.net"), "{planned}");
}
