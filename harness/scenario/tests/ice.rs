//! Reading ICE configurations.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use farcall_scenario::{IceConfiguration, IceTransportPolicy, Scheme};
use std::path::Path;

fn hosts(configuration: &IceConfiguration) -> Vec<(Scheme, &str, u16)> {
    let urls = configuration.urls().map(|(_, url)| url);
    urls.map(|url| (url.scheme, url.host.as_str(), url.port))
        .collect()
}

#[test]
fn every_configuration_of_the_repository_can_be_read() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ice");
    let mut count = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let configuration = IceConfiguration::load(&path).unwrap();
        assert!(configuration.urls().count() > 0, "{}", path.display());
        assert_eq!(
            format!("{}.json", configuration.name),
            path.file_name().unwrap().to_str().unwrap()
        );
        count += 1;
    }
    assert!(count >= 4, "{count}");
}

#[test]
fn the_production_configuration_keeps_its_entries_in_order() {
    let production = IceConfiguration::production();
    assert_eq!(production.name, "production");
    assert_eq!(
        hosts(&production),
        [
            (Scheme::Turn, "openrelay.metered.ca", 443),
            (Scheme::Turn, "openrelay.metered.ca", 443),
            (Scheme::Turn, "relay.backups.cz", 443),
            (Scheme::Turn, "openrelay.metered.ca", 80),
            (Scheme::Turn, "relay.backups.cz", 3478),
            (Scheme::Stun, "stun.l.google.com", 19302),
            (Scheme::Stun, "stun1.l.google.com", 19302),
        ]
    );
}

#[test]
fn the_development_configuration_has_stun_alone() {
    let development = IceConfiguration::development();
    assert!(
        development
            .urls()
            .all(|(_, url)| url.scheme == Scheme::Stun)
    );
    assert_eq!(development.urls().count(), 2);
}

#[test]
fn the_list_of_servers_alone_will_do() {
    let bare = r#"[{ "urls": ["stun:a", "stun:b:1"] }, { "urls": "stun:c" }]"#;
    let bare = IceConfiguration::parse("bare", bare).unwrap();
    let expected = [
        (Scheme::Stun, "a", 3478),
        (Scheme::Stun, "b", 1),
        (Scheme::Stun, "c", 3478),
    ];
    assert_eq!(hosts(&bare), expected);
    assert_eq!(bare.ice_transport_policy, None);
}

#[test]
fn all_members_of_an_rtc_configuration_may_stand_there() {
    let json = r#"{
        "iceServers": [{
            "urls": "turn:t", "username": "u", "credential": "c", "credentialType": "password"
        }],
        "iceTransportPolicy": "relay",
        "bundlePolicy": "max-bundle",
        "rtcpMuxPolicy": "require",
        "iceCandidatePoolSize": 10,
        "peerIdentity": "bob@example.net",
        "certificates": []
    }"#;
    let configuration = IceConfiguration::parse("all", json).unwrap();
    assert_eq!(
        configuration.ice_transport_policy,
        Some(IceTransportPolicy::Relay)
    );
    let server = &configuration.ice_servers[0];
    assert_eq!(server.username.as_deref(), Some("u"));
    assert_eq!(server.credential.as_ref().unwrap().expose(), "c");
}

#[test]
fn a_configuration_made_in_code_gets_the_same_errors_by_key() {
    let mut configuration = IceConfiguration::production();
    configuration.validate().unwrap();
    configuration.ice_servers[1].credential = Some(farcall_scenario::Secret::new("hunter2"));
    configuration.ice_servers[2].username = None;
    let problems = configuration.validate().unwrap_err();
    let keys: Vec<_> = problems
        .iter()
        .map(|problem| problem.key.as_str())
        .collect();
    assert_eq!(keys, ["iceServers[2]", "iceServers[1].credential"]);
    assert!(!format!("{problems:?}").contains("hunter2"));
}
