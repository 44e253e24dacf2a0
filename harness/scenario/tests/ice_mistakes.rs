//! What a person reads after each kind of mistake in an ICE configuration.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use farcall_scenario::IceConfiguration;
use rstest::{Context, rstest};
use support::render;

/// A configuration without mistakes.
const GOOD: &str = r#"{
  "iceServers": [
    { "urls": "stun:stun.example.net" },
    { "urls": ["turn:turn.example.net", "turns:turn.example.net:443?transport=tcp"],
      "username": "farcall", "credential": "hunter2" }
  ],
  "iceTransportPolicy": "all"
}
"#;

#[test]
fn what_the_mistakes_are_made_in_is_good() {
    IceConfiguration::parse("ice.json", GOOD).unwrap();
}

/// Each case replaces a part of the good configuration.
#[rstest]
#[case::unknown_key("\"iceTransportPolicy\"", "\"iceTransportPolcy\"")]
#[case::retired_key("\"urls\": \"stun", "\"url\": \"stun")]
#[case::servers_of_wrong_type("\"stun:stun.example.net\"", "7")]
#[case::no_url("\"stun:stun.example.net\"", "[]")]
#[case::entry_is_no_object("{ \"urls\": \"stun:stun.example.net\" }", "\"stun:stun.example.net\"")]
#[case::unknown_policy("\"all\"", "\"none\"")]
#[case::members_without_effect(
    "\"iceTransportPolicy\": \"all\"",
    "\"bundlePolicy\": \"max\", \"rtcpMuxPolicy\": \"negotiate\", \"iceCandidatePoolSize\": 256, \"certificates\": {}"
)]
#[case::bad_scheme("stun:stun", "http:stun")]
#[case::slashes("stun:stun", "stun://stun")]
#[case::no_host("stun:stun.example.net", "stun:")]
#[case::bad_port("turn:turn.example.net\"", "turn:turn.example.net:99999\"")]
#[case::bad_transport("transport=tcp", "transport=tls")]
#[case::dtls("transport=tcp", "transport=udp")]
#[case::stun_with_transport("stun:stun.example.net", "stun:stun.example.net?transport=udp")]
#[case::stun_over_tls("stun:stun", "stuns:stun")]
#[case::ipv6("turn:turn.example.net\"", "turn:2001:db8::1\"")]
#[case::ipv6_with_a_zone("turn:turn.example.net\"", "turn:[fe80::1%eth0]:3478\"")]
#[case::ipv6_of_the_host_itself("turn:turn.example.net\"", "turn:[::1]:3478\"")]
#[case::no_credential(", \"credential\": \"hunter2\"", "")]
#[case::no_account(
    "\"username\": \"farcall\", \"credential\": \"hunter2\"",
    "\"credentialType\": \"oauth\""
)]
#[case::credential_of_wrong_type("\"hunter2\"", "[\"hunter2\"]")]
#[case::two_credentials(
    "{ \"urls\": \"stun:stun.example.net\" }",
    "{ \"urls\": \"turn:Turn.example.net:80\", \"username\": \"farcall\", \"credential\": \"other\" }"
)]
#[case::user_in_url("stun:stun", "turn:farcall:hunter2@stun")]
#[case::key_written_twice("\"username\":", "\"username\": \"x\", \"username\":")]
#[case::not_json("\"all\"", "\"all\";")]
#[case::comments_that_hold_credentials(
    "\"stun:stun.example.net\" },",
    "7 }, // not hunter2 any more"
)]
#[case::credential_without_end("\"hunter2\"", "\"hunter2")]
fn mistake(#[context] context: Context, #[case] good: &str, #[case] bad: &str) {
    assert!(GOOD.contains(good), "{good}");
    let json = GOOD.replacen(good, bad, 1);
    let problems = IceConfiguration::parse("ice.json", &json).unwrap_err();
    let report = render(&problems);
    for secret in ["hunter2", "other\""] {
        assert!(
            !format!("{report}{problems:?}").contains(secret),
            "{report}"
        );
    }
    let name = context.description.unwrap();
    insta::assert_snapshot!(name, report, &bad.replace("hunter2", "..."));
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let json = r#"{
  "iceServers": [
    { "urls": ["turn:a:0", "stun:b?x", "turn:c"], "username": 5 },
    { "urls": "turns:d?transport=udp", "pasword": "hunter2" },
    { "username": "x", "credential": "hunter2" }
  ],
  "iceTransportPolicy": "public"
}"#;
    let problems = IceConfiguration::parse("ice.json", json).unwrap_err();
    insta::assert_debug_snapshot!(problems);
}

#[rstest]
#[case::unknown_key(
    r#"[{ "urls": "turn:t", "username": "u", "pass": "hunter2", "credential": "x" }]"#
)]
#[case::token_in_url(r#"[{ "urls": "turn:t?token=hunter2", "username": "u", "credential": "x" }]"#)]
#[case::nested(r#"[{ "urls": "turn:t", "username": "u", "credential": { "urls": "hunter2" } }]"#)]
#[case::bare_string(r#""hunter2""#)]
#[case::bad_escape(r#"[{ "urls": "turn:t", "username": "u", "credential": "hunter2\u12G4" }]"#)]
#[case::lone_surrogate(r#"[{ "urls": "turn:t", "username": "u", "credential": "hunter2\uDEAD" }]"#)]
fn a_credential_is_never_shown(#[case] json: &str) {
    let problems = IceConfiguration::parse("ice.json", json).unwrap_err();
    let shown = format!("{}{problems:?}{problems}", render(&problems));
    for secret in ["hunter2", "12G4", "DEAD", "dead"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
