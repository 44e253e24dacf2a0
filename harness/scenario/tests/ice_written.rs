//! Configurations as applications have them: JSON with comments, and programs.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use farcall_scenario::{IceConfiguration, IceTransportPolicy};
use rstest::{Context, rstest};
use support::render;

/// The class of an application with two configurations.
const SERVICE: &str = r#"import { log } from './log';

const HOST = 'turn.example.net';
const ACCOUNT = { username: 'farcall', credential: 'hunter2' };
const STUN: RTCIceServer[] = [{ urls: 'stun:stun.example.net' }];

export class CallService {
  private getDevelopmentConfig(): RTCConfiguration {
    return { iceServers: STUN };
  }

  // The password is hunter2.
  private getProductionConfig(): RTCConfiguration {
    return {
      iceServers: [
        ...STUN,
        { urls: [`turn:${HOST}`, 'turns:' + HOST + ':443?transport=tcp'], ...ACCOUNT },
      ],
      iceTransportPolicy: 'all',
    };
  }
}
"#;

/// Nothing but the production configuration.
fn production() -> String {
    let (before, rest) = SERVICE
        .split_once("  private getDevelopmentConfig")
        .unwrap();
    let (_, after) = rest.split_once("  }\n").unwrap();
    format!("{before}{after}")
}

fn urls(configuration: &IceConfiguration) -> Vec<&str> {
    let urls = configuration.urls();
    urls.map(|(_, url)| url.text.as_str()).collect()
}

#[test]
fn comments_and_trailing_commas_may_stand_in_json() {
    let json = r#"// of the office
{
  "iceServers": [
    { "urls": "stun:a", }, /* the
    only one */
  ],
}"#;
    let read = IceConfiguration::parse("ice.json", json).unwrap();
    assert_eq!(urls(&read), ["stun:a"]);
}

#[test]
fn a_program_is_read_through_its_constants() {
    let read = IceConfiguration::parse("service.ts", &production()).unwrap();
    let expected = [
        "stun:stun.example.net",
        "turn:turn.example.net",
        "turns:turn.example.net:443?transport=tcp",
    ];
    assert_eq!(urls(&read), expected);
    assert_eq!(read.ice_transport_policy, Some(IceTransportPolicy::All));
    let turn = &read.ice_servers[1];
    assert_eq!(turn.username.as_deref(), Some("farcall"));
    assert_eq!(turn.credential.as_ref().unwrap().expose(), "hunter2");
}

/// The guide's, with what it leaves out left out.
#[test]
fn the_production_guides_method_is_read_as_it_is() {
    let method = r#"private getProductionConfig(): WebRTCConfig {
  return {
    iceServers: [
      // TURN servers first for better cross-network connectivity
      {
        urls: 'turn:openrelay.metered.ca:443?transport=tcp',
        username: 'openrelayproject',
        credential: 'openrelayproject'
      },
      // ... more TURN servers
      { urls: 'stun:stun.l.google.com:19302' },
    ]
  };
}"#;
    let read = IceConfiguration::parse("guide.ts", method).unwrap();
    assert_eq!(urls(&read).len(), 2);
}

#[rstest]
#[case::javascript("ice.js", "module.exports = { iceServers: [{ urls: 'stun:a' }] };")]
#[case::a_module("ice.mjs", "export default { iceServers: [{ urls: 'stun:a' }] };")]
#[case::jsx(
    "call.tsx",
    "const c = { iceServers: [{ urls: 'stun:a' }] }; <Call c={c} />;"
)]
#[case::the_list_alone("ice.ts", "export const servers = [{ urls: 'stun:a' }];")]
#[case::left_out(
    "ice.ts",
    "x({ iceServers: [{ urls: 'stun:a', username: undefined }] });"
)]
#[case::replaced(
    "ice.ts",
    "const A = { urls: 'stun:b' }; x({ iceServers: [{ ...A, urls: 'stun:a' }] });"
)]
#[case::passed_on(
    "ice.ts",
    "const c = { iceServers: [{ urls: 'stun:a' }] }; x({ iceServers: c.iceServers });"
)]
#[case::members(
    "ice.ts",
    "x({ iceServers: [{ urls: 'stun:a' }], iceCandidatePoolSize: 10, bundlePolicy: 'max-bundle' });"
)]
#[case::filtered("ice.ts", "x({ iceServers: [{ urls: 'stun:a' }].filter(Boolean) });")]
#[case::without_an_extension("Config", "export const c = { iceServers: [{ urls: 'stun:a' }] };")]
fn what_is_written_down_can_be_used(#[case] file: &str, #[case] text: &str) {
    let read = IceConfiguration::parse(file, text).unwrap();
    assert_eq!(urls(&read), ["stun:a"]);
}

