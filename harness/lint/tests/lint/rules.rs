//! Each rule with what it speaks up at, and with what it just does not.

use crate::support::{linted, rules};
use farcall_lint::{Rule, Severity};
use rstest::rstest;

/// A configuration of which nothing is to be said: an account that ends in a day, two hosts, all ways.
const GOOD: &str = r#"[
  { "urls": ["stun:a.example", "turn:a.example", "turn:b.example:443?transport=tcp",
             "turns:a.example:443?transport=tcp"],
    "username": "1767312000:alice", "credential": "MDEyMzQ1Njc4OTAxMjM0NTY3ODk=" }
]"#;

/// An account of [`GOOD`].
const ACCOUNT: &str =
    r#""username": "1767312000:alice", "credential": "MDEyMzQ1Njc4OTAxMjM0NTY3ODk=""#;

fn turn(urls: &str) -> String {
    format!(r#"[{{ "urls": [{urls}], {ACCOUNT} }}]"#)
}

fn account(username: &str, credential: &str) -> String {
    format!(
        r#"[{{ "urls": "turn:a.example", "username": {username}, "credential": {credential} }}]"#
    )
}

fn says(rule: Rule, json: &str) -> bool {
    rules("ice.json", json).contains(&rule)
}

#[test]
fn of_what_is_good_nothing_is_said() {
    assert_eq!(rules("ice.json", GOOD), []);
}

#[rstest]
#[case::udp_on_443(
    Rule::TurnIsUdp,
    r#""turn:a.example:443""#,
    r#""turn:a.example:443?transport=udp""#
)]
#[case::udp_on_5349(
    Rule::TurnIsUdp,
    r#""turn:a.example:5349""#,
    r#""turns:a.example:5349""#
)]
#[case::udp_on_80(Rule::TurnIsUdp, r#""turn:a.example:80""#, r#""turn:a.example:3478""#)]
#[case::no_tls(
    Rule::NoTurnsOn443,
    r#""turn:a.example:443?transport=tcp", "turns:a.example""#,
    r#""turns:a.example:443""#
)]
#[case::no_tcp(
    Rule::NoTurnOverTcp,
    r#""turn:a.example", "turns:a.example:443?transport=tcp""#,
    r#""turn:a.example?transport=tcp""#
)]
#[case::one_host(
    Rule::SingleTurnHost,
    r#""turn:a.example", "turns:A.example.:443", "stun:b.example""#,
    r#""turn:a.example", "turn:b.example""#
)]
#[case::tls_as_a_transport(
    Rule::UnknownTransport,
    r#""turn:a.example?transport=tls""#,
    r#""turn:a.example?transport=TCP""#
)]
#[case::another_query(
    Rule::UnknownTransport,
    r#""turn:a.example?tcp""#,
    r#""turn:a.example""#
)]
#[case::stun_query(
    Rule::StunQuery,
    r#""stun:a.example?transport=udp""#,
    r#""stun:a.example""#
)]
#[case::tls_to_ipv4(
    Rule::TurnsWithAddress,
    r#""turns:192.0.2.1:443""#,
    r#""turn:192.0.2.1:443""#
)]
#[case::tls_to_ipv6(
    Rule::TurnsWithAddress,
    r#""turns:[2001:db8::1]""#,
    r#""turn:[2001:db8::1]""#
)]
#[case::dtls(
    Rule::TurnsOverUdp,
    r#""turns:a.example?transport=udp""#,
    r#""turns:a.example?transport=tcp""#
)]
#[case::slashes(Rule::MalformedUrl, r#""turn://a.example""#, r#""turn:a.example""#)]
#[case::bare_ipv6(
    Rule::MalformedUrl,
    r#""turn:2001:db8::1""#,
    r#""turn:[2001:db8::1]:3478""#
)]
#[case::no_port(Rule::MalformedUrl, r#""turn:a.example:""#, r#""turn:a.example:1""#)]
#[case::port_out_of_range(
    Rule::MalformedUrl,
    r#""turn:a.example:65536""#,
    r#""turn:a.example:65535""#
)]
#[case::web_scheme(Rule::MalformedUrl, r#""https:a.example""#, r#""TURN:a.example""#)]
#[case::same_twice(
    Rule::DuplicateUrl,
    r#""turn:a.example", "turn:A.example:3478?transport=udp""#,
    r#""turn:a.example", "turn:a.example?transport=tcp""#
)]
#[case::five_urls(
    Rule::ManyUrls,
    r#""turn:a", "turn:b", "turn:c", "turn:d", "turn:e""#,
    r#""turn:a", "turn:b", "turn:c", "turn:d""#
)]
#[case::no_turn(
    Rule::NoTurn,
    r#""stun:a.example""#,
    r#""stun:a.example", "turn:a.example""#
)]
#[case::ipv4(
    Rule::Ipv4Literal,
    r#""stun:192.0.2.1""#,
    r#""stun:192.0.2.1.example""#
)]
#[case::no_web_port(
    Rule::NoWebPort,
    r#""turn:a.example:3478", "turns:a.example:5349", "stun:a.example:443""#,
    r#""turn:a.example:80""#
)]
#[case::turn_first(
    Rule::OrderHasNoEffect,
    r#""stun:a.example", "turn:a.example", "stun:b.example""#,
    r#""stun:a.example", "stun:b.example", "turn:a.example""#
)]
fn a_rule_about_urls(#[case] rule: Rule, #[case] triggers: &str, #[case] just_not: &str) {
    assert!(says(rule, &turn(triggers)), "{triggers}");
    assert!(!says(rule, &turn(just_not)), "{just_not}");
}

