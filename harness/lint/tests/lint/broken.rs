//! What cannot be examined, and what is said of it.

use crate::support::{NOW, rules};
use farcall_lint::{Rule, lint};
use rstest::{Context, rstest};

#[rstest]
#[case::empty_json("ice.json", "")]
#[case::empty_script("ice.js", "")]
#[case::empty_text("ice", "")]
#[case::bad_json("ice.json", "{ \"iceServers\": [\n  { \"urls\": }\n] }")]
#[case::json_in_single_quotes("ice.json", "{ 'iceServers': [] }")]
#[case::bad_script("ice.ts", "const ice = {\n  iceServers: [ {{ ],\n};\n")]
#[case::typescript_in_javascript("ice.js", "const ice: RTCConfiguration = { iceServers: [] };")]
#[case::neither("config", "these are not the servers you are looking for: [")]
#[case::binary("ice.bin", "\u{0}\u{1}\u{fffd}ELF\u{2}")]
#[case::no_configuration_in_json("package.json", "{ \"name\": \"app\", \"files\": [\"dist\"] }")]
#[case::no_configuration_in_script("app.ts", "export const answer = 42;")]
#[case::computed(
    "ice.ts",
    "export const ice = async () => ({\n  iceServers: await servers(),\n});"
)]
#[case::a_credential_without_end("ice.json", "[{ \"credential\": \"hunter2")]
#[case::a_bad_escape("ice.json", "[{ \"credential\": \"hunter2\\u12G4\" }]")]
#[case::a_text_without_end("ice.ts", "const credential = 'hunter2")]
fn what_cannot_be_examined(#[context] context: Context, #[case] file: &str, #[case] text: &str) {
    let error = lint(file, text, NOW).unwrap_err();
    let told = format!("{error}\n{}", miette::Diagnostic::help(&error).unwrap());
    assert!(!format!("{told}{error:?}").contains("hunter2"), "{told}");
    insta::assert_snapshot!(context.description.unwrap(), told, text);
}

/// Each as long as a file may be, and none brings the parser down.
#[rstest]
#[case::brackets("[", "")]
#[case::objects("{a:", "")]
#[case::objects_in_json("{\"a\":", "")]
#[case::parentheses("(", "")]
#[case::negations("!", "1")]
#[case::choices("a?a:", "a")]
#[case::functions("a=>", "a")]
#[case::assignments("a=", "a")]
#[case::powers("a**", "a")]
#[case::sums("a+", "a")]
#[case::calls("a(", "")]
#[case::templates("`${", "")]
#[case::conditions("if(a)", "a")]
#[case::labels("a:", "a")]
#[case::blocks("{", "")]
#[case::types("let a:A<", "")]
#[case::elements("<a>", "")]
fn nesting_as_deep_as_a_file_is_long_is_survived(#[case] piece: &str, #[case] end: &str) {
    let text = format!("{}{end}", piece.repeat(1024 * 1024 / piece.len()));
    for file in ["ice.json", "ice.tsx"] {
        assert!(lint(file, &text, NOW).is_err(), "{file}");
    }
}

#[test]
fn a_configuration_as_large_as_a_file_may_be_is_examined() {
    let entry = r#"{ "urls": "turn:turn.example.net:443", "username": "u", "credential": "x" },"#;
    let entries = entry.repeat(1024 * 1024 / entry.len() - 1);
    for (file, text) in [
        ("ice.json", format!("[{entries}]")),
        ("ice.ts", format!("export const iceServers = [{entries}];")),
    ] {
        let found = rules(file, &text);
        let twice = found.iter().filter(|rule| **rule == Rule::DuplicateUrl);
        assert!(twice.count() > 10_000, "{file}");
    }
}

#[test]
fn constants_that_spread_each_other_come_to_an_end() {
    let mut text = "const l0 = [{ urls: 'stun:a.example' }];\n".to_owned();
    for index in 1..40 {
        let before = index - 1;
        text.push_str(&format!("const l{index} = [...l{before}, ...l{before}];\n"));
    }
    text.push_str("const me = [...me]; export default { iceServers: [...l39, ...me] };");
    assert!(rules("ice.ts", &text).contains(&Rule::NotExamined));
}
