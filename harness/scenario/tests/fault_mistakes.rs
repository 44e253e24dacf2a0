//! What a person reads after a mistake in what breaks and what must come of it.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use farcall_scenario::Scenario;
use rstest::rstest;
use support::render;

/// A scenario in which something breaks; `FAULT` and `RECOVERY` are each case's own.
const SCENARIO: &str = r#"description = "Something breaks"

[sites.office]
lan = "10.20.0.0/24"
gateway = { nat = "home-router", firewall = "corporate" }

[sites.phone]
lan = "192.168.43.0/24"
gateway = { nat = "home-router" }
link = "lte"

[sites.public]
lan = "192.0.2.0/24"
gateway = { nat = "none" }

[sites.modern]
lan = "192.168.9.0/24"
gateway = { nat = "home-router" }
ipv6 = "dual-stack"

[[peers]]
name = "alice"
site = "office"

[[peers]]
name = "bob"
site = "phone"

[call]
signalling = "SIGNALLING"

[recovery]
RECOVERY

[[faults]]
FAULT

[expect]
connects = true
within_ms = 15000

[expect.recovery]
recovers = true
attempts = 1
within_ms = 30000
"#;

const FROM: &str = "from = { event = \"connected\" }";

fn parse(fault: &str, recovery: &str, signalling: &str) -> Result<Scenario, String> {
    let text = SCENARIO
        .replace("FAULT", fault)
        .replace("RECOVERY", recovery)
        .replace("SIGNALLING", signalling);
    Scenario::parse("broken.toml", &text).map_err(|error| render(&error))
}

#[rstest]
#[case::link_down("kind = \"link-down\"\ntarget = \"office\"\ndirection = \"in\"")]
#[case::rule("kind = \"drop\"\ntarget = \"office\"\nprotocol = \"tcp\"\nport = 443")]
#[case::rule_by_address("kind = \"drop\"\ntarget = \"office\"\naddress = \"203.0.113.0/24\"")]
#[case::link("kind = \"link-change\"\ntarget = \"phone\"\nlink = \"edge\"")]
#[case::address("kind = \"address-change\"\ntarget = \"office\"")]
#[case::handover("kind = \"handover\"\ntarget = \"alice\"\nto = \"phone\"")]
#[case::frozen("kind = \"peer-frozen\"\ntarget = \"bob\"")]
#[case::signalling("kind = \"signalling-down\"\ntarget = \"signalling\"")]
#[case::restart("kind = \"gateway-restart\"\ntarget = \"office\"")]
#[case::slow_names("kind = \"name-slow\"\ntarget = \"office\"")]
fn faults_that_can_be(#[case] fault: &str) {
    let fault = format!("{fault}\n{FROM}");
    if let Err(error) = parse(&fault, "", "websocket") {
        panic!("{error}");
    }
}

#[rstest]
#[case("kind = \"link-down\"\ntarget = \"ofice\"", "there is no site ofice")]
#[case(
    "kind = \"peer-frozen\"\ntarget = \"office\"",
    "there is no peer office"
)]
#[case(
    "kind = \"signalling-down\"\ntarget = \"turn\"",
    "there is no signalling server turn"
)]
#[case("kind = \"outage\"\ntarget = \"office\"", "kind of fault")]
#[case("kind = \"drop\"\ntarget = \"office\"", "does not say what is dropped")]
#[case(
    "kind = \"drop\"\ntarget = \"office\"\nport = 443",
    "a port is a protocol's"
)]
#[case(
    "kind = \"drop\"\ntarget = \"office\"\nprotocol = \"udp\"\nport = 0",
    "0"
)]
#[case(
    "kind = \"link-down\"\ntarget = \"office\"\nprotocol = \"udp\"",
    "link-down has no `protocol`"
)]
#[case(
    "kind = \"link-down\"\ntarget = \"office\"\nto = \"phone\"",
    "link-down has no `to`"
)]
#[case(
    "kind = \"link-change\"\ntarget = \"phone\"",
    "does not say what the link becomes"
)]
#[case(
    "kind = \"link-change\"\ntarget = \"office\"\nlink = \"edge\"",
    "office has no link"
)]
#[case(
    "kind = \"address-change\"\ntarget = \"public\"",
    "nothing translates the addresses of public"
)]
#[case(
    "kind = \"handover\"\ntarget = \"alice\"",
    "into which site the peer moves"
)]
#[case(
    "kind = \"handover\"\ntarget = \"alice\"\nto = \"office\"",
    "alice cannot move into office"
)]
#[case(
    "kind = \"handover\"\ntarget = \"alice\"\nto = \"moon\"",
    "alice cannot move into moon"
)]
#[case(
    "kind = \"handover\"\ntarget = \"alice\"\nto = \"modern\"",
    "modern has IPv6"
)]
#[case(
    "kind = \"peer-frozen\"\ntarget = \"bob\"\ndirection = \"in\"",
    "peer-frozen has no direction"
)]
#[case(
    "kind = \"forget-mappings\"\ntarget = \"office\"\nuntil = { event = \"begun\" }",
    "over as soon as it has begun"
)]
fn faults_that_cannot_be(#[case] fault: &str, #[case] expected: &str) {
    let fault = format!("{fault}\n{FROM}");
    let error = parse(&fault, "", "websocket").unwrap_err();
    assert!(error.contains(expected), "{error}");
}

