//! What a person reads after each kind of mistake in a scenario file.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use farcall_scenario::Scenario;
use rstest::{Context, rstest};
use support::render;

/// A scenario without mistakes.
const GOOD: &str = r#"description = "An office and a phone"

[sites.office]
lan = "10.20.0.0/24"
gateway = { nat = "home-router", firewall = "corporate" }

[sites.phone]
lan = "192.168.43.0/24"
gateway = { nat = "symmetric" }
carrier = { network = "100.64.0.0/24", nat = "mobile-carrier" }

[[peers]]
name = "alice"
site = "office"

[[peers]]
name = "bob"
site = "phone"

[expect]
connects = true
within_ms = 15000
"#;

#[test]
fn what_the_mistakes_are_made_in_is_good() {
    Scenario::parse("office.toml", GOOD).unwrap();
}

/// Each case replaces a part of the good scenario.
#[rstest]
#[case::unknown_key("firewall =", "firewal =")]
#[case::unknown_section("[expect]", "[[faults]]\nkind = \"outage\"\n[expect]")]
#[case::wrong_type("lan = \"10.20.0.0/24\"", "lan = 10")]
#[case::table_of_wrong_type("gateway = { nat = \"symmetric\" }", "gateway = \"symmetric\"")]
#[case::missing_gateway("gateway = { nat = \"symmetric\" }\n", "")]
#[case::missing_expectations("[expect]\nconnects = true\nwithin_ms = 15000\n", "")]
#[case::unknown_nat("\"symmetric\"", "\"symetric\"")]
#[case::unknown_firewall("\"corporate\"", "\"paranoid\"")]
#[case::no_network("192.168.43.0/24", "192.168.43.0")]
#[case::host_address("192.168.43.0/24", "192.168.43.7/24")]
#[case::prefix_too_long("192.168.43.0/24", "192.168.43.0/30")]
#[case::reserved_addresses("192.168.43.0/24", "127.0.0.0/8")]
#[case::lan_is_the_internet("192.168.43.0/24", "203.0.113.128/25")]
#[case::carrier_overlaps_lan("100.64.0.0/24", "192.168.0.0/16")]
#[case::private_without_nat("nat = \"home-router\"", "nat = \"none\"")]
#[case::no_peer_like_it("[[peers]]\nname = \"bob\"\nsite = \"phone\"\n", "")]
#[case::two_peers_of_one_name("\"bob\"", "\"alice\"")]
#[case::peer_in_unknown_site("site = \"phone\"", "site = \"fone\"")]
#[case::peer_named_as_a_gateway("\"bob\"", "\"office-gateway\"")]
#[case::peer_name_is_no_label("\"bob\"", "\"Bob Smith\"")]
#[case::site_name_is_no_label("[sites.phone]", "[sites.my_phone]")]
#[case::out_of_range("within_ms = 15000", "within_ms = 15")]
#[case::negative("within_ms = 15000", "within_ms = -1")]
#[case::call_out_of_range(
    "[expect]",
    "[call]\nmedia_ms = 100\ngathering_timeout_ms = 90_000\npolicy = \"relais\"\n[expect]"
)]
#[case::override_of_nothing(
    "lan = \"192.168.43.0/24\"\ngateway = { nat = \"symmetric\" }",
    "lan = \"192.0.2.0/24\"\ngateway = { nat = \"none\", nat_override = { mapping = \"endpoint-independent\" } }"
)]
#[case::nat_that_cannot_be_built(
    "nat = \"symmetric\"",
    "nat = \"symmetric\", nat_override = { mapping = \"address-dependent\", hairpinning = true, udp_timeout_s = 0 }"
)]
#[case::symmetric_nat_that_hairpins(
    "nat = \"mobile-carrier\"",
    "nat = \"mobile-carrier\", nat_override = { hairpinning = true }"
)]
#[case::full_cone_behind_a_firewall("nat = \"home-router\"", "nat = \"full-cone\"")]
#[case::server_names_that_nobody_looks_at(
    "firewall = \"corporate\"",
    "firewall = \"corporate\", firewall_override = { server_names = [\"turn.example.net\"] }"
)]
#[case::blocking_of_what_blocks_nothing(
    "firewall = \"corporate\"",
    "firewall = \"open\", firewall_override = { blocking = \"reject\", udp_kbit = 500 }"
)]
#[case::no_server_name(
    "firewall = \"corporate\"",
    "firewall = \"tls-only\", firewall_override = { server_names = [\"*.example.net\", \"turn.*.net\"] }"
)]
#[case::rules_that_cannot_be(
    "firewall = \"corporate\"",
    "firewall = \"corporate\", firewall_override = { rules = [
    { name = \"corporate/drop-udp\", port = 0, action = \"redirect\" },
    { name = \"own/a\", protocol = \"udp\", port = 70_000, action = \"accept-tls\" },
    { name = \"own/a\", address = \"turn.example.net\", action = \"drop\" },
] }"
)]
#[case::proxy_that_is_not_there(
    "site = \"office\"",
    "site = \"office\"\nuses_proxy = true\nlogs_in = true"
)]
#[case::ipv6_past_a_link(
    "lan = \"10.20.0.0/24\"",
    "lan = \"10.20.0.0/24\"\nipv6 = \"dual-stack\"\nlink = \"dsl\""
)]
#[case::ipv6_behind_a_carrier(
    "lan = \"192.168.43.0/24\"",
    "lan = \"192.168.43.0/24\"\nipv6 = \"broken\""
)]
#[case::ipv6_only_without_a_nat(
    "lan = \"10.20.0.0/24\"\ngateway = { nat = \"home-router\", firewall = \"corporate\" }",
    "lan = \"192.0.2.0/24\"\nipv6 = \"only\"\ngateway = { nat = \"none\" }"
)]
#[case::ipv6_through_a_proxy(
    "lan = \"10.20.0.0/24\"\ngateway = { nat = \"home-router\", firewall = \"corporate\" }",
    "lan = \"10.20.0.0/24\"\nipv6 = \"broken\"\ngateway = { nat = \"home-router\", firewall = \"http-proxy\" }"
)]
#[case::unknown_link("lan = \"10.20.0.0/24\"", "lan = \"10.20.0.0/24\"\nlink = \"5g\"")]
#[case::link_out_of_range(
    "lan = \"10.20.0.0/24\"",
    "lan = \"10.20.0.0/24\"\nlink_override = { up = { loss = { kind = \"random\", percent = 101 }, mtu = 20 } }"
)]
#[case::expectation_of_unknown_peer(
    "within_ms = 15000",
    "within_ms = 15000\nselected_pair.alicia = { local = [\"relay\"] }"
)]
#[case::unknown_candidate_type(
    "within_ms = 15000",
    "within_ms = 15000\nselected_pair.alice = { local = [\"relayed\"], relay_protocol = [\"dtls\"] }"
)]
#[case::selected_pair_of_no_call(
    "connects = true\nwithin_ms = 15000",
    "connects = false\nwithin_ms = 15000\nrelayed = true\nselected_pair.alice = { local = [\"relay\"] }"
)]
#[case::relay_protocol_of_no_relay(
    "within_ms = 15000",
    "within_ms = 15000\nselected_pair.alice = { local = [\"host\"], relay_protocol = [\"tcp\"] }"
)]
#[case::relayed_contradicts_types(
    "within_ms = 15000",
    "within_ms = 15000\nrelayed = false\nselected_pair.alice = { local = [\"relay\"] }"
)]
#[case::no_candidate_may_be_relayed(
    "within_ms = 15000",
    "within_ms = 15000\nrelayed = true\nselected_pair.alice = { local = [\"host\"] }\nselected_pair.bob = { local = [\"srflx\"] }"
)]
#[case::unknown_condition_of_a_server(
    "[expect]",
    "[servers]\nconditions = [\"stale-nounce\"]\n[expect]"
)]
#[case::conditions_that_contradict(
    "[expect]",
    "[servers]\nconditions = [\"quota\", \"no-capacity\", \"quota\"]\naccount = { username = \"a\", credential = \"b\" }\nrest = { valid_s = 90_000 }\n[expect]"
)]
#[case::unknown_unit_of_a_time_stamp(
    "[expect]",
    "[servers]\nrest = { valid_s = 60, unit = \"millisecond\" }\n[expect]"
)]
#[case::unit_without_validity(
    "[expect]",
    "[servers]\nunit = \"seconds\"\nrest = { unit = \"milliseconds\" }\n[expect]"
)]
#[case::faults_that_cannot_be(
    "[expect]",
    "[[faults]]\nkind = \"server-restarted\"\ntarget = \"turn-server-in-use\"\nfrom = { event = \"call\", ms = 5 }\nuntil = { event = \"call\" }\n[expect]"
)]
#[case::media_of_unknown_peer_and_fate(
    "within_ms = 15000",
    "within_ms = 15000\nflows.alicia = { audio = \"dropped\" }\nflows.bob = { video = \"lost\" }"
)]
#[case::not_toml("lan = \"10.20.0.0/24\"", "lan = 10.20.0.0/24")]
#[case::key_written_twice("within_ms = 15000", "within_ms = 15000\nwithin_ms = 1000")]
fn mistake(#[context] context: Context, #[case] good: &str, #[case] bad: &str) {
    assert!(GOOD.contains(good), "{good}");
    let text = GOOD.replacen(good, bad, 1);
    let problems = Scenario::parse("office.toml", &text).unwrap_err();
    let name = context.description.unwrap();
    insta::assert_snapshot!(name, render(&problems), bad);
}

