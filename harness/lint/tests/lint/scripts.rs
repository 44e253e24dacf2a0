//! Configurations as programs build them.

use crate::support::{linted, rules};
use farcall_lint::{LintedFile, Rule};
use rstest::rstest;

const TLS: &str = "urls: 'turns:a.example:443', username: 'u', credential: 'x'";

/// Each way in which a program writes `turns:` on 443: it is found, and nothing is unknown.
#[rstest]
#[case::variable("export const iceServers = [{ TLS }];")]
#[case::under_another_name("export const ICE_SERVERS: RTCIceServer[] = [{ TLS }];")]
#[case::constructor("const pc = new RTCPeerConnection({ iceServers: [{ TLS }] });")]
#[case::quoted_key("module.exports = { 'iceServers': [{ TLS }] };")]
#[case::type_assertions(
    "const c = <RTCConfiguration>{ iceServers: ([{ TLS }] as const) satisfies unknown };"
)]
#[case::class_property("class C { private iceServers = [{ TLS }]; }")]
#[case::static_property("class C { static readonly CONFIG = { iceServers: [{ TLS }] }; }")]
#[case::assignment("config.iceServers = [{ TLS }];")]
#[case::constant("const ALL = [{ TLS }]; const c = { iceServers: ALL };")]
#[case::shorthand("const iceServers = [{ TLS }]; const c = { iceServers };")]
#[case::spread(
    "const T = [{ TLS }]; const c = { iceServers: [{ urls: 'stun:a.example' }, ...T] };"
)]
#[case::spread_of_an_entry("const T = { TLS }; const c = { iceServers: [{ ...T }] };")]
#[case::account_from_elsewhere(
    "const A = { username: 'u', credential: 'x' }; const c = { iceServers: [{ urls: 'turns:a.example:443', ...A }] };"
)]
#[case::member("const T = { servers: [{ TLS }] }; const c = { iceServers: T.servers };")]
#[case::own_property("class C { #all = [{ TLS }]; get() { return { iceServers: this.#all }; } }")]
#[case::template(
    "const H = 'a.example'; const c = { iceServers: [{ urls: `turns:${H}:443`, username: 'u', credential: 'x' }] };"
)]
#[case::sum(
    "const H = 'a.example'; const c = { iceServers: [{ urls: 'turns:' + H + ':' + 443, username: 'u', credential: 'x' }] };"
)]
#[case::frozen("const c = Object.freeze({ iceServers: Object.freeze([{ TLS }]) });")]
#[case::filtered(
    "const c = { iceServers: [dev && { urls: 'stun:a.example' }, { TLS }].filter(Boolean) };"
)]
#[case::choice("const c = { iceServers: prod ? [{ TLS }] : [] };")]
#[case::choice_of_entries("const c = { iceServers: [prod ? { TLS } : null].filter(Boolean) };")]
#[case::spread_choice(
    "const c = { iceServers: [...(prod ? [{ TLS }] : []), ...(dev && [{ urls: 'stun:a' }])] };"
)]
#[case::pushed(
    "const iceServers = [{ urls: 'stun:a' }]; if (prod) iceServers.push({ TLS }); use({ iceServers });"
)]
#[case::pushed_to_a_member(
    "const c = { iceServers: [{ urls: 'stun:a' }] }; c.iceServers.push({ TLS });"
)]
#[case::react(
    "function App() { const [c] = useState({ iceServers: [{ TLS }] }); return <Call c={c} />; }"
)]
#[case::a_method_by_itself("private getConfig(): Config { return { iceServers: [{ TLS }] }; }")]
#[case::common_js("const c = { iceServers: [{ TLS }] }\nmodule.exports = c")]
fn what_is_written_is_found(#[case] script: &str) {
    let text = script.replace("TLS", TLS);
    let file = if text.contains("<Call") {
        "app.tsx"
    } else {
        "app.ts"
    };
    let linted = linted(file, &text);
    assert_eq!(linted.configurations.len(), 1, "{linted:?}");
    let found: Vec<Rule> = linted.findings().map(|finding| finding.rule).collect();
    // It is the only host, and that is known.
    assert!(found.contains(&Rule::SingleTurnHost), "{found:?}");
    for rule in [Rule::NoTurnsOn443, Rule::NoTurn, Rule::NotExamined] {
        assert!(!found.contains(&rule), "{found:?}");
    }
}

