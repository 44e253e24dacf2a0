//! The rulesets of every plan are what nft accepts.

use crate::support::configuration;
use farcall::Scenario;
use farcall::lab::{Engine, images};
use farcall::plan::{FaultAction, plan};
use farcall::scenario::{
    Action, Blocking, Direction, Fault, FaultKind, FirewallOverride, FirewallPreset, NatPreset,
    Protocol, Rule,
};
use std::collections::BTreeMap;
use testcontainers::core::ExecCommand;
use testcontainers::runners::AsyncRunner;
use testcontainers::{GenericImage, ImageExt};

const CHECK: &str =
    r#"for file in /rulesets/*.nft; do nft --check --file "$file" || echo "in $file"; done"#;

/// Both ways of blocking, a list of server names, and rules of one's own of every action.
fn overrides() -> Vec<Option<FirewallOverride>> {
    let blocking = |blocking| FirewallOverride {
        blocking: Some(blocking),
        ..FirewallOverride::default()
    };
    let names = FirewallOverride {
        server_names: Some(vec!["*.example.net".to_owned()]),
        ..FirewallOverride::default()
    };
    let mut rules = Vec::new();
    for direction in [Direction::Out, Direction::In] {
        for protocol in [None, Some(Protocol::Tcp), Some(Protocol::Udp)] {
            for action in [
                Action::Accept,
                Action::AcceptTls,
                Action::Drop,
                Action::Reject,
            ] {
                for (port, address) in [(None, None), (Some(443), Some("203.0.113.0/25"))] {
                    rules.push(Rule {
                        name: format!("own/rule-{}", rules.len()),
                        direction,
                        protocol,
                        port,
                        address: address.map(|address| address.parse().unwrap()),
                        action: action.clone(),
                    });
                }
            }
        }
    }
    let own = FirewallOverride {
        rules,
        ..FirewallOverride::default()
    };
    let plain = [
        None,
        Some(blocking(Blocking::Drop)),
        Some(blocking(Blocking::Reject)),
    ];
    plain.into_iter().chain([Some(names), Some(own)]).collect()
}

/// What each kind of fault drops at a gateway, either way and both ways.
fn faults() -> Vec<Fault> {
    let kinds = [
        FaultKind::LinkDown,
        FaultKind::DropStun,
        FaultKind::DropDtls,
        FaultKind::DropRtp,
        FaultKind::DropLarge,
    ];
    let directions = [None, Some(Direction::Out), Some(Direction::In)];
    let each = kinds.into_iter().flat_map(|kind| {
        directions.map(|direction| Fault {
            kind,
            target: "office".to_owned(),
            direction,
            ..Fault::default()
        })
    });
    let rules = directions.into_iter().flat_map(|direction| {
        [
            (Some(Protocol::Tcp), Some(443), Some("203.0.113.0/24")),
            (Some(Protocol::Udp), None, None),
            (None, None, Some("203.0.113.100/32")),
        ]
        .map(|(protocol, port, address)| Fault {
            kind: FaultKind::Drop,
            target: "office".to_owned(),
            direction,
            protocol,
            port,
            address: address.map(|address| address.parse().unwrap()),
            ..Fault::default()
        })
    });
    each.chain(rules).collect()
}

/// Of every built-in scenario, and of every firewall with every override that fits it, behind NATs of the
/// kernel and of user space.
fn rulesets() -> BTreeMap<String, String> {
    let ice = configuration("with-tls");
    let mut scenarios = Scenario::all(None).unwrap();
    for firewall in FirewallPreset::ALL {
        for (index, overrides) in overrides().into_iter().enumerate() {
            if firewall.expand(overrides.as_ref()).is_err() {
                continue;
            }
            for nat in [NatPreset::Symmetric, NatPreset::PortRestricted] {
                let mut scenario = Scenario::builtin("corporate-firewall").unwrap();
                scenario.name = format!("{firewall:?}-{index}-{nat:?}");
                let gateway = &mut scenario.sites.get_mut("office").unwrap().gateway;
                gateway.nat = nat;
                gateway.firewall = firewall;
                gateway.firewall_override = overrides.clone();
                scenarios.push(scenario);
            }
        }
    }
    let mut breaking = Scenario::builtin("corporate-firewall").unwrap();
    breaking.name = "faults".to_owned();
    breaking.faults = faults();
    scenarios.push(breaking);
    let mut rulesets = BTreeMap::new();
    for scenario in &scenarios {
        let plan = plan(scenario, &ice, 1).unwrap();
        for (index, fault) in plan.faults.into_iter().enumerate() {
            if let FaultAction::Drop { rules, .. } | FaultAction::Restart { rules, .. } =
                fault.action
            {
                rulesets.insert(format!("{}-fault-{index}", scenario.name), rules);
            }
        }
        for node in plan.nodes {
            let name = format!("{}-{}", scenario.name, node.name);
            rulesets.insert(name, node.nftables);
        }
    }
    rulesets
}

/// What nft says to these rulesets.
async fn checked(rulesets: BTreeMap<String, String>) -> String {
    let engine = Engine::connect()
        .await
        .unwrap_or_else(|error| panic!("the end-to-end tests need Docker: {error}"));
    let base = images::base_image(&engine, &|_| {}).await.unwrap();
    let (name, tag) = base.reference.rsplit_once(':').unwrap();
    // One directory: each upload of its own takes the engine a third of a second.
    let files = tempfile::tempdir().unwrap();
    for (name, text) in rulesets {
        std::fs::write(files.path().join(format!("{name}.nft")), text).unwrap();
    }
    let image = GenericImage::new(name, tag)
        .with_cap_add("NET_ADMIN")
        .with_cmd(["sleep", "infinity"])
        .with_copy_to("/rulesets", files.path());
    let container = image.start().await.unwrap();
    let check = ExecCommand::new(["sh", "-c", &format!("({CHECK}) 2>&1")]);
    let mut said = container.exec(check).await.unwrap();
    String::from_utf8(said.stdout_to_vec().await.unwrap()).unwrap()
}

#[tokio::test]
async fn every_ruleset_loads() {
    let said = checked(rulesets()).await;
    assert!(said.is_empty(), "{said}");
}

#[tokio::test]
async fn a_ruleset_that_does_not_load_is_noticed() {
    let wrong = "table inet farcall {\n\tchain forward {\n\t\tudp dport 443 dorp\n\t}\n}\n";
    let said = checked([("wrong".to_owned(), wrong.to_owned())].into()).await;
    assert!(said.contains("/rulesets/wrong.nft"), "{said}");
}
