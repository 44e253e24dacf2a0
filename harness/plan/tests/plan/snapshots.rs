//! Whole plans as `farcall plan` prints them.

use crate::support::{office, planned, production, public, with_tls};
use farcall_scenario::FirewallPreset;

#[test]
fn corporate_firewall_with_the_production_configuration() {
    let plan = planned(&office(FirewallPreset::Corporate), &production());
    insta::assert_snapshot!(plan);
}

#[test]
fn tls_only_firewall_with_tls() {
    let plan = planned(&office(FirewallPreset::TlsOnly), &with_tls());
    insta::assert_snapshot!(plan);
}

#[test]
fn public_peers() {
    let plan = planned(&public(FirewallPreset::Open), &production());
    insta::assert_snapshot!(plan);
}

#[test]
fn no_password_is_shown() {
    let plan = planned(&office(FirewallPreset::Corporate), &production());
    let json = serde_json::to_string(&plan).unwrap();
    assert!(!format!("{plan}{plan:?}{json}").contains("hunter2"));
}

#[test]
fn the_same_input_gives_the_same_plan() {
    let plan = || planned(&office(FirewallPreset::TlsOnly), &with_tls());
    assert_eq!(plan(), plan());
}