/// What is computed is unknown, not missing.
#[rstest]
#[case::entries("export const c = { iceServers: [{ urls: 'stun:a' }, ...(await more())] };")]
#[case::an_entry("const c = { iceServers: [{ urls: 'stun:a' }, turnServer()] };")]
#[case::imported(
    "import { TURN } from './turn'; const c = { iceServers: [{ urls: 'stun:a' }, ...TURN] };"
)]
#[case::a_parameter("function f(turn) { return { iceServers: [{ urls: 'stun:a' }, turn] }; }")]
#[case::a_url("const c = { iceServers: [{ urls: 'stun:a' }, { urls: process.env.TURN_URL }] };")]
#[case::one_of_two_urls(
    "const c = { iceServers: [{ urls: ['stun:a', import.meta.env.VITE_TURN_URL] }] };"
)]
#[case::a_scheme(
    "const c = { iceServers: [{ urls: 'stun:a' }, { urls: `${scheme}:a.example` }] };"
)]
#[case::pushed(
    "const iceServers = [{ urls: 'stun:a' }]; iceServers.push(...more); use({ iceServers });"
)]
#[case::assigned(
    "let iceServers = [{ urls: 'stun:a' }]; iceServers = await load(); export default { iceServers };"
)]
#[case::spliced(
    "const iceServers = [{ urls: 'stun:a' }]; iceServers.splice(0, 1, turn); use({ iceServers });"
)]
#[case::an_ambiguous_name(
    "const c = { iceServers: [{ urls: 'stun:a' }, ...A] }; { const A = []; } { const A = [t]; }"
)]
#[case::a_whole_entry("const c = { iceServers: [{ urls: 'stun:a' }, { ...entry }] };")]
fn what_is_computed_is_not_said_to_be_missing(#[case] text: &str) {
    let found = rules("app.ts", text);
    assert!(found.contains(&Rule::NotExamined), "{found:?}");
    assert!(!found.contains(&Rule::NoTurn), "{found:?}");
}

#[rstest]
#[case::from_the_environment(
    "username: process.env.TURN_USER, credential: process.env.TURN_PASSWORD"
)]
#[case::one_of_the_two("username: 'u', credential: import.meta.env.VITE_TURN_CREDENTIAL!")]
#[case::with_a_fallback(
    "username: USER ?? 'openrelayproject', credential: PASS || 'openrelayproject'"
)]
#[case::awaited("...(await account())")]
#[case::a_template("username: `${expiry}:alice`, credential: hmac(secret)")]
fn an_account_that_is_computed_is_not_said_to_be_missing(#[case] account: &str) {
    let text =
        format!("export const c = {{ iceServers: [{{ urls: 'turn:a.example', {account} }}] }};");
    let found = rules("app.ts", &text);
    assert!(found.contains(&Rule::NotExamined), "{found:?}");
    for rule in [
        Rule::IncompleteAccount,
        Rule::LongLivedAccount,
        Rule::PublicAccount,
    ] {
        assert!(!found.contains(&rule), "{found:?}");
    }
}

#[rstest]
#[case::undefined(
    "const c = { iceServers: [{ urls: 'turn:a', username: undefined, credential: null }] };"
)]
#[case::left_out("const c = { iceServers: [{ urls: 'turn:a' }] };")]
fn an_account_that_is_not_there_is_missing(#[case] text: &str) {
    assert!(rules("app.ts", text).contains(&Rule::IncompleteAccount));
}

