//! The servers that an ICE configuration asks for.

use crate::support::{ice, office, planned, public, refused, stun, turn, with_tls};
use farcall_plan::{Fact, Listener, Plan, PlanError, Role, TurnServer, plan_each, unsupported};
use farcall_scenario::{
    CertificateFlaw, FirewallPreset, IceConfiguration, RestCredentials, Secret, ServerCondition,
    TimeStampUnit,
};
use farcall_timeline::IceServerOutcome;
use farcall_timeline::IceTransport::{Tcp, Tls, Udp};
use rstest::rstest;

fn server<'a>(plan: &'a Plan, node: &str) -> &'a TurnServer {
    let node = plan.nodes.iter().find(|at| at.name == node).unwrap();
    match &node.role {
        Role::TurnServer(server) => server,
        other => panic!("{} is {other:?}", node.name),
    }
}

fn has_line(server: &TurnServer, line: &str) -> bool {
    server.configuration.lines().any(|at| at == line)
}

#[test]
fn a_host_has_exactly_the_listeners_that_its_urls_name() {
    let plan = planned(&office(FirewallPreset::Open), &with_tls());
    let listener = |port, transport| Listener { port, transport };
    let server = server(&plan, "turn.example.net");
    assert_eq!(
        server.listeners,
        [
            listener(443, Tcp),
            listener(443, Tls),
            listener(3478, Udp),
            listener(5349, Tls)
        ]
    );
    assert_eq!(server.certificate.as_deref(), Some("turn.example.net"));
    assert!(has_line(server, "listening-port=443"));
    assert!(has_line(server, "aux-server=203.0.113.100:3478"));
}

#[test]
fn transports_that_no_url_names_are_off() {
    let servers = vec![turn("a.example", 80, Tcp), stun("b.example", 3478)];
    let plan = planned(&office(FirewallPreset::Open), &ice(servers));
    let tcp_only = server(&plan, "a.example");
    assert!(has_line(tcp_only, "no-udp") && has_line(tcp_only, "no-tls"));
    assert!(!has_line(tcp_only, "no-tcp") && has_line(tcp_only, "lt-cred-mech"));
    let stun_only = server(&plan, "b.example");
    assert!(has_line(stun_only, "no-tcp") && has_line(stun_only, "stun-only"));
    assert!(stun_only.accounts.is_empty());
}

#[test]
fn host_names_are_compared_as_dns_does() {
    let servers = vec![turn("T.example", 80, Tcp), turn("t.EXAMPLE.", 443, Udp)];
    let plan = planned(&office(FirewallPreset::Open), &ice(servers));
    assert_eq!(server(&plan, "t.example").listeners.len(), 2);
    assert_eq!(plan.expect.turn_nodes["T.example"], "t.example");
}

#[test]
fn a_literal_address_of_the_internet_is_the_server_s_own() {
    let servers = vec![turn("203.0.113.10", 443, Tcp)];
    let plan = planned(&office(FirewallPreset::Open), &ice(servers));
    let addresses: Vec<String> = plan
        .nodes
        .iter()
        .flat_map(|node| &node.interfaces)
        .filter(|interface| interface.network == "internet")
        .map(|interface| interface.addresses[0].to_string())
        .collect();
    assert_eq!(
        addresses,
        [
            "203.0.113.11/24",
            "203.0.113.12/24",
            "203.0.113.10/24",
            "203.0.113.100/24",
            "203.0.113.2/24"
        ]
    );
    assert_eq!(plan.names.keys().collect::<Vec<_>>(), ["signalling.test"]);
}

#[test]
fn a_literal_address_elsewhere_is_routed_to_the_server() {
    let servers = vec![turn("8.8.8.8", 443, Tcp)];
    let plan = planned(&public(FirewallPreset::Open), &ice(servers));
    let node = |name: &str| plan.nodes.iter().find(|at| at.name == name).unwrap();
    let addresses = &node("8.8.8.8").interfaces[0].addresses;
    assert_eq!(addresses[0].to_string(), "203.0.113.100/24");
    assert_eq!(addresses[1].to_string(), "8.8.8.8/32");
    for router in ["east-gateway", "west-gateway", "probe"] {
        let routes = &node(router).routes;
        let found = routes.iter().find(|at| at.to.to_string() == "8.8.8.8/32");
        assert_eq!(found.unwrap().via.to_string(), "203.0.113.100");
    }
    assert!(has_line(server(&plan, "8.8.8.8"), "listening-ip=8.8.8.8"));
}

