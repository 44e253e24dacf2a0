//! Whether an ICE configuration can be used: accounts that are complete and agree with each other.

use super::{IceConfiguration, IceServer, Scheme};
use crate::Secret;
use crate::read::Finding;
use std::collections::BTreeMap;

pub(super) fn check(configuration: &IceConfiguration) -> Vec<Finding> {
    let servers = || configuration.ice_servers.iter().enumerate();
    let mut findings: Vec<Finding> = servers()
        .filter_map(|(index, server)| incomplete_account(index, server))
        .collect();
    findings.extend(two_credentials(configuration));
    findings
}

fn path(index: usize, key: &str) -> String {
    format!("iceServers[{index}].{key}")
}

fn is_turn(server: &IceServer) -> bool {
    server.urls.iter().any(|url| url.scheme != Scheme::Stun)
}

fn incomplete_account(index: usize, server: &IceServer) -> Option<Finding> {
    let username = server
        .username
        .as_ref()
        .is_some_and(|name| !name.is_empty());
    let credential = server
        .credential
        .as_ref()
        .is_some_and(|secret| !secret.expose().is_empty());
    let missing = match (username, credential) {
        _ if !is_turn(server) => return None,
        (true, true) => return None,
        (false, true) => "`username`",
        (true, false) => "`credential`",
        (false, false) => "`username` and `credential`",
    };
    let finding = Finding::new(
        format!("iceServers[{index}]"),
        format!("a TURN server needs {missing}"),
    )
    .because_of(path(index, "username"))
    .because_of(path(index, "credential"));
    Some(finding.hint("write both beside `urls`: TURN without an account is an open relay"))
}

/// A server knows one password for a user (RFC 8489 section 9.2).
fn two_credentials(configuration: &IceConfiguration) -> Vec<Finding> {
    let mut known: BTreeMap<(&str, &str), (usize, &Secret)> = BTreeMap::new();
    let mut findings: Vec<Finding> = Vec::new();
    for (index, server) in configuration.ice_servers.iter().enumerate() {
        let (Some(username), Some(credential)) = (&server.username, &server.credential) else {
            continue;
        };
        for url in server.urls.iter().filter(|url| url.scheme != Scheme::Stun) {
            let account = (url.host.as_str(), username.as_str());
            let (first, other) = *known.entry(account).or_insert((index, credential));
            let key = path(index, "credential");
            if other != credential && findings.last().is_none_or(|last| last.key != key) {
                let message = format!(
                    "user `{username}` of {} has another credential in `iceServers[{first}]`",
                    url.host
                );
                findings.push(
                    Finding::new(key, message)
                        .because_of(path(first, "credential"))
                        .hint("a server knows one password for a user: correct one of the two"),
                );
            }
        }
    }
    findings
}