#[rstest]
#[case::no_user(Rule::IncompleteAccount, r#"null"#, r#""x""#, r#""u""#, r#""x""#)]
#[case::empty_user(Rule::IncompleteAccount, r#""""#, r#""x""#, r#"" ""#, r#""x""#)]
#[case::empty_credential(Rule::IncompleteAccount, r#""u""#, r#""""#, r#""u""#, r#"" ""#)]
#[case::credential_as_number(Rule::IncompleteAccount, r#""u""#, "7", r#""u""#, r#""7""#)]
#[case::open_relay(
    Rule::PublicAccount,
    r#""openrelayproject""#,
    r#""openrelayproject""#,
    r#""openrelayproject""#,
    r#""x""#
)]
#[case::static_account(
    Rule::LongLivedAccount,
    r#""alice""#,
    r#""x""#,
    r#""1767312000:alice""#,
    r#""x""#
)]
fn a_rule_about_accounts(
    #[case] rule: Rule,
    #[case] username: &str,
    #[case] credential: &str,
    #[case] other_username: &str,
    #[case] other_credential: &str,
) {
    assert!(says(rule, &account(username, credential)));
    assert!(!says(rule, &account(other_username, other_credential)));
}

#[rstest]
#[case::at_the_limit("u".repeat(509), false)]
#[case::over_it("u".repeat(510), true)]
#[case::in_bytes_of_utf_8_at_it(format!("{}u", "ü".repeat(254)), false)]
#[case::in_bytes_of_utf_8_over_it("ü".repeat(255), true)]
fn a_user_name_has_at_most_509_bytes(#[case] username: String, #[case] is_too_long: bool) {
    let json = account(&format!("\"{username}\""), "\"x\"");
    assert_eq!(says(Rule::IncompleteAccount, &json), is_too_long);
}