#[rstest]
#[case::loopback("127.0.0.1")]
#[case::ipv6_without_brackets("2001:db8::1")]
#[case::more_than_a_name("a.example,203.0.113.9")]
#[case::a_line_break("a.example\nno-auth")]
#[case::empty("")]
fn hosts_that_no_lab_can_have_are_refused(#[case] host: &str) {
    let scenario = office(FirewallPreset::Open);
    let error = refused(&scenario, &ice(vec![turn(host, 443, Tcp)]));
    assert!(matches!(error, PlanError::UnusableHost { .. }), "{error}");
}

#[test]
fn a_server_at_an_ipv6_literal_is_unsupported_and_the_rest_can_be_planned() {
    let both = ice(vec![
        stun("[2001:db8::9]", 3478),
        turn("[2001:db8::1]", 443, Tls),
        turn("turn.example.net", 443, Tls),
    ]);
    let scenario = office(FirewallPreset::Open);
    let found = unsupported(&both).unwrap();
    let urls = "stun:[2001:db8::9]:3478, turns:[2001:db8::1]:443?transport=tcp: ";
    assert!(found.reason.starts_with(urls), "{}", found.reason);
    assert!(
        found.reason.contains("write a host name"),
        "{}",
        found.reason
    );
    assert_eq!(found.rest.ice_servers.len(), 1);
    let expected = PlanError::Unsupported {
        configuration: "test".to_owned(),
        reason: found.reason.clone(),
    };
    assert_eq!(refused(&scenario, &both), expected);
    let together = plan_each(&scenario, &[with_tls(), both], 7);
    assert!(matches!(together, Err(PlanError::Unsupported { .. })));
    let plan = planned(&scenario, &found.rest);
    assert_eq!(plan.call.ice_servers.len(), 1);
    assert_eq!(unsupported(&found.rest), None);
}

#[test]
fn a_url_leaves_the_others_of_its_entry_in_place() {
    let mut entry = turn("turn.example.net", 443, Tls);
    entry.urls.extend(turn("[2001:db8::1]", 443, Udp).urls);
    let found = unsupported(&ice(vec![entry])).unwrap();
    let [left] = &found.rest.ice_servers[..] else {
        panic!("{:?}", found.rest);
    };
    assert_eq!(left.urls.len(), 1);
    assert_eq!(left.username.as_deref(), Some("user"));
}

/// Nobody asks for a server then, and the lab is one all the same.
#[test]
fn a_configuration_of_literals_alone_leaves_a_lab_without_servers() {
    let found = unsupported(&ice(vec![turn("[2001:db8::1]", 443, Udp)])).unwrap();
    assert_eq!(found.rest.urls().count(), 0);
    let plan = planned(&office(FirewallPreset::Open), &found.rest);
    assert!(plan.call.ice_servers.is_empty());
}

#[rstest]
#[case::the_probe_has_it("203.0.113.3")]
#[case::it_is_the_network("203.0.113.0")]
#[case::a_lan_has_it("192.168.1.77")]
#[case::a_carrier_has_it("100.64.0.9")]
fn addresses_that_something_else_has_are_refused(#[case] host: &str) {
    let scenario = office(FirewallPreset::Open);
    let error = refused(&scenario, &ice(vec![turn(host, 443, Tcp)]));
    assert!(matches!(error, PlanError::AddressTaken { .. }), "{error}");
}

