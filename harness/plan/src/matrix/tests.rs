#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use super::*;

fn libwebrtc() -> MatrixPlan {
    let ice = IceConfiguration::libwebrtc();
    plan_matrix(&Matrix::libwebrtc(), &ice, MatrixCall::default(), 1).unwrap()
}

#[test]
fn every_ordered_pair_is_called_once() {
    let pairs: BTreeSet<(usize, usize)> = rounds(5).collect();
    assert_eq!((pairs.len(), rounds(5).count()), (25, 25));
    assert_eq!(rounds(0).count(), 0);
}

#[test]
fn no_peer_is_in_two_calls_of_a_round() {
    let all: Vec<(usize, usize)> = rounds(7).collect();
    for round in all.chunks(7) {
        let rows: BTreeSet<usize> = round.iter().map(|(row, _)| *row).collect();
        let columns: BTreeSet<usize> = round.iter().map(|(_, column)| *column).collect();
        assert_eq!((rows.len(), columns.len()), (7, 7), "{round:?}");
    }
}

#[test]
fn all_hundred_cells_say_what_is_expected_and_from_where() {
    let matrix = libwebrtc();
    let from = |source| {
        let cells = matrix.cells.iter();
        cells.filter(|cell| cell.source == Some(source)).count()
    };
    assert_eq!(from(CellSource::Libwebrtc), 56);
    assert_eq!(from(CellSource::Reasoned), 44);
    assert!(
        matrix
            .cells
            .iter()
            .all(|cell| cell.expect.relayed.is_some())
    );
}

#[test]
fn what_is_untranslated_has_public_addresses_of_its_own() {
    let matrix = libwebrtc();
    let lans = matrix.plan.networks.iter().filter(|network| {
        let blocks = PUBLIC.iter();
        network.name.ends_with("-lan") && blocks.clone().any(|net| net.contains(&network.subnet))
    });
    let subnets: BTreeSet<_> = lans.map(|network| network.subnet).collect();
    assert_eq!(subnets.len(), 8);
}

#[test]
fn a_cell_is_about_its_own_two_peers() {
    let matrix = libwebrtc();
    let cells = &matrix.cells;
    let cell = cells
        .iter()
        .find(|cell| cell.offerer == "double-cone" && cell.answerer == "only-outgoing-http");
    let cell = cell.unwrap();
    let peers: Vec<&String> = cell.expect.ice_servers.keys().collect();
    assert_eq!(peers, ["alice-double-cone", "bob-only-outgoing-http"]);
    let nodes: Vec<&str> = cell.nodes.iter().map(String::as_str).collect();
    assert_eq!(
        nodes,
        [
            "alice-double-cone",
            "alice-double-cone-carrier",
            "alice-double-cone-gateway",
            "bob-only-outgoing-http",
            "bob-only-outgoing-http-gateway",
            "probe",
            "turn.example.net"
        ]
    );
    assert!(!cell.expect.blocking_rules.is_empty());
    let bob = &cell.expect.selected_pair["bob-only-outgoing-http"];
    assert_eq!(bob.local, [CandidateType::Relay]);
    assert_eq!(bob.relay_protocol, [IceTransport::Tls]);
}

#[test]
fn a_direct_path_says_how_each_sees_the_other() {
    let path = ExpectedPath {
        local: CandidateType::Srflx,
        remote: CandidateType::Prflx,
        protocol: IceTransport::Udp,
    };
    let pairs = pairs(path, ["alice", "bob"]);
    assert_eq!(pairs["alice"].remote, [CandidateType::Prflx]);
    assert_eq!(
        pairs["bob"].remote,
        [CandidateType::Srflx, CandidateType::Prflx]
    );
    assert_eq!(pairs["alice"].local, unrelayed());
}

#[test]
fn with_udp_on_both_sides_either_may_relay() {
    let path = ExpectedPath {
        local: CandidateType::Relay,
        remote: CandidateType::Prflx,
        protocol: IceTransport::Udp,
    };
    assert!(pairs(path, ["alice", "bob"]).is_empty());
}

fn catalogue(names: &[&str], call: MatrixCall) -> MatrixPlan {
    let matrix = Matrix::catalogue().only(names).unwrap();
    plan_matrix(&matrix, &IceConfiguration::production(), call, 1).unwrap()
}

fn between<'a>(matrix: &'a MatrixPlan, offerer: &str, answerer: &str) -> &'a Cell {
    let mut cells = matrix.cells.iter();
    let cell = cells.find(|cell| cell.offerer == offerer && cell.answerer == answerer);
    cell.unwrap()
}

