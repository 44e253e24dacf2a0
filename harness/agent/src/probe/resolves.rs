//! Whether a name resolves as declared.

use std::net::Ipv4Addr;
use std::str::FromStr;

use hickory_resolver::proto::rr::Name;
use tokio::time::timeout;

use super::patience::{Patience, Reading};
use crate::dns;

/// Asks the node's resolver for a name.
pub(super) async fn measure(
    resolver: Option<Ipv4Addr>,
    name: &str,
    patience: Patience,
    declared: &str,
) -> String {
    let settled = patience.settle(declared, async || match resolver {
        Some(resolver) => asked(resolver, name, patience).await,
        None => Reading::impossible("the node has no resolver"),
    });
    settled.await
}

async fn asked(resolver: Ipv4Addr, name: &str, patience: Patience) -> Reading {
    let question = match Name::from_str(name) {
        Ok(name) => dns::question(name),
        Err(error) => return Reading::impossible(error),
    };
    match timeout(patience.attempt(1), dns::ask(resolver, &question)).await {
        Err(_) => Reading::Silence(format!("no answer from {resolver}")),
        Ok(Err(error)) => Reading::impossible(error),
        Ok(Ok(answer)) => Reading::Found(match dns::addresses(&answer) {
            Ok(addresses) => {
                let addresses = addresses.iter().map(ToString::to_string);
                addresses.collect::<Vec<_>>().join(", ")
            }
            Err(code) => code,
        }),
    }
}