#[test]
fn one_user_with_two_passwords_on_one_server_is_refused_without_telling_them() {
    let mut other = turn("t.example", 80, Tcp);
    other.credential = Some(Secret::new("hunter3"));
    let servers = vec![turn("t.example", 443, Tcp), other];
    let error = refused(&office(FirewallPreset::Open), &ice(servers));
    assert!(matches!(error, PlanError::TwoPasswords { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter"));
}

#[test]
fn configurations_that_share_a_lab_have_its_servers_together_and_their_calls_apart() {
    let scenario = office(FirewallPreset::Corporate);
    let udp = IceConfiguration {
        name: "udp".to_owned(),
        ..ice(vec![turn("turn.example.net", 80, Udp)])
    };
    let all = [with_tls(), udp];
    let [first, second] = &plan_each(&scenario, &all, 7).unwrap()[..] else {
        panic!("a plan for each");
    };
    assert_eq!(first.nodes, second.nodes);
    assert_eq!(first.attestation, second.attestation);
    let listeners = &server(first, "turn.example.net").listeners;
    for one in all.iter().map(|ice| planned(&scenario, ice)) {
        let mut own = server(&one, "turn.example.net").listeners.iter();
        assert!(own.all(|listener| listeners.contains(listener)));
    }
    for (plan, ice) in [first, second].into_iter().zip(&all) {
        let alone = planned(&scenario, ice);
        assert_eq!(plan.ice_configuration, ice.name);
        assert_eq!(plan.call, alone.call);
        assert_eq!(plan.expect.ice_servers, alone.expect.ice_servers);
        assert_eq!(plan.expect.blocking_rules, alone.expect.blocking_rules);
    }
}

#[test]
fn configurations_with_two_passwords_for_one_account_cannot_share_a_lab() {
    let mut other = with_tls();
    let relay = other
        .ice_servers
        .iter_mut()
        .find(|one| one.credential.is_some());
    relay.unwrap().credential = Some(Secret::new("another"));
    let planned = plan_each(&office(FirewallPreset::Open), &[with_tls(), other], 1);
    assert!(matches!(planned, Err(PlanError::TwoPasswords { .. })));
}

/// The office with these conditions, and the configuration of one server that listens for everything.
fn burdened(conditions: &[ServerCondition]) -> Plan {
    let mut scenario = office(FirewallPreset::Open);
    scenario.servers.conditions = conditions.to_vec();
    planned(&scenario, &with_tls())
}

fn outcomes(plan: &Plan) -> Vec<IceServerOutcome> {
    let expected = plan.expect.ice_servers["alice"].iter();
    let mut outcomes: Vec<_> = expected.map(|expected| expected.outcome).collect();
    outcomes.dedup();
    outcomes
}

#[rstest]
#[case::wrong_credentials(ServerCondition::WrongCredentials, IceServerOutcome::Unauthorized)]
#[case::quota(ServerCondition::Quota, IceServerOutcome::Quota)]
#[case::no_capacity(ServerCondition::NoCapacity, IceServerOutcome::NoCapacity)]
#[case::peers_denied(ServerCondition::PeersDenied, IceServerOutcome::Allocated)]
#[case::relay_ports_blocked(ServerCondition::RelayPortsBlocked, IceServerOutcome::Allocated)]
#[case::name_missing(ServerCondition::NameMissing, IceServerOutcome::DnsFailed)]
fn what_is_wrong_with_a_server_decides_what_its_urls_come_to(
    #[case] condition: ServerCondition,
    #[case] outcome: IceServerOutcome,
) {
    let plan = burdened(&[condition]);
    let turn = plan.expect.ice_servers["alice"].iter();
    for expected in turn.filter(|expected| !expected.url.starts_with("stun:")) {
        assert_eq!(expected.outcome, outcome, "{expected:?}");
    }
    assert_eq!(plan.expect.server_conditions, [condition]);
}

#[test]
fn a_flawed_certificate_is_met_over_tls_alone() {
    let plan = burdened(&[ServerCondition::CertificateExpired]);
    for expected in &plan.expect.ice_servers["alice"] {
        let fails = expected.outcome == IceServerOutcome::TlsFailed;
        assert_eq!(fails, expected.url.starts_with("turns:"), "{expected:?}");
    }
    let server = server(&plan, "turn.example.net");
    assert_eq!(server.certificate_flaw, Some(CertificateFlaw::Expired));
    let mut facts = plan.attestation.iter().map(|declared| &declared.fact);
    assert!(facts.any(|fact| matches!(fact, Fact::ListenerCertificate { .. })));
}

#[test]
fn a_listener_that_is_missing_is_attested_to_be() {
    let plan = burdened(&[ServerCondition::NoUdp, ServerCondition::NoTls]);
    let left = &server(&plan, "turn.example.net").listeners;
    assert!(
        left.iter().all(|listener| listener.transport == Tcp),
        "{left:?}"
    );
    let refused = |port, transport| {
        let wanted = Listener { port, transport };
        plan.attestation.iter().any(
            |declared| matches!(&declared.fact, Fact::ListenerRefuses { listener, .. } if *listener == wanted),
        )
    };
    assert!(refused(3478, Udp) && refused(443, Tls) && !refused(443, Tcp));
    assert!(outcomes(&plan).contains(&IceServerOutcome::Reset), "{plan}");
}

#[test]
fn time_limited_credentials_take_the_place_of_accounts() {
    let mut scenario = office(FirewallPreset::Open);
    scenario.servers.rest = Some(RestCredentials {
        valid_s: 60,
        unit: TimeStampUnit::Seconds,
    });
    let plan = planned(&scenario, &with_tls());
    let server = server(&plan, "turn.example.net");
    assert!(has_line(server, "use-auth-secret") && !has_line(server, "lt-cred-mech"));
    assert!(server.accounts.is_empty());
    let authority = plan.call.rest.as_ref().unwrap();
    assert_eq!(server.secret.as_ref(), Some(&authority.secret));
    assert!(!plan.to_string().contains(authority.secret.expose()));
}

#[rstest]
#[case::in_time(60, TimeStampUnit::Seconds, None)]
#[case::past(0, TimeStampUnit::Seconds, Some("credentials that are past"))]
#[case::in_milliseconds(60, TimeStampUnit::Milliseconds, Some("a time stamp in milliseconds"))]
#[case::of_no_validity_in_milliseconds(
    0,
    TimeStampUnit::Milliseconds,
    Some("a time stamp in milliseconds")
)]
fn credentials_that_servers_must_not_accept_are_refused_by_each(
    #[case] valid_s: u32,
    #[case] unit: TimeStampUnit,
    #[case] refusal: Option<&str>,
) {
    let mut scenario = office(FirewallPreset::Open);
    scenario.servers.rest = Some(RestCredentials { valid_s, unit });
    let plan = planned(&scenario, &with_tls());
    let authority = plan.call.rest.as_ref().unwrap();
    assert_eq!((authority.valid_s, authority.unit), (valid_s, unit));
    assert_eq!(plan.expect.refuses_credentials, refusal.is_some());
    let turn = plan.expect.ice_servers["alice"].iter();
    for expected in turn.filter(|expected| !expected.url.starts_with("stun:")) {
        let (outcome, because) = match refusal {
            Some(refusal) => (IceServerOutcome::Unauthorized, refusal),
            None => (IceServerOutcome::Allocated, "the configuration's account"),
        };
        assert_eq!(expected.outcome, outcome, "{expected:?}");
        assert!(expected.because.contains(because), "{expected:?}");
    }
}

#[test]
fn conditions_are_settings_of_coturn_and_rules_of_its_node() {
    for (condition, line) in [
        (ServerCondition::StaleNonce, "stale-nonce=1"),
        (ServerCondition::Quota, "user-quota=1"),
        (ServerCondition::NoCapacity, "max-port=49152"),
        (
            ServerCondition::PeersDenied,
            "denied-peer-ip=0.0.0.0-255.255.255.255",
        ),
        (
            ServerCondition::WrongExternalAddress,
            "external-ip=198.51.100.254",
        ),
    ] {
        let plan = burdened(&[condition]);
        assert!(has_line(server(&plan, "turn.example.net"), line), "{line}");
        let well = burdened(&[]);
        assert!(!has_line(server(&well, "turn.example.net"), line), "{line}");
    }
    let blocks = |plan: &Plan| {
        let nodes = plan.nodes.iter();
        nodes
            .filter(|node| node.nftables.contains("relay/blocked"))
            .count()
    };
    assert_eq!(blocks(&burdened(&[ServerCondition::RelayPortsBlocked])), 1);
    assert_eq!(blocks(&burdened(&[])), 0);
}
