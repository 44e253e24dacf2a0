//! A node's container: what it may do, and how it hangs on its networks.

use super::blueprint::Vessel;
use super::error::{RaiseError, Step};
use crate::engine::Engine;
use crate::identity::{Labels, host_name};
use crate::images::{AgentImage, SharedFiles};
use crate::subnet;
use bollard::Docker;
use bollard::models::{
    ContainerCreateBody, DeviceMapping, EndpointIpamConfig, EndpointSettings, HostConfig,
    HostConfigLogConfig, NetworkConnectRequest, NetworkingConfig, RestartPolicy,
    RestartPolicyNameEnum,
};
use bollard::query_parameters::CreateContainerOptionsBuilder;
use farcall_plan::{Gateway, Node, Role};
use futures::future::try_join_all;
use ipnet::Ipv4Net;
use std::collections::HashMap;
use std::net::Ipv4Addr;

/// Far above what any node needs (a peer 40 MiB, coturn 60 MiB), far below what hurts a host.
const MEMORY_BYTES: i64 = 512 << 20;

/// Processes and threads; coturn starts some for each processor.
const MOST_PROCESSES: i64 = 1024;

/// A gateway's weight where containers compete for the processor, a container's own being 1024: the network does not become
/// slow because peers and servers are busy.
const GATEWAY_CPU_SHARES: i64 = 8 * 1024;

/// A container's place in one of its networks, with Docker's own address there.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    /// The network's name in Docker.
    pub(crate) network: String,
    /// The address.
    pub(crate) address: Ipv4Addr,
}

impl Vessel {
    /// The container's places, once Docker's subnets of its networks are known.
    pub(crate) fn endpoints(&self, networks: &[(String, Ipv4Net)]) -> Vec<Endpoint> {
        self.plugs
            .iter()
            .zip(networks)
            .map(|(plug, (network, subnet))| Endpoint {
                network: network.clone(),
                address: subnet::endpoint(*subnet, plug.index),
            })
            .collect()
    }
}

/// Creates the container in the first of its networks and returns its id. Engines before API 1.44
/// take no more than one network here.
pub(crate) async fn create(
    engine: &Engine,
    labels: &Labels,
    image: &AgentImage,
    capture: bool,
    vessel: &Vessel,
    endpoints: &[Endpoint],
) -> Result<String, RaiseError> {
    let options = CreateContainerOptionsBuilder::default()
        .name(&vessel.name)
        .build();
    let parent = engine.info.cgroup_parent;
    let body = body(labels, image, capture, parent, vessel, endpoints.first());
    let created = engine.docker.create_container(Some(options), body).await;
    created
        .map(|created| created.id)
        .map_err(|source| vessel.failed_to(Step::Create, source))
}

/// Connects the container to its further networks, before it starts.
pub(crate) async fn connect_others(
    docker: &Docker,
    vessel: &Vessel,
    endpoints: &[Endpoint],
) -> Result<(), RaiseError> {
    let others = endpoints.iter().skip(1).map(|endpoint| {
        let request = NetworkConnectRequest {
            container: vessel.name.clone(),
            endpoint_config: Some(settings(&vessel.node, endpoint.address)),
        };
        docker.connect_network(&endpoint.network, request)
    });
    let connected = try_join_all(others).await;
    connected
        .map(drop)
        .map_err(|source| vessel.failed_to(Step::Connect, source))
}

impl Vessel {
    pub(crate) fn failed_to(&self, step: Step, source: bollard::errors::Error) -> RaiseError {
        RaiseError::Container {
            node: self.node.name.clone(),
            step,
            source,
        }
    }
}

/// Engines from 26 on switch IPv6 off on every interface of a network without IPv6, whatever the container's own
/// settings say; from API 1.46 on this option switches it on again. Older ones ignore it. The engine puts the
/// interface's name in place of IFNAME.
const IPV6_ON: (&str, &str) = (
    "com.docker.network.endpoint.sysctls",
    "net.ipv6.conf.IFNAME.disable_ipv6=0,net.ipv6.conf.IFNAME.accept_ra=0",
);

fn settings(node: &Node, address: Ipv4Addr) -> EndpointSettings {
    let (name, value) = IPV6_ON;
    let options = HashMap::from([(name.to_owned(), value.to_owned())]);
    EndpointSettings {
        driver_opts: node.ipv6.as_ref().map(|_| options),
        ipam_config: Some(EndpointIpamConfig {
            ipv4_address: Some(address.to_string()),
            ..EndpointIpamConfig::default()
        }),
        ..EndpointSettings::default()
    }
}

