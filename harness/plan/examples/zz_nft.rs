#![allow(missing_docs, clippy::unwrap_used)]
use farcall_scenario::*;
fn main() {
    for preset in FirewallPreset::ALL {
        for blocking in [None, Some(Blocking::Drop), Some(Blocking::Reject)] {
            for names in [false, true] {
                let o = FirewallOverride {
                    blocking,
                    server_names: names.then(|| vec!["*.example.net".into()]),
                    rules: if names {
                        vec![
                            Rule {
                                name: "own/a".into(),
                                direction: Direction::In,
                                protocol: None,
                                port: Some(5),
                                address: Some("203.0.113.0/24".parse().unwrap()),
                                action: Action::Reject,
                            },
                            Rule {
                                name: "own/b".into(),
                                direction: Direction::Out,
                                protocol: None,
                                port: None,
                                address: Some("2001:db8::/32".parse().unwrap()),
                                action: Action::AcceptTls,
                            },
                        ]
                    } else {
                        vec![]
                    },
                    ..Default::default()
                };
                if preset.expand(Some(&o)).is_err() {
                    continue;
                }
                let mut s = Scenario::builtin("corporate-firewall").unwrap();
                for site in s.sites.values_mut() {
                    site.gateway.firewall = preset;
                    site.gateway.firewall_override = Some(o.clone());
                }
                let i = IceConfiguration::load("ice/with-tls.json".as_ref()).unwrap();
                let p = farcall_plan::plan(&s, &i, 1).unwrap();
                for n in p.nodes {
                    std::fs::write(
                        format!("/tmp/nft/{preset:?}-{blocking:?}-{names}-{}.nft", n.name),
                        n.nftables,
                    )
                    .unwrap();
                }
            }
        }
    }
}
