//! Whether a name resolves as declared.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::{Duration, Instant};

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
    let settled = patience.settle(declared, async |patience| match resolver {
        Some(resolver) => asked(resolver, name, record, patience).await,
        None => Reading::impossible("the node has no resolver"),
    });
    settled.await
}

/// Asks once, and tells whether the answer took at least this long.
pub(super) async fn measure_slow(
    resolver: Option<IpAddr>,
    name: &str,
    delay: Duration,
    declared: &str,
) -> String {
    let patience = Patience::new(delay);
    let settled = patience.settle(declared, async |patience| {
        let Some(resolver) = resolver else {
            return Reading::impossible("the node has no resolver");
        };
        let asked_at = Instant::now();
        match asked(resolver, name, RecordType::A, patience).await {
            Reading::Found(address) if asked_at.elapsed() >= delay => {
                Reading::Found(format!("{address}, not before {} ms", delay.as_millis()))
            }
            other => other,
        }
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