#[test]
fn of_a_url_with_a_computed_host_the_rest_is_known() {
    let entry = "urls: `turn:${process.env.HOST}:443`, username: u, credential: p";
    let found = linted(
        "app.ts",
        &format!("const c = {{ iceServers: [{{ {entry} }}] }};"),
    );
    let about: Vec<&str> = found
        .findings()
        .filter(|finding| finding.rule == Rule::TurnIsUdp)
        .map(|finding| finding.message.as_str())
        .collect();
    assert_eq!(
        about,
        ["`turn:HOST:443` is UDP: neither TLS nor HTTPS, whatever the port"]
    );
    assert!(
        found
            .findings()
            .any(|finding| finding.rule == Rule::NoTurnsOn443)
    );
}

fn names(linted: &LintedFile) -> Vec<(Option<&str>, usize)> {
    let configurations = linted.configurations.iter();
    configurations
        .map(|configuration| (configuration.name.as_deref(), configuration.place.line))
        .collect()
}

#[test]
fn several_configurations_are_each_examined_under_the_name_they_stand_in() {
    let text = "\
const development = { iceServers: [{ urls: 'stun:a' }] };
class Calls {
  production() { return { iceServers: [{ urls: 'stun:a' }, { urls: 'stun:b' }] }; }
}
function relayed() {
  return { iceServers: [{ urls: 'stun:a' }], iceTransportPolicy: 'relay' };
}
";
    let linted = linted("app.ts", text);
    assert_eq!(
        names(&linted),
        [
            (Some("development"), 1),
            (Some("production"), 3),
            (Some("relayed"), 6)
        ]
    );
    let last = linted.configurations.last().unwrap();
    assert!(
        last.findings
            .iter()
            .any(|finding| finding.rule == Rule::RelayWithoutTurn)
    );
}

#[test]
fn a_list_that_is_used_twice_is_examined_once() {
    let text = "const ICE = [{ urls: 'stun:a' }]; f({ iceServers: ICE }); g({ iceServers: ICE });";
    assert_eq!(linted("app.ts", text).configurations.len(), 1);
}

#[test]
fn lists_of_other_things_are_no_configurations() {
    let text = "const pages = [{ urls: ['https://a.example'] }]; const c = { iceServers: [{ urls: 'stun:a' }] };";
    assert_eq!(linted("app.ts", text).configurations.len(), 1);
}

#[test]
fn a_finding_is_where_the_text_is_written() {
    let text =
        "const URL = 'turn:a.example:443';\nconst c = {\n  iceServers: [{ urls: [URL] }],\n};\n";
    let linted = linted("app.js", text);
    let found = linted
        .findings()
        .find(|finding| finding.rule == Rule::TurnIsUdp)
        .unwrap();
    assert_eq!((found.place.line, found.place.column), (1, 13));
    assert_eq!(found.entry, "iceServers[0].urls[0]");
}

#[rstest]
#[case::nested(
    r#"{ "webrtc": { "production": { "iceServers": [{ "urls": "stun:a" }] } } }"#,
    1
)]
#[case::bare(r#"[{ "urls": "stun:a" }]"#, 1)]
#[case::two(
    r#"{ "dev": { "iceServers": [] }, "prod": { "iceServers": [{ "urls": "stun:a" }] } }"#,
    2
)]
#[case::under_another_key(r#"{ "turnServers": [{ "urls": ["turn:a"] }] }"#, 1)]
#[case::with_comments(
    "// ours\n{ /* all */ \"iceServers\": [{ \"urls\": \"stun:a\", },], }",
    1
)]
fn json_holds_them_at_any_depth(#[case] json: &str, #[case] count: usize) {
    assert_eq!(linted("settings.json", json).configurations.len(), count);
}

#[rstest]
#[case("config", "[{ \"urls\": \"stun:a\" }] // JSON")]
#[case("config.txt", "export default { iceServers: [{ urls: 'stun:a' }] };")]
fn a_file_of_another_name_is_read_as_whichever_it_is(#[case] file: &str, #[case] text: &str) {
    assert_eq!(linted(file, text).configurations.len(), 1);
}