#[rstest]
#[case("begun", "cannot begin after it has begun")]
#[case("previous-mended", "no fault before the first")]
#[case("yesterday", "event")]
fn moments_that_cannot_be(#[case] event: &str, #[case] expected: &str) {
    let fault =
        format!("kind = \"link-down\"\ntarget = \"office\"\nfrom = {{ event = \"{event}\" }}");
    let error = parse(&fault, "", "harness").unwrap_err();
    assert!(error.contains(expected), "{error}");
}

#[rstest]
#[case::standing("from = { event = \"call\" }")]
#[case::standing_for_a_while("from = { event = \"call\" }\nuntil = { event = \"attempt-1\" }")]
#[case::before_it_connects(
    "from = { event = \"call\", ms = 100 }\nuntil = { event = \"begun\", ms = 500 }"
)]
fn moments_that_can_be(#[case] moments: &str) {
    let fault = format!("kind = \"link-down\"\ntarget = \"office\"\n{moments}");
    if let Err(error) = parse(&fault, "", "harness") {
        panic!("{error}");
    }
}

#[test]
fn what_is_slow_cannot_become_so() {
    let fault = format!(
        "kind = \"name-slow\"\ntarget = \"office\"\n{FROM}\n\n[servers]\nconditions = [\"name-slow\"]"
    );
    let error = parse(&fault, "", "harness").unwrap_err();
    assert!(error.contains("slow from the beginning"), "{error}");
}

#[test]
fn what_stands_still_cannot_be_talked_to_by_the_harness() {
    let fault = format!("kind = \"peer-frozen\"\ntarget = \"bob\"\n{FROM}");
    let error = parse(&fault, "", "harness").unwrap_err();
    assert!(
        error.contains("does not take what the harness carries"),
        "{error}"
    );
}

#[test]
fn what_is_not_there_cannot_break() {
    let fault = format!("kind = \"signalling-down\"\ntarget = \"signalling\"\n{FROM}");
    let error = parse(&fault, "", "harness").unwrap_err();
    assert!(error.contains("through the harness"), "{error}");
}

#[test]
fn a_peer_moves_once() {
    let fault = format!(
        "kind = \"handover\"\ntarget = \"alice\"\nto = \"phone\"\n{FROM}\n\n[[faults]]\n\
         kind = \"handover\"\ntarget = \"alice\"\nto = \"public\"\nfrom = {{ event = \"previous-begun\", ms = 9 }}"
    );
    let error = parse(&fault, "", "harness").unwrap_err();
    assert!(error.contains("moves more than once"), "{error}");
}

#[rstest]
#[case("max_attempts = 11", "11")]
#[case("retry_delay_ms = 60001", "60001")]
#[case("connect_timeout_ms = 999", "999")]
#[case("backoff = 0.5", "0.5 is no factor")]
#[case("jitter = 1.5", "1.5 is no part of a pause")]
#[case(
    "fresh_credentials = true\nstrategies = [\"ice-restart\", \"reset\"]",
    "an ICE restart keeps the connection"
)]
#[case("max_attempts = 0", "the client makes 0 attempts at most")]
fn policies_that_cannot_be(#[case] recovery: &str, #[case] expected: &str) {
    let fault = format!("kind = \"link-down\"\ntarget = \"office\"\n{FROM}");
    let error = parse(&fault, recovery, "harness").unwrap_err();
    assert!(error.contains(expected), "{error}");
}
