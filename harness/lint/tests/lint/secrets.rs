//! No credential is shown, wherever it stands.

use crate::support::{NOW, short, shown};
use farcall_lint::{FileReport, LintReport, human, json, lint, sarif};
use proptest::prelude::*;
use rstest::rstest;

const SECRET: &str = "hunter2";

#[rstest]
#[case::as_it_should_be(
    "ice.json",
    r#"[{ "urls": "turn:a:443", "username": "u", "credential": "hunter2" }]"#
)]
#[case::in_the_url(
    "ice.json",
    r#"[{ "urls": "turn:u:hunter2@a:443", "username": "u", "credential": "x" }]"#
)]
#[case::in_the_query("ice.json", r#"[{ "urls": "turn:a?token=hunter2" }]"#)]
#[case::as_a_transport("ice.json", r#"[{ "urls": "turn:a?transport=hunter2" }]"#)]
#[case::as_the_user_name(
    "ice.json",
    r#"[{ "urls": "turn:a", "username": "hunter2", "credential": "hunter2" }]"#
)]
#[case::within_the_user_name(
    "ice.json",
    r#"[{ "urls": "turn:a", "username": "me-hunter2", "credential": "hunter2" }]"#
)]
#[case::under_another_key(
    "ice.json",
    r#"[{ "urls": "turn:a", "username": "u", "password": "hunter2" }]"#
)]
#[case::under_an_unknown_key("ice.json", r#"[{ "urls": "turn:a:443", "pass": "hunter2" }]"#)]
#[case::of_wrong_type(
    "ice.json",
    r#"[{ "urls": "turn:a:443", "username": "u", "credential": ["hunter2"] }]"#
)]
#[case::instead_of_an_entry("ice.json", r#"{ "iceServers": ["hunter2"] }"#)]
#[case::as_the_policy("ice.json", r#"{ "iceServers": [], "iceTransportPolicy": "hunter2" }"#)]
#[case::in_a_comment("ice.jsonc", "[{ \"urls\": \"turn:a:443\" /* hunter2 */ }] // hunter2")]
#[case::in_a_script(
    "ice.ts",
    "const iceServers = [{ urls: 'turn:a:443', username: 'u', credential: 'hunter2' }];"
)]
#[case::in_a_constant(
    "ice.ts",
    "const P = 'hunter2'; const i = { iceServers: [{ urls: 'turn:a:443', username: P, credential: P }] };"
)]
#[case::in_a_template(
    "ice.ts",
    "const i = { iceServers: [{ urls: `turn:${u}:hunter2@a:443`, credential: `hunter2${x}` }] };"
)]
#[case::beside_it(
    "ice.ts",
    "const i = { key: 'hunter2', iceServers: [{ urls: 'stun:a' }] }; // hunter2"
)]
fn a_credential_is_not_shown(#[case] file: &str, #[case] text: &str) {
    let linted = lint(file, text, NOW).unwrap();
    assert!(linted.findings().count() > 0);
    let shown = everything(file, text);
    assert!(!shown.contains(SECRET), "{shown}");
}

/// All that is ever told of a text.
fn everything(file: &str, text: &str) -> String {
    let mut out = Vec::new();
    let linted = lint(file, text, NOW);
    let debug = format!("{linted:?}");
    if linted.is_ok() {
        out.extend(shown(file, text).into_bytes());
        out.extend(short(file, text).into_bytes());
    }
    let report = LintReport::new(vec![FileReport::of(file, linted)]);
    json(&report, &mut out).unwrap();
    sarif(&report, "0.0.0", &mut out).unwrap();
    format!("{debug}{}", String::from_utf8(out).unwrap())
}

proptest! {
    #[test]
    fn no_place_for_a_secret_shows_it_and_no_text_makes_the_linter_panic(
        key in "[a-z\"{},:\\[\\]]{0,12}",
        before in "[ -~\\n]{0,8}",
        after in "[ -~\\nü]{0,8}",
        url in "(turns?|stun):[a-z.:/\\[\\]]{0,12}(\\?[a-z=]{0,14})?",
    ) {
        let quote = |text: &str| serde_json::to_string(text).unwrap();
        let secret = quote(&format!("{before}zz{SECRET}zz{after}"));
        let (key, url) = (quote(&key), quote(&url));
        let entry = format!("{{ {key}: {secret}, \"urls\": {url}, \"username\": \"u\", \"credential\": {secret} }}");
        for (file, text) in [
            ("ice.json", format!("{{ \"iceServers\": [{entry}] }}")),
            ("ice.ts", format!("const c = {{ iceServers: [{entry}] }};")),
            ("ice", format!("[{entry}")),
        ] {
            prop_assert!(!everything(file, &text).contains(SECRET));
        }
    }
}

#[test]
fn what_is_shown_of_a_long_line_is_short() {
    let entry = r#"{"urls":"turn:a.example:443","username":"u","credential":"x"},"#.repeat(100);
    let text = shown("ice.json", &format!("[{entry}]"));
    let longest = text.lines().map(str::len).max().unwrap();
    assert!(longest < 220, "{longest}");
}

#[test]
fn of_very_many_findings_some_are_shown() {
    let entry = r#"{"urls":"turn:a.example:443","username":"u","credential":"x"},"#.repeat(500);
    let linted = lint("ice.json", &format!("[{entry}]"), NOW).unwrap();
    let look = farcall_lint::Look {
        colour: false,
        width: 100,
    };
    let mut out = Vec::new();
    human(&linted, look, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text.matches("ice.json:1:").count(), 100);
    assert!(text.contains("more are not shown"), "{text}");
}