#[test]
fn all_mistakes_of_all_kinds_are_reported_at_once() {
    let text = r#"description = ""
tags = ["two words"]

[sites.office]
lan = "10.20.0.0/33"
gateway = { nat = "home-ruter", firewal = "corporate" }

[sites.phone]
lan = "203.0.113.0/24"

[[peers]]
name = "alice"
site = "offce"
mute = true

[[peers]]
name = "alice"

[expect]
connects = "yes"
within_ms = 1
selected_pair.bob = { local = ["relais"] }
"#;
    let problems = Scenario::parse("office.toml", text).unwrap_err();
    insta::assert_debug_snapshot!(problems);
}

#[test]
fn what_follows_from_an_unreadable_value_alone_is_not_reported() {
    // Neither is the LAN's stand-in outside the allowed prefixes, nor `bob` unknown.
    let text = GOOD
        .replacen("192.168.43.0/24", "not a network", 1)
        .replacen("name = \"bob\"", "name = 1", 1)
        .replacen(
            "within_ms = 15000",
            "within_ms = 15000\nselected_pair.bob = {}",
            1,
        );
    let problems = Scenario::parse("office.toml", &text).unwrap_err();
    let keys: Vec<_> = problems
        .iter()
        .map(|problem| problem.key.as_str())
        .collect();
    assert_eq!(keys, ["sites.phone.lan", "peers[1].name"]);
}

