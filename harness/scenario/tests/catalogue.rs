//! The scenarios that come with farcall, and finding scenarios.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use farcall_scenario::{InputError, Scenario};
use std::fs;
use support::render;

#[test]
fn the_catalogue_is_complete() {
    let names = [
        "broken-ipv6",
        "captive-portal",
        "captive-portal-logged-in",
        "corporate-firewall",
        "corporate-firewall-reject",
        "corporate-proxy",
        "corporate-proxy-unused",
        "corporate-tls-intercept",
        "corporate-tls-names",
        "corporate-tls-only",
        "double-nat",
        "dual-stack",
        "full-cone",
        "home-to-home",
        "ipv6-only",
        "link-3g",
        "link-4g",
        "link-cable",
        "link-dsl",
        "link-edge",
        "link-fibre",
        "link-lte",
        "link-satellite-geo",
        "link-satellite-leo",
        "link-transatlantic",
        "link-very-bad",
        "link-wifi",
        "link-wifi-bad",
        "media-consent-lost",
        "media-dtls-blocked",
        "media-large-packets-dropped",
        "media-muted",
        "media-one-way",
        "media-rtp-blocked",
        "mobile-hotspot",
        "mobile-hotspot-both-sides",
        "open-internet",
        "recovery-12-s-outage",
        "recovery-address-change",
        "recovery-attempt-1",
        "recovery-attempt-2",
        "recovery-attempt-3",
        "recovery-certificate-replaced",
        "recovery-credentials-changed",
        "recovery-credentials-expired",
        "recovery-escalates",
        "recovery-failed",
        "recovery-gateway-restart",
        "recovery-handover",
        "recovery-ice-restart",
        "recovery-link-down-at-start",
        "recovery-link-worse",
        "recovery-name-missing",
        "recovery-name-slow",
        "recovery-nat-forgets",
        "recovery-never",
        "recovery-peer-frozen",
        "recovery-quota-exhausted",
        "recovery-relay-blocked",
        "recovery-relay-ports-blocked",
        "recovery-short-outage",
        "recovery-signalling-down",
        "recovery-turn-server-black-holed",
        "recovery-turn-server-down",
        "recovery-turn-server-frozen",
        "recovery-turn-server-restarted",
        "recovery-twice",
        "same-network",
        "server-certificate-expired",
        "server-certificate-incomplete-chain",
        "server-certificate-self-signed",
        "server-certificate-wrong-name",
        "server-credentials-expired",
        "server-credentials-in-milliseconds",
        "server-name-missing",
        "server-name-slow",
        "server-name-wrong",
        "server-no-capacity",
        "server-no-tcp",
        "server-no-tls",
        "server-no-udp",
        "server-peers-denied",
        "server-quota",
        "server-relay-ports-blocked",
        "server-stale-nonce",
        "server-wrong-credentials",
        "server-wrong-external-address",
        "signalling-blocked",
        "turn-port-only",
        "udp-443-only",
        "udp-blocked",
        "udp-throttled",
        "vpn-small-mtu",
    ];
    assert_eq!(Scenario::builtin_names(), names);
}

#[test]
fn every_scenario_of_the_catalogue_can_be_read() {
    for name in Scenario::builtin_names() {
        let scenario = Scenario::find(name, None).unwrap();
        assert_eq!(scenario.name, name);
        scenario.validate().unwrap();
        assert_eq!(Scenario::builtin(name), Some(scenario));
    }
}

#[test]
fn it_is_known_where_a_scenario_says_what_it_expects() {
    let repository = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    for name in Scenario::builtin_names() {
        let written = Scenario::builtin(name).unwrap().written.unwrap();
        let text = fs::read_to_string(format!("{repository}/{}", written.file)).unwrap();
        let line = text.lines().nth(written.line - 1).unwrap();
        assert!(line.starts_with("[expect"), "{name}: {written:?}: {line}");
    }
}

#[test]
fn serde_and_the_reader_agree() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios");
    for name in Scenario::builtin_names() {
        let text = fs::read_to_string(format!("{directory}/{name}.toml")).unwrap();
        let mut by_serde: Scenario = toml::from_str(&text).unwrap();
        by_serde.name = name.to_owned();
        let read = Scenario::builtin(name).unwrap();
        // A file's text does not say where it is.
        by_serde.written.clone_from(&read.written);
        assert_eq!(by_serde, read);
    }
}

