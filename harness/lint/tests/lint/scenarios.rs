//! The scenarios that findings name are there.

use crate::support::linted;
use farcall_scenario::Scenario;
use std::collections::BTreeSet;

#[test]
fn each_scenario_that_a_finding_names_is_built_in() {
    let known: BTreeSet<String> = Scenario::all(None)
        .unwrap()
        .into_iter()
        .map(|scenario| scenario.name)
        .collect();
    let mut named = BTreeSet::new();
    for json in [
        r#"[{ "urls": ["turn:192.0.2.1:443", "turns:192.0.2.1"], "username": "1:a", "credential": "" }]"#,
        r#"[{ "urls": "turn:numb.viagenie.ca", "username": "200000000:a", "credential": "x" }]"#,
        r#"[{ "urls": "stun:a" }]"#,
        r#"{ "iceServers": [], "iceTransportPolicy": "relay" }"#,
    ] {
        let linted = linted("ice.json", json);
        named.extend(
            linted
                .findings()
                .flat_map(|finding| finding.scenarios.clone()),
        );
    }
    assert!(named.len() >= 6, "{named:?}");
    assert!(named.is_subset(&known), "{named:?}");
}