#[rstest]
#[case::a_second_ago("1767225599:a", Some((Severity::Error, "ended at 2025-12-31 23:59 UTC")))]
#[case::now("1767225600:a", Some((Severity::Warning, "ends in 0 min")))]
#[case::within_the_hour("1767229199:a", Some((Severity::Warning, "ends in 59 min, at 2026-01-01 00:59 UTC")))]
#[case::in_an_hour("1767229200:a", None)]
#[case::in_a_day("1767312000:a", None)]
#[case::without_an_id("1767225599:", Some((Severity::Error, "ended at")))]
#[case::the_last_second_of_time("99999999999:a", None)]
#[case::the_first_millisecond("100000000000:a", Some((Severity::Error, "milliseconds")))]
#[case::in_milliseconds("1767312000000:a", Some((Severity::Error, "milliseconds")))]
#[case::the_first_time("100000000:a", Some((Severity::Error, "ended at 1973")))]
#[case::an_id("99999999:a", None)]
#[case::no_time("alice:1767225599", None)]
fn a_time_limited_account(#[case] username: &str, #[case] expected: Option<(Severity, &str)>) {
    let json = account(
        &format!("\"{username}\""),
        r#""MDEyMzQ1Njc4OTAxMjM0NTY3ODk=""#,
    );
    let linted = linted("ice.json", &json);
    let found = linted
        .findings()
        .find(|finding| finding.rule == Rule::TimeLimitedAccount);
    match (found, expected) {
        (None, None) => {}
        (Some(found), Some((severity, message))) => {
            assert_eq!(found.severity, severity);
            assert!(found.message.contains(message), "{}", found.message);
        }
        (found, expected) => panic!("{found:?} is not {expected:?}"),
    }
}

