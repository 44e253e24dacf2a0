//! What a person reads.

use crate::support::{linted, short, shown};
use farcall_lint::{Rule, Severity};
use rstest::{Context, rstest};

const PRODUCTION: &str = include_str!("../../../../ice/production.json");
const DEVELOPMENT: &str = include_str!("../../../../ice/development.json");
const LIBWEBRTC: &str = include_str!("../../../../ice/libwebrtc.json");
const UDP_ONLY: &str = include_str!("../../../../ice/udp-only.json");
const WITH_TLS: &str = include_str!("../../../../ice/with-tls.json");
const GUIDE: &str = include_str!("files/guide.ts");

/// The configurations that ship, and the production guide's as it stands there.
#[rstest]
#[case::production("ice/production.json", PRODUCTION)]
#[case::development("ice/development.json", DEVELOPMENT)]
#[case::libwebrtc("ice/libwebrtc.json", LIBWEBRTC)]
#[case::udp_only("ice/udp-only.json", UDP_ONLY)]
#[case::with_tls("ice/with-tls.json", WITH_TLS)]
#[case::guide("guide.ts", GUIDE)]
#[case::mistakes("ice.json", include_str!("files/mistakes.json"))]
#[case::service("call-service.ts", include_str!("files/call-service.ts"))]
fn all_of_it(#[context] context: Context, #[case] file: &str, #[case] text: &str) {
    insta::assert_snapshot!(context.description.unwrap(), shown(file, text), file);
}

#[test]
fn a_line_for_each_before_a_run() {
    insta::assert_snapshot!(short("ice/production.json", PRODUCTION));
    let nothing = r#"[{ "urls": ["turn:a", "turn:b:443?transport=tcp", "turns:a:443"],
        "username": "1767312000:alice", "credential": "MDEyMzQ1Njc4OTAxMjM0NTY3ODk=" }]"#;
    assert_eq!(short("ice.json", nothing), "");
}

/// What has TLS on 443 has nothing worse than what is worth knowing.
#[rstest]
#[case(WITH_TLS)]
#[case(LIBWEBRTC)]
fn what_gets_out_everywhere_has_notes_alone(#[case] text: &str) {
    assert_eq!(linted("ice.json", text).worst(), Some(Severity::Note));
}

/// The networks in which `tests/e2e/outcomes.toml` has them fail are named.
#[rstest]
#[case(PRODUCTION, &[Rule::NoTurnsOn443])]
#[case(UDP_ONLY, &[Rule::NoTurnsOn443, Rule::NoTurnOverTcp])]
#[case(DEVELOPMENT, &[Rule::NoTurn])]
fn what_fails_somewhere_is_warned_of(#[case] text: &str, #[case] expected: &[Rule]) {
    let linted = linted("ice.json", text);
    for rule in expected {
        let found = linted
            .findings()
            .find(|finding| finding.rule == *rule)
            .unwrap();
        assert_eq!(found.severity, Severity::Warning);
    }
}