/// Each case replaces a part of the program that has one configuration.
#[rstest]
#[case::a_credential_of_the_environment("'hunter2' }", "process.env.TURN_CREDENTIAL }")]
#[case::a_url_of_the_environment("'turn.example.net'", "process.env.TURN_HOST")]
#[case::servers_that_are_fetched("[\n        ...STUN", "[\n        ...(await more()), ...STUN")]
#[case::an_account_that_is_fetched("...ACCOUNT", "...(await account())")]
#[case::all_fetched(
    "const STUN: RTCIceServer[] = [{ urls: 'stun:stun.example.net' }]",
    "const STUN = await fetched()"
)]
#[case::a_choice("'all'", "debug ? 'relay' : 'all'")]
#[case::a_choice_of_entries("        ...STUN,", "        ...(debug ? [] : STUN),")]
#[case::a_condition(
    "        ...STUN,",
    "        ...STUN, debug && { urls: 'stun:debug.example.net' },"
)]
#[case::a_change(
    "// The",
    "add() { STUN.push({ urls: 'stun:more.example.net' }); }\n  // The"
)]
#[case::a_fallback("'hunter2' }", "PASSWORD ?? 'hunter2' }")]
#[case::no_script("...STUN", "..STUN")]
#[case::an_unknown_key("iceTransportPolicy", "iceTransportPolcy")]
#[case::no_account(", ...ACCOUNT", "")]
#[case::a_bad_url("'turns:' + HOST", "'turns//' + HOST")]
fn mistake(#[context] context: Context, #[case] good: &str, #[case] bad: &str) {
    let text = production();
    assert!(text.contains(good), "{good}");
    report(context, "service.ts", &text.replacen(good, bad, 1));
}

/// Each case is a whole file.
#[rstest]
#[case::several("service.ts", SERVICE)]
#[case::several_of_one_name(
    "ice.ts",
    "x({ iceServers: [{ urls: 'stun:a' }] }); x({ iceServers: [{ urls: 'stun:b' }] });"
)]
#[case::no_configuration("ice.ts", "export const password = 'hunter2';")]
#[case::computed(
    "ice.ts",
    "const password = 'hunter2';\nexport const c = { iceServers: load(password) };"
)]
fn mistaken_file(#[context] context: Context, #[case] file: &str, #[case] text: &str) {
    report(context, file, text);
}

fn report(context: Context, file: &str, text: &str) {
    let problems = IceConfiguration::parse(file, text).unwrap_err();
    let report = render(&problems);
    let shown = format!("{report}{problems:?}");
    assert!(!shown.contains("hunter2"), "{report}");
    insta::assert_snapshot!(context.description.unwrap(), report);
}

#[test]
fn one_of_several_can_be_chosen_by_its_name() {
    let choose = |name| IceConfiguration::parse_one("service.ts", SERVICE, Some(name));
    assert_eq!(urls(&choose("getDevelopmentConfig").unwrap()).len(), 1);
    assert_eq!(urls(&choose("getProductionConfig").unwrap()).len(), 3);
    let problems = choose("getStagingConfig").unwrap_err();
    let said = format!("{problems:?}");
    assert!(said.contains("getProductionConfig"), "{said}");
}

#[test]
fn what_is_chosen_is_called_as_it_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("service.ts");
    std::fs::write(&path, SERVICE).unwrap();
    let chosen = IceConfiguration::load_named(&path, "getProductionConfig").unwrap();
    assert_eq!(chosen.name, "getProductionConfig");
    std::fs::write(&path, production()).unwrap();
    assert_eq!(IceConfiguration::load(&path).unwrap().name, "service");
}
