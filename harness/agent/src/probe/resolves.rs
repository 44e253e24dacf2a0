//! Whether a name resolves as declared.

use std::net::IpAddr;
use std::str::FromStr;

use hickory_resolver::proto::rr::{Name, RecordType};
use tokio::time::timeout;

use super::patience::{Patience, Reading};
use crate::dns;

/// Asks the node's resolver for the addresses of a name, those of one family.
pub(super) async fn measure(
    resolver: Option<IpAddr>,
    name: &str,
    record: RecordType,
    patience: Patience,
    declared: &str,
) -> String {
    let settled = patience.settle(declared, async || match resolver {
        Some(resolver) => asked(resolver, name, record, patience).await,
        None => Reading::impossible("the node has no resolver"),
    });
    settled.await
}

async fn asked(resolver: IpAddr, name: &str, record: RecordType, patience: Patience) -> Reading {
    let question = match Name::from_str(name) {
        Ok(name) => dns::question(name, record),
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
