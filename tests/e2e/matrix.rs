//! All against all, and many runs, as the command line does it.

use crate::support::{executable, out};
use serde_json::Value;
use std::process::{Command, Output, Stdio};

fn farcall(arguments: &[&str]) -> Output {
    let mut command = Command::new(executable());
    command.args(arguments).arg("--out").arg(out());
    command.stdin(Stdio::null()).output().unwrap()
}

fn json(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn strings<'a>(values: &'a Value, key: &str) -> Vec<&'a str> {
    let values = values.as_array().unwrap().iter();
    values.map(|value| value[key].as_str().unwrap()).collect()
}

#[test]
fn a_cell_that_cannot_connect_fails_for_its_own_reason_and_no_other_does() {
    let output = farcall(&[
        "matrix",
        "--networks",
        "home,corporate-tls-only",
        "--config",
        "production",
        "--within-ms",
        "9000",
        "--json",
    ]);
    let matrix = json(&output).remove(0);
    for cell in matrix["cells"].as_array().unwrap() {
        let pair = [&cell["offerer"], &cell["answerer"]];
        let is_home = pair.iter().all(|network| **network == "home");
        let expected = if is_home { "pass" } else { "fail" };
        assert_eq!(cell["verdict"], expected, "{cell:#}");
        let failed = strings(&cell["wrong"], "name");
        assert_eq!(failed.contains(&"connection"), !is_home, "{failed:?}");
    }
    assert_eq!(output.status.code(), Some(1), "{}", errors(&output));
}

#[test]
#[ignore = "one of the long ones: just test-long"]
fn networks_are_called_by_their_names_with_what_their_peers_do_there() {
    let networks = [
        "home",
        "corporate-proxy",
        "captive-portal-logged-in",
        "link-lte",
    ];
    let names = networks.join(",");
    let output = farcall(&["matrix", "--networks", &names, "--json"]);
    let matrix = json(&output).remove(0);
    assert_eq!(matrix["networks"], serde_json::json!(networks));
    let cells = matrix["cells"].as_array().unwrap();
    assert_eq!(cells.len(), networks.len() * networks.len());
    for cell in cells {
        assert_eq!(cell["verdict"], "pass", "{cell:#}");
        for (network, pair) in [("offerer", "offerer_pair"), ("answerer", "answerer_pair")] {
            // Nothing but a relay behind the proxy, which carries TCP.
            if cell[network] == "corporate-proxy" {
                let local = &cell[pair]["local"];
                assert_eq!(local["type"], "relay", "{cell:#}");
                assert_ne!(local["relay_protocol"], "udp", "{cell:#}");
            }
        }
    }
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
}

#[test]
#[ignore = "one of the long ones: just test-long"]
fn where_nothing_can_connect_nothing_may() {
    let output = farcall(&["matrix", "--networks", "home,captive-portal", "--json"]);
    let matrix = json(&output).remove(0);
    for cell in matrix["cells"].as_array().unwrap() {
        assert_eq!(cell["verdict"], "pass", "{cell:#}");
        let pair = [&cell["offerer"], &cell["answerer"]];
        let is_home = pair.iter().all(|network| **network == "home");
        assert_eq!(cell["path"].is_object(), is_home, "{cell:#}");
    }
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
}

#[test]
fn runs_are_selected_by_tag_and_text_repeated_and_summed_up() {
    let output = farcall(&[
        "run", "--tag", "direct", "--filter", "same", "--repeat", "2", "--jobs", "2", "--json",
    ]);
    let runs = json(&output);
    let scenarios: Vec<_> = runs.iter().map(|run| run["scenario"].as_str()).collect();
    assert_eq!(scenarios, [Some("same-network"); 2]);
    assert!(runs.iter().all(|run| run["verdict"] == "pass"), "{runs:#?}");
    let said = errors(&output);
    assert!(said.contains("2 runs: 2 PASS"), "{said}");
    assert_eq!(output.status.code(), Some(0), "{said}");
}

#[test]
fn a_network_is_attested_without_a_call() {
    let mut command = Command::new(executable());
    command.args(["attest", "link-dsl"]).stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}{}", errors(&output));
    for line in ["NAT mapping", "round trip", "rate up", "MTU down"] {
        assert!(said.contains(line), "{line}:\n{said}");
    }
}