#[test]
fn a_problem_has_its_line_and_column() {
    let text = GOOD.replacen("An office", "Ein Büro", 1);
    let text = text.replacen("\"symmetric\"", "\"x\"", 1);
    let problems = Scenario::parse("office.toml", &text).unwrap_err();
    let place = problems.iter().next().unwrap().place.clone().unwrap();
    assert_eq!(place.to_string(), "office.toml:9:19");
    assert_eq!(&text[place.span], "\"x\"");
}

#[test]
fn a_scenario_made_in_code_gets_the_same_errors_by_key() {
    let mut scenario = Scenario::parse("office", GOOD).unwrap();
    scenario.validate().unwrap();
    scenario.peers[1].site = "moon".to_owned();
    scenario.expect.within_ms = 0;
    insta::assert_snapshot!(render(&scenario.validate().unwrap_err()));
}

#[rstest]
#[case::in_its_place("credential = \"hunter2\"", "usrname = \"x\"")]
#[case::of_the_wrong_type("credential = [\"hunter2\"]", "username = \"x\"")]
#[case::under_a_misspelt_key("credentail = \"hunter2\"", "username = \"x\"")]
#[case::under_another_key("password = \"\"\"\nhunter2\"\"\"", "username = \"x\"")]
#[case::in_a_comment("# credential = \"hunter2\"", "username = \"x\"")]
#[case::beside_broken_toml("credential = \"hunter2", "username = \"x\"")]
fn a_credential_is_never_shown(#[case] credential: &str, #[case] username: &str) {
    let text = format!("{GOOD}[servers.account]\n{username}\n{credential}\n");
    let problems = Scenario::parse("office.toml", &text).unwrap_err();
    let shown = format!("{}{problems:?}{problems}", render(&problems));
    assert!(!shown.contains("hunter2"), "{shown}");
}
