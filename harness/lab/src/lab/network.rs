//! A Docker network that is a wire: it reaches neither the host nor the outside.

use super::blueprint::Wire;
use super::error::RaiseError;
use crate::identity::Labels;
use crate::subnet;
use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};
use ipnet::Ipv4Net;
use std::collections::HashMap;

/// How often a subnet is drawn before the pool counts as exhausted.
const DRAWS: usize = 32;

/// Creates a network and returns Docker's own subnet of it.
pub(crate) async fn create_network(
    docker: &Docker,
    labels: &Labels,
    wire: &Wire,
) -> Result<Ipv4Net, RaiseError> {
    let mut draws = 1;
    loop {
        let subnet = subnet::draw(&mut rand::rng(), wire.endpoints);
        match docker.create_network(request(labels, wire, subnet)).await {
            Ok(_) => return Ok(subnet),
            Err(error) if draws < DRAWS && overlaps(&error) => draws += 1,
            Err(source) => {
                return Err(RaiseError::Network {
                    network: wire.network.clone(),
                    source,
                });
            }
        }
    }
}

/// Whether another network already has some of the addresses. Docker says so in words only.
fn overlaps(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { message, .. } if message.contains("overlaps"))
}

/// Not `internal`: the isolation rules of internal networks drop what a gateway container routes,
/// where bridged packets pass the host's packet filter. Without masquerading and without an address
/// of the host on the bridge there is no way out either.
fn request(labels: &Labels, wire: &Wire, subnet: Ipv4Net) -> NetworkCreateRequest {
    let options = [
        ("com.docker.network.bridge.enable_icc", "true"),
        ("com.docker.network.bridge.enable_ip_masquerade", "false"),
        ("com.docker.network.bridge.inhibit_ipv4", "true"),
    ];
    NetworkCreateRequest {
        name: wire.name.clone(),
        driver: Some("bridge".to_owned()),
        internal: Some(false),
        attachable: Some(false),
        enable_ipv6: Some(false),
        ipam: Some(Ipam {
            config: Some(vec![IpamConfig {
                subnet: Some(subnet.to_string()),
                gateway: Some(subnet::gateway(subnet).to_string()),
                ..IpamConfig::default()
            }]),
            ..Ipam::default()
        }),
        options: Some(HashMap::from(
            options.map(|(option, value)| (option.to_owned(), value.to_owned())),
        )),
        labels: Some(labels.of_network()),
        ..NetworkCreateRequest::default()
    }
}