#[rstest]
#[case::an_hmac_sha1("MDEyMzQ1Njc4OTAxMjM0NTY3ODk=", false)]
#[case::without_its_padding("MDEyMzQ1Njc4OTAxMjM0NTY3ODk", true)]
#[case::in_hexadecimal("3031323334353637383930313233343536373839", true)]
#[case::an_hmac_sha256("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", true)]
#[case::another_alphabet("MDEyMzQ1Njc4OTAxMjM0NTY3-_k=", true)]
fn the_credential_of_a_time_limited_account(#[case] credential: &str, #[case] is_wrong: bool) {
    let json = account(r#""1767312000:alice""#, &format!("\"{credential}\""));
    assert_eq!(says(Rule::TimeLimitedAccount, &json), is_wrong);
}

#[test]
fn a_server_that_is_gone_is_an_error_whatever_the_account() {
    let json =
        r#"[{ "urls": "turn:numb.viagenie.ca", "username": "me@example", "credential": "x" }]"#;
    let linted = linted("ice.json", json);
    let found = linted
        .findings()
        .find(|finding| finding.rule == Rule::PublicAccount);
    assert_eq!(found.unwrap().severity, Severity::Error);
}

#[rstest]
#[case::stun_only(
    "relay",
    r#"{ "urls": "stun:a.example" }"#,
    Some(Rule::RelayWithoutTurn)
)]
#[case::nothing("relay", "", Some(Rule::RelayWithoutTurn))]
#[case::with_turn("relay", &format!(r#"{{ "urls": "turn:a.example", {ACCOUNT} }}"#), None)]
#[case::not_asked_for("all", r#"{ "urls": "stun:a.example" }"#, Some(Rule::NoTurn))]
fn relaying_alone_needs_turn(
    #[case] policy: &str,
    #[case] servers: &str,
    #[case] expected: Option<Rule>,
) {
    let json = format!(r#"{{ "iceServers": [{servers}], "iceTransportPolicy": "{policy}" }}"#);
    let found = rules("ice.json", &json);
    let about = [Rule::RelayWithoutTurn, Rule::NoTurn];
    let found: Vec<Rule> = found
        .into_iter()
        .filter(|rule| about.contains(rule))
        .collect();
    assert_eq!(found, Vec::from_iter(expected));
}

#[test]
fn where_all_is_relayed_the_order_is_nothing_to_speak_of() {
    let servers = r#""iceServers": [{ "urls": ["turn:a.example", "stun:a.example"] }]"#;
    let all = format!("{{ {servers} }}");
    let relay = format!(r#"{{ {servers}, "iceTransportPolicy": "relay" }}"#);
    assert!(says(Rule::OrderHasNoEffect, &all));
    assert!(!says(Rule::OrderHasNoEffect, &relay));
}

#[rstest]
#[case::no_object(r#""turn:a.example", { "urls": "stun:a.example" }"#)]
#[case::no_urls(r#"{ "username": "u" }"#)]
#[case::retired_key(r#"{ "url": "stun:a.example" }"#)]
#[case::password(r#"{ "urls": "turn:a.example", "username": "u", "password": "x" }"#)]
#[case::no_url(r#"{ "urls": [] }"#)]
#[case::url_of_wrong_type(r#"{ "urls": [7] }"#)]
fn what_is_no_entry(#[case] servers: &str) {
    let json = format!(r#"{{ "iceServers": [{servers}] }}"#);
    assert!(says(Rule::MalformedConfiguration, &json));
    assert_eq!(linted("ice.json", &json).worst(), Some(Severity::Error));
}

#[rstest]
#[case("\"all\"", false)]
#[case("\"relay\"", false)]
#[case("null", false)]
#[case("\"public\"", true)]
#[case("1", true)]
fn a_policy_is_one_of_two(#[case] policy: &str, #[case] is_wrong: bool) {
    let json = format!(r#"{{ "iceServers": [], "iceTransportPolicy": {policy} }}"#);
    assert_eq!(says(Rule::MalformedConfiguration, &json), is_wrong);
}

/// What is bad alone may be no more than a note beside something better.
#[rstest]
#[case(Rule::TurnIsUdp, r#""turn:a:443""#, Severity::Warning)]
#[case(Rule::TurnIsUdp, r#""turn:a:443", "turns:a:443""#, Severity::Note)]
#[case(
    Rule::TurnIsUdp,
    r#""turn:a:443", "turn:a:443?transport=tcp""#,
    Severity::Note
)]
#[case(Rule::TurnIsUdp, r#""turn:a:443", "turns:b:443""#, Severity::Warning)]
#[case(Rule::NoTurnOverTcp, r#""turn:a""#, Severity::Warning)]
#[case(Rule::NoTurnOverTcp, r#""turn:a", "turns:a:443""#, Severity::Note)]
fn severity_depends_on_what_else_there_is(
    #[case] rule: Rule,
    #[case] urls: &str,
    #[case] expected: Severity,
) {
    let linted = linted("ice.json", &turn(urls));
    let found = linted
        .findings()
        .find(|finding| finding.rule == rule)
        .unwrap();
    assert_eq!(found.severity, expected);
}

#[test]
fn an_account_that_several_entries_have_is_told_of_once() {
    let entry = r#"{ "urls": "turn:a.example", "username": "u", "credential": "x" }"#;
    let found = rules("ice.json", &format!("[{entry}, {entry}]"));
    let told = found.iter().filter(|rule| **rule == Rule::LongLivedAccount);
    assert_eq!(told.count(), 1);
}

#[test]
fn the_same_server_with_another_user_is_not_the_same() {
    let entry = |user: &str| {
        format!(r#"{{ "urls": "turn:a.example", "username": "{user}", "credential": "x" }}"#)
    };
    assert!(says(
        Rule::DuplicateUrl,
        &format!("[{}, {}]", entry("u"), entry("u"))
    ));
    assert!(!says(
        Rule::DuplicateUrl,
        &format!("[{}, {}]", entry("u"), entry("v"))
    ));
}

/// Each finding has to be of use by itself.
#[test]
fn each_finding_says_where_what_happens_and_what_to_write() {
    let json = r#"{ "iceServers": [
        { "urls": ["turn:192.0.2.1:443", "turns:192.0.2.1?transport=udp", "stun:a?x", "turn://b", "turn:b?c"] },
        { "url": "turn:numb.viagenie.ca", "username": "1:a", "password": "x" }, {}, 7
    ], "iceTransportPolicy": "none" }"#;
    let linted = linted("ice.json", json);
    assert!(linted.findings().count() > 10);
    for finding in linted.findings() {
        let text = format!("{finding:?}");
        assert!(
            finding.place.line > 0 && finding.place.byte_length > 0,
            "{text}"
        );
        assert!(finding.entry.starts_with("ice"), "{text}");
        for said in [&finding.message, &finding.consequence, &finding.replacement] {
            assert!(said.len() > 10 && !said.ends_with('.'), "{text}");
        }
    }
}
