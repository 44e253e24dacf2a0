//! NATs are what they are declared to be, whatever two hosts behind them do.

use crate::support::{configuration, harness, out};
use farcall::scenario::{Behaviour, NatOverride, NatPreset};
use farcall::{RunOptions, Scenario};
use rstest::rstest;

/// Two peers in one LAN, which the attestation also lets use one source port at the same time.
#[rstest]
#[tokio::test]
async fn every_mapping_and_filtering_holds_for_two_hosts_that_use_one_port(
    #[values(
        Behaviour::EndpointIndependent,
        Behaviour::AddressDependent,
        Behaviour::AddressAndPortDependent
    )]
    mapping: Behaviour,
    #[values(
        Behaviour::EndpointIndependent,
        Behaviour::AddressDependent,
        Behaviour::AddressAndPortDependent
    )]
    filtering: Behaviour,
) {
    let mut scenario = Scenario::builtin("same-network").unwrap();
    let gateway = &mut scenario.sites.get_mut("home").unwrap().gateway;
    gateway.nat = NatPreset::HomeRouter;
    gateway.nat_override = Some(NatOverride {
        mapping: Some(mapping),
        filtering: Some(filtering),
        // Else no two hosts could wish for one port.
        port_preservation: Some(true),
        hairpinning: Some(mapping == Behaviour::EndpointIndependent),
        udp_timeout_s: Some(5),
        tcp_timeout_s: None,
    });
    let options = RunOptions {
        out: out(),
        ..RunOptions::default()
    };
    let attestation = harness()
        .await
        .attest(&scenario, &configuration("with-tls"), true, &options)
        .await
        .unwrap();
    assert!(attestation.holds, "{attestation:#?}");
    let of_nat = |what: &str| {
        let measured = attestation.attestation.iter();
        measured.filter(|fact| fact.what.contains(what)).count()
    };
    for what in ["NAT mapping", "NAT filtering"] {
        assert!(of_nat(what) >= 4, "{what}: {attestation:#?}");
    }
    assert_eq!(of_nat("at every peer"), 4, "{attestation:#?}");
}
