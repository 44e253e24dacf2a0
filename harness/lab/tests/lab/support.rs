//! An engine, an image with a stand-in agent, and a small plan.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use farcall_lab::{AgentImage, Engine, Lab, LabOptions, RaiseError, SessionId, images};
use farcall_plan::{CallPlan, Expectations, Interface, Network, Node, Plan, Role, Route, Topology};
use farcall_scenario::IceTransportPolicy;
use farcall_timeline::Entry;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Speaks just enough of the protocol. A node's name says how it behaves.
const STAND_IN: &str = r#"
say() { printf '{"say":%s}\n' "$1"; }
reply() { say "\"reply\",\"id\":$id,\"reply\":$1"; }
event() { say "\"event\",\"at_ns\":$(now),\"event\":$1"; }
now() { read -r up _ </proc/uptime; echo "$((10#${up/./}))0000000"; }
while IFS= read -r line; do
  id=${line#*\"id\":}; id=${id%%,*}
  case $line in *'"detached":true'*) detached=yes ;; esac
  case $line in
  *'"do":"clock"'*) reply "{\"is\":\"clock\",\"now_ns\":$(now)}" ;;
  *'"name":"refuses"'*) echo 'nft: syntax error' >&2; reply '{"is":"failed","message":"no rules"}' ;;
  *'"name":"dies"'*) echo 'cannot go on' >&2; exit 3 ;;
  *'"name":"sulks"'*) ;;
  *'"do":"setup"'*) event '{"name":"node-ready","after_ms":1.5}'; reply '{"is":"done"}' ;;
  *'"do":"counters"'*) ;;
  *'"do":"end-call"'*) exit 4 ;;
  *'"do":"stop-media"'*)
    say '"signal","connection":1,"incarnation":1,"body":{"kind":"answer","sdp":"v=0 secret","attempt":0}'
    echo 'no message at all'
    reply '{"is":"done"}' ;;
  *) reply '{"is":"done"}' ;;
  esac
done
[ -z "$detached" ] || exec sleep infinity
"#;

/// The engine; without one these tests cannot pass, and say so.
pub(crate) async fn engine() -> Engine {
    Engine::connect()
        .await
        .unwrap_or_else(|error| panic!("these tests need Docker: {error}"))
}

/// The base image with the stand-in as its agent.
pub(crate) async fn stand_in(engine: &Engine) -> AgentImage {
    let base = images::base_image(engine, &|_| {}).await.unwrap();
    AgentImage {
        shared: vec![base.shared_files(engine, &|_| {}).await.unwrap()],
        reference: base.reference,
        command: ["bash", "-c", STAND_IN].map(str::to_owned).to_vec(),
    }
}

/// A lab that stands, and its events.
pub(crate) struct Raised {
    pub(crate) engine: Engine,
    pub(crate) lab: Lab,
    pub(crate) session: SessionId,
    pub(crate) events: UnboundedReceiver<Entry>,
}

/// Raises a plan with the stand-in.
pub(crate) async fn raise(plan: &Plan, options: LabOptions) -> Result<Raised, RaiseError> {
    let engine = engine().await;
    let image = stand_in(&engine).await;
    let (sender, events) = unbounded_channel();
    let session = options.session.clone();
    let lab = Lab::raise(&engine, &image, plan, options, sender).await?;
    Ok(Raised {
        engine,
        lab,
        session,
        events,
    })
}

/// The containers and networks of a session that Docker has.
pub(crate) async fn left(engine: &Engine, session: &SessionId) -> Vec<String> {
    use farcall_lab::bollard::query_parameters::{
        ListContainersOptionsBuilder, ListNetworksOptionsBuilder,
    };
    let filters = HashMap::from([("label", vec![format!("farcall.session={session}")])]);
    let containers = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&filters)
        .build();
    let networks = ListNetworksOptionsBuilder::default()
        .filters(&filters)
        .build();
    let containers = engine.docker.list_containers(Some(containers)).await;
    let networks = engine.docker.list_networks(Some(networks)).await;
    let containers = containers.unwrap().into_iter();
    let networks = networks.unwrap().into_iter();
    containers
        .flat_map(|container| container.names.unwrap_or_default())
        .chain(networks.filter_map(|network| network.name))
        .collect()
}

/// All events within reach of `condition`; panics when it does not come true.
pub(crate) async fn events_until(
    events: &mut UnboundedReceiver<Entry>,
    condition: impl Fn(&Entry) -> bool,
) -> Vec<Entry> {
    let mut seen = Vec::new();
    let search = async {
        while let Some(entry) = events.recv().await {
            let found = condition(&entry);
            seen.push(entry);
            if found {
                return true;
            }
        }
        false
    };
    let found = tokio::time::timeout(Duration::from_secs(20), search).await;
    assert_eq!(found, Ok(true), "events so far: {seen:#?}");
    seen
}

/// Two peers in two LANs and a gateway between them.
pub(crate) fn two_peers() -> Plan {
    let mut plan = plan(&["left-lan", "right-lan"]);
    plan.nodes = vec![
        node("alice", &["left-lan"], Role::Peer { muted: false }),
        node("bob", &["right-lan"], Role::Peer { muted: false }),
        node(
            "gateway",
            &["left-lan", "right-lan"],
            Role::Gateway(farcall_plan::Gateway::default()),
        ),
    ];
    plan.nodes[2]
        .sysctls
        .insert("net.ipv4.ip_forward".to_owned(), "1".to_owned());
    plan
}

/// One node that behaves as its name says.
pub(crate) fn one_node(name: &str) -> Plan {
    let mut plan = plan(&["lan"]);
    plan.nodes = vec![
        node("alice", &["lan"], Role::Peer { muted: false }),
        node(name, &["lan"], Role::Probe),
    ];
    plan
}

fn node(name: &str, networks: &[&str], role: Role) -> Node {
    let interfaces = networks.iter().map(|network| Interface {
        name: format!("to-{network}"),
        network: (*network).to_owned(),
        addresses: vec!["192.168.1.2/24".parse().unwrap()],
        addresses_v6: Vec::new(),
    });
    Node {
        name: name.to_owned(),
        interfaces: interfaces.collect(),
        routes: Vec::<Route>::new(),
        sysctls: BTreeMap::new(),
        nftables: String::new(),
        resolver: None,
        ipv6: None,
        role,
    }
}

fn plan(networks: &[&str]) -> Plan {
    let networks = networks.iter().map(|name| Network {
        name: (*name).to_owned(),
        subnet: "192.168.1.0/24".parse().unwrap(),
    });
    Plan {
        scenario: "hand-made".to_owned(),
        ice_configuration: "none".to_owned(),
        seed: 1,
        networks: networks.collect(),
        nodes: Vec::new(),
        names: BTreeMap::new(),
        call: CallPlan {
            offerer: "alice".to_owned(),
            answerer: "bob".to_owned(),
            policy: IceTransportPolicy::All,
            media_ms: 0,
            gathering_timeout_ms: 0,
            ice_servers: Vec::new(),
            recovery: None,
            signalling: None,
            rest: None,
            seeds: Default::default(),
            proxies: Default::default(),
            logins: Default::default(),
        },
        faults: Vec::new(),
        attestation: Vec::new(),
        attestation_elsewhere: Vec::new(),
        topology: Topology::default(),
        written: None,
        deep_attestation: Vec::new(),
        expect: Expectations {
            connects: true,
            ..Expectations::default()
        },
    }
}