fn body(
    labels: &Labels,
    image: &AgentImage,
    capture: bool,
    cgroup_parent: Option<&str>,
    vessel: &Vessel,
    first: Option<&Endpoint>,
) -> ContainerCreateBody {
    let node = &vessel.node;
    ContainerCreateBody {
        hostname: Some(host_name(&node.name)),
        image: Some(image.reference.clone()),
        entrypoint: Some(Vec::new()),
        cmd: Some(image.command.clone()),
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        open_stdin: Some(true),
        // When this process dies, so does the agent's input, and with it the agent.
        stdin_once: Some(true),
        tty: Some(false),
        labels: Some(labels.of_node(&node.name)),
        networking_config: first.map(|endpoint| NetworkingConfig {
            endpoints_config: Some(HashMap::from([(
                endpoint.network.clone(),
                settings(node, endpoint.address),
            )])),
        }),
        host_config: Some(HostConfig {
            network_mode: Some(first.map_or("none".to_owned(), |first| first.network.clone())),
            cap_drop: Some(vec!["ALL".to_owned()]),
            cap_add: Some(capabilities(node, capture)),
            security_opt: Some(vec!["no-new-privileges".to_owned()]),
            sysctls: Some(sysctls(node)),
            devices: Some(devices(node)),
            cgroup_parent: cgroup_parent.map(str::to_owned),
            cpu_shares: matches!(node.role, Role::Gateway(_)).then_some(GATEWAY_CPU_SHARES),
            memory: Some(MEMORY_BYTES),
            memory_swap: Some(MEMORY_BYTES),
            pids_limit: Some(MOST_PROCESSES),
            mounts: Some(image.shared.iter().map(SharedFiles::mount).collect()),
            privileged: Some(false),
            publish_all_ports: Some(false),
            auto_remove: Some(false),
            restart_policy: Some(RestartPolicy {
                name: Some(RestartPolicyNameEnum::NO),
                ..RestartPolicy::default()
            }),
            log_config: Some(log_config(labels.keep)),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    }
}

/// Everything that a lab's containers print comes over the attached streams and is kept here; a kept
/// lab outlives this process, so Docker has to keep what it prints.
fn log_config(keep: bool) -> HostConfigLogConfig {
    if keep {
        let limits = [("max-size", "8m"), ("max-file", "1")];
        return HostConfigLogConfig {
            typ: Some("json-file".to_owned()),
            config: Some(HashMap::from(
                limits.map(|(option, value)| (option.to_owned(), value.to_owned())),
            )),
        };
    }
    HostConfigLogConfig {
        typ: Some("none".to_owned()),
        config: None,
    }
}

/// Each node sets its own addresses and rules; what it needs beyond that follows from its role.
fn capabilities(node: &Node, capture: bool) -> Vec<String> {
    let mut capabilities = vec!["NET_ADMIN"];
    if capture {
        // tcpdump always changes its user, even if only to the one that it has.
        capabilities.extend(["NET_RAW", "SETGID", "SETUID"]);
    }
    match &node.role {
        Role::Gateway(Gateway { dnsmasq: None, .. }) | Role::Peer { .. } => {}
        // dnsmasq sheds its groups before anything else and will not go on without.
        Role::Gateway(Gateway {
            dnsmasq: Some(_), ..
        }) => {
            capabilities.extend(["NET_BIND_SERVICE", "SETGID"]);
        }
        // Their ports may be below 1024.
        Role::TurnServer(_) | Role::Signalling(_) | Role::Probe => {
            capabilities.push("NET_BIND_SERVICE")
        }
    }
    capabilities.into_iter().map(str::to_owned).collect()
}

/// Through which a gateway makes the devices of its translator and datapath.
fn devices(node: &Node) -> Vec<DeviceMapping> {
    let (Role::Gateway(Gateway {
        datapath: Some(_), ..
    })
    | Role::Gateway(Gateway { nat64: Some(_), .. })) = node.role
    else {
        return Vec::new();
    };
    let tun = || Some("/dev/net/tun".to_owned());
    vec![DeviceMapping {
        path_on_host: tun(),
        path_in_container: tun(),
        cgroup_permissions: Some("rw".to_owned()),
    }]
}

/// The node's own settings, and no IPv6 where they say nothing of it: the host keeps a link-local address on
/// every bridge.
fn sysctls(node: &Node) -> HashMap<String, String> {
    let no_ipv6 = ["all", "default", "lo"]
        .map(|interface| format!("net.ipv6.conf.{interface}.disable_ipv6"))
        .map(|name| (name, "1".to_owned()));
    let mut sysctls = HashMap::from(no_ipv6);
    sysctls.extend(node.sysctls.clone());
    sysctls
}