#[test]
fn every_key_that_serde_knows_is_read() {
    let full = r#"
description = "Everything that can be written"
tags = ["one", "two"]
[sites.office]
lan = "10.20.0.0/24"
[sites.office.gateway]
nat = "home-router"
nat_override = { mapping = "address-and-port-dependent", filtering = "address-and-port-dependent", port_preservation = true, hairpinning = false, udp_timeout_s = 7, tcp_timeout_s = 9 }
firewall = "tls-only"
[sites.office.gateway.firewall_override]
blocking = "reject"
server_names = ["turn.example.net"]
rules = [{ name = "own/drop", direction = "in", protocol = "udp", port = 9, address = "203.0.113.0/24", action = "drop" }]
[sites.office.carrier]
network = "100.64.0.0/24"
nat = "mobile-carrier"
nat_override = { udp_timeout_s = 8 }
[sites.office.link_override.up]
delay_ms = 20.5
jitter_ms = 2
jitter_distribution = "normal"
loss = { kind = "random", percent = 0.5 }
duplicate_percent = 1.5
reorder_percent = 2.5
rate_kbit = 1000
queue_ms = 100
mtu = 1400
fragmentation_needed = false
[sites.office.link_override.down]
loss = { kind = "bursts", good_to_bad_percent = 1.0, bad_to_good_percent = 25.0, good_loss_percent = 0.0, bad_loss_percent = 80.0 }
[sites.home]
lan = "192.168.1.0/24"
gateway = { nat = "home-router" }
[[peers]]
name = "alice"
site = "office"
muted = true
[[peers]]
name = "bob"
site = "office"
[call]
policy = "relay"
media_ms = 501
gathering_timeout_ms = 502
signalling = "harness"
[servers]
account = { username = "u", credential = "c" }
conditions = ["quota"]
[recovery]
max_attempts = 2
retry_delay_ms = 503
backoff = 1.5
max_retry_delay_ms = 504
jitter = 0.25
disconnected_grace_ms = 505
connect_timeout_ms = 1506
strategies = ["reset", "reset-relayed"]
fresh_credentials = true
[[faults]]
kind = "drop-rtp"
target = "office"
direction = "out"
from = { event = "connected", ms = 7 }
until = { event = "attempt-2", ms = 8 }
[[faults]]
kind = "drop"
target = "office"
protocol = "udp"
port = 9
address = "203.0.113.0/24"
from = { event = "previous-begun" }
[[faults]]
kind = "link-change"
target = "office"
link = "edge"
link_override = { up = { delay_ms = 7 } }
from = { event = "previous-mended" }
[[faults]]
kind = "handover"
target = "alice"
to = "home"
from = { event = "attempt-1" }
[expect]
connects = true
within_ms = 1001
relayed = true
media = "degraded"
[expect.recovery]
recovers = true
attempts = 1
within_ms = 1007
[expect.flows.alice]
audio = "silent"
video = "dropped"
data = "partly"
[expect.selected_pair.alice]
local = ["host", "srflx", "prflx", "relay"]
remote = ["relay"]
relay_protocol = ["udp", "tcp", "tls"]
"#;
    let read = Scenario::parse("full", full).unwrap();
    let mut by_serde: Scenario = toml::from_str(full).unwrap();
    by_serde.name = "full".to_owned();
    by_serde.written.clone_from(&read.written);
    assert_eq!(read, by_serde);
    // Servers take credentials of one kind.
    let account = "account = { username = \"u\", credential = \"c\" }";
    assert!(full.contains(account));
    let full = full.replace(account, "rest = { valid_s = 9, unit = \"milliseconds\" }");
    let mut by_serde: Scenario = toml::from_str(&full).unwrap();
    by_serde.name = "full".to_owned();
    let read_anew = Scenario::parse("full", &full).unwrap();
    by_serde.written.clone_from(&read_anew.written);
    assert_eq!(read_anew, by_serde);
    // No key of the types is missing above: with every `Option` set, nothing is left at `null`.
    let written = serde_json::to_string(&read).unwrap();
    let nulls: Vec<_> = written.match_indices("null").collect();
    assert_eq!(
        nulls.len(),
        // The time-limited credentials, the carrier's NAT but for its timeout, the rate of a firewall that polices
        // none, a trace, the downward link but for its loss; of each fault what others have; and of the link that
        // changes all but one delay; and what the second site does not override.
        1 + 5 + 1 + 1 + 10 + (6 + 5 + 6 + 7) + 21 + 4,
        "{written}"
    );
}

#[test]
fn an_unknown_name_gets_the_nearest() {
    let error = Scenario::find("corporate-firewal", None).unwrap_err();
    insta::assert_snapshot!(render(&error));
}

#[test]
fn a_directory_of_ones_own_comes_first() {
    let directory = tempfile::tempdir().unwrap();
    let own = fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../scenarios/same-network.toml"
    ));
    let own = own.unwrap().replacen("Both peers", "My own peers", 1);
    fs::write(directory.path().join("same-network.toml"), &own).unwrap();
    fs::write(directory.path().join("mine.toml"), &own).unwrap();
    fs::write(directory.path().join("notes.txt"), "no scenario").unwrap();

    let find = |name: &str| Scenario::find(name, Some(directory.path())).unwrap();
    assert!(find("same-network").description.starts_with("My own"));
    assert_eq!(find("mine").name, "mine");
    assert_eq!(
        find("home-to-home"),
        Scenario::builtin("home-to-home").unwrap()
    );
    let path = directory.path().join("mine.toml");
    assert_eq!(find(path.to_str().unwrap()), find("mine"));

    let all = Scenario::all(Some(directory.path())).unwrap();
    let names: Vec<_> = all.iter().map(|scenario| scenario.name.as_str()).collect();
    assert_eq!(names.len(), Scenario::builtin_names().len() + 1);
    assert!(names.is_sorted() && names.contains(&"mine"), "{names:?}");
}

#[test]
fn all_wrong_files_of_a_directory_are_reported() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a.toml"), "x = 1\n").unwrap();
    fs::write(directory.path().join("b.toml"), "y = \n").unwrap();
    let Err(InputError::Several(errors)) = Scenario::all(Some(directory.path())) else {
        panic!("two files are wrong");
    };
    assert_eq!(errors.len(), 2);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Scenario::find("no/such.toml", None).unwrap_err();
    assert!(
        error.to_string().starts_with("failed to read no/such.toml"),
        "{error}"
    );
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("large.toml");
    fs::write(&path, "#".repeat(1024 * 1024 + 1)).unwrap();
    let error = Scenario::load(&path).unwrap_err();
    assert!(
        error.to_string().contains("more than 1048576 bytes"),
        "{error}"
    );
}