#[test]
fn every_peer_has_what_its_network_gives_it() {
    let networks = ["home", "corporate-proxy", "captive-portal-logged-in"];
    let matrix = catalogue(&networks, MatrixCall::default());
    let call = &matrix.plan.call;
    let proxies: Vec<&String> = call.proxies.keys().collect();
    assert_eq!(proxies, ["alice-corporate-proxy", "bob-corporate-proxy"]);
    let logins: Vec<&String> = call.logins.keys().collect();
    assert_eq!(
        logins,
        [
            "alice-captive-portal-logged-in",
            "bob-captive-portal-logged-in"
        ]
    );
    assert!(matrix.cells.iter().all(|cell| cell.expect.connects));
}

#[test]
fn a_call_connects_where_both_networks_let_it() {
    let matrix = catalogue(&["home", "captive-portal"], MatrixCall::default());
    let mut connecting = matrix.cells.iter().filter(|cell| cell.expect.connects);
    let cell = connecting.next().unwrap();
    assert_eq!(
        (cell.offerer.as_str(), cell.answerer.as_str()),
        ("home", "home")
    );
    assert_eq!(connecting.next(), None);
}

#[test]
fn what_two_networks_take_beyond_others_adds_up() {
    let matrix = catalogue(
        &["home", "link-edge", "link-satellite-geo"],
        MatrixCall::default(),
    );
    let times = |offerer, answerer| {
        let cell = between(&matrix, offerer, answerer);
        let call = &cell.call;
        (
            cell.expect.within_ms,
            call.gathering_timeout_ms,
            call.media_ms,
        )
    };
    assert_eq!(times("home", "home"), (15_000, 5_000, 2_000));
    assert_eq!(times("home", "link-edge"), (30_000, 15_000, 10_000));
    assert_eq!(times("link-edge", "link-edge"), (45_000, 25_000, 18_000));
    assert_eq!(
        times("link-satellite-geo", "link-edge"),
        (35_000, 15_000, 14_000)
    );
    let patient = MatrixCall {
        within_ms: 60_000,
        ..MatrixCall::default()
    };
    let matrix = catalogue(&["link-edge"], patient);
    assert_eq!(matrix.cells[0].expect.within_ms, 60_000);
}

#[test]
fn media_that_one_network_degrades_are_degraded() {
    let matrix = catalogue(&["home", "link-3g"], MatrixCall::default());
    for cell in &matrix.cells {
        let is_slow = [&cell.offerer, &cell.answerer].contains(&&"link-3g".to_owned());
        let degraded = cell.expect.media == MediaQuality::Degraded;
        assert_eq!(degraded, is_slow, "{} {}", cell.offerer, cell.answerer);
    }
}

#[test]
fn all_networks_of_the_catalogue_can_be_in_one_lab() {
    let matrix = Matrix::catalogue();
    let count = matrix.networks.len();
    let ice = IceConfiguration::production();
    let plan = plan_matrix(&matrix, &ice, MatrixCall::default(), 1).unwrap();
    assert_eq!(plan.cells.len(), count * count);
}

#[test]
fn a_configuration_that_no_lab_can_have_is_planned_without_that_and_says_so() {
    let text = r#"[{ "urls": "stun:[2001:db8::7]" }, { "urls": "stun:stun.example.net" }]"#;
    let ice = IceConfiguration::parse("ice.json", text).unwrap();
    let planned = plan_matrix(&Matrix::libwebrtc(), &ice, MatrixCall::default(), 1).unwrap();
    let reason = planned.unsupported.unwrap();
    assert!(reason.starts_with("stun:[2001:db8::7]: "), "{reason}");
    assert_eq!(planned.plan.call.ice_servers.len(), 1);
    assert_eq!(planned.cells.len(), 100);
    assert_eq!(libwebrtc().unsupported, None);
}

#[test]
fn more_public_networks_than_there_are_is_an_error() {
    let mut matrix = Matrix::libwebrtc();
    matrix.cells.clear();
    let open = matrix.networks[0].clone();
    matrix.networks = (0..17)
        .map(|index| Network {
            name: format!("open-{index}"),
            ..open.clone()
        })
        .collect();
    let ice = IceConfiguration::libwebrtc();
    let planned = plan_matrix(&matrix, &ice, MatrixCall::default(), 1);
    assert!(matches!(planned, Err(PlanError::NetworkFull { .. })));
}
