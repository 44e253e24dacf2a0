//! The members of `RTCConfiguration` and `RTCIceServer` (W3C webrtc-pc sections 4.2.1 and 4.2.2).

use super::{IceConfiguration, IceServer, IceUrl};
use crate::document::{Kind, Span, Value, mask_literals};
use crate::read::{Node, Read, Table};
use std::ops::RangeInclusive;

/// An octet.
const POOL_SIZE: RangeInclusive<u32> = 0..=255;

impl Read for IceConfiguration {
    fn read(node: Node<'_>) -> Self {
        // Where the configuration came from, the caller knows.
        let name = String::new();
        if matches!(node.kind(), Some(Kind::List(_))) {
            return Self {
                name,
                ice_servers: node.at("iceServers").list(),
                ice_transport_policy: None,
            };
        }
        node.table(|table| {
            check_without_effect(table);
            Self {
                name,
                ice_servers: table.required(
                    "iceServers",
                    "\"iceServers\": [{ \"urls\": \"stun:stun.example.net\" }]",
                ),
                ice_transport_policy: table.optional("iceTransportPolicy"),
            }
        })
    }
}

/// Members that an application may have and that do not change what a lab is for.
fn check_without_effect(table: &mut Table<'_>) {
    table.optional_with("bundlePolicy", |node| {
        node.one_of("bundle policy", &["balanced", "max-compat", "max-bundle"]);
    });
    table.optional_with("rtcpMuxPolicy", |node| {
        node.one_of("RTCP multiplexing policy", &["require"]);
    });
    table.optional_with("iceCandidatePoolSize", |node| node.number(&POOL_SIZE));
    table.optional::<String>("peerIdentity");
    table.optional::<Vec<Certificate>>("certificates");
}

/// A certificate is an object that only a browser can make; in JSON nothing of it is left.
struct Certificate;

impl Read for Certificate {
    fn read(node: Node<'_>) -> Self {
        if !matches!(node.kind(), Some(Kind::Table(_))) {
            node.reject_type("an object");
        }
        Self
    }
}

impl Read for IceServer {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| {
            table.retired("url", "W3C replaced `url` by `urls`: rename the key");
            table.retired("password", "W3C calls it `credential`: rename the key");
            table.optional_with("credentialType", |node| {
                node.one_of("credential type", &["password"]);
            });
            Self {
                urls: table.required_with("urls", "\"urls\": \"turn:turn.example.net:3478\"", urls),
                username: table.optional("username"),
                credential: table.optional("credential"),
            }
        })
    }
}

/// One URL, or a list of them.
fn urls(node: Node<'_>) -> Vec<IceUrl> {
    let urls: Vec<Option<IceUrl>> = match node.kind() {
        Some(Kind::List(urls)) if urls.is_empty() => {
            node.reject(
                "there is no URL",
                "write at least one, or leave the whole entry out",
            );
            Vec::new()
        }
        Some(Kind::List(_)) => node.list(),
        _ => vec![Read::read(node)],
    };
    urls.into_iter().flatten().collect()
}

impl Read for Option<IceUrl> {
    fn read(node: Node<'_>) -> Self {
        let url = node.text()?.parse::<IceUrl>();
        url.inspect_err(|error| node.reject(error.message, error.hint))
            .ok()
    }
}

/// The text as it may be shown: what is not known to be harmless is hidden.
pub(super) fn without_credentials(text: &str, literals: &[Span], document: &Value) -> String {
    mask_literals(text, literals, Some(document), |key, text| match key {
        // Some people write user and password into the URL, or a token after the `?`.
        "urls" | "url" => {
            let query = text.split_once('?').map(|(_, query)| query);
            !text.contains('@') && query.is_none_or(|query| query.starts_with("transport="))
        }
        "iceServers"
        | "username"
        | "credentialType"
        | "iceTransportPolicy"
        | "bundlePolicy"
        | "rtcpMuxPolicy"
        | "iceCandidatePoolSize" => true,
        _ => false,
    })
}
