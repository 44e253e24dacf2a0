//! The TURN server is up and does not listen the way that the configuration offers.

use crate::case::{Attempt, Case};
use crate::evidence;
use crate::model::Finding;
use crate::words::{and, code, transport};
use farcall_timeline::IceServerOutcome::{Allocated, Refused, Reset};
use std::collections::BTreeSet;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    let mut closed: Vec<Attempt<'_>> = case.culprits(&[Refused, Reset]);
    closed.retain(|one| one.is_turn() && one.blocked_by.is_none());
    let all: Vec<_> = case
        .peers()
        .flat_map(|peer| case.turn_attempts(peer))
        .collect();
    let is_up = |host: &str| {
        let mut same = all.iter().filter(|one| one.url().host == host);
        same.find(|one| one.came_to(&[Allocated]))
    };
    closed.retain(|one| is_up(&one.url().host).is_some());
    let first = closed.first()?;
    let other = is_up(&first.url().host)?;
    let hosts: BTreeSet<&str> = closed.iter().map(|one| one.url().host.as_str()).collect();
    let ways: BTreeSet<String> = closed
        .iter()
        .map(|one| {
            let what = match (one.report.outcome, transport(one.url().transport)) {
                (Reset, "TLS") => "TLS, although something listens there,",
                (_, word) => word,
            };
            format!("{what} on port {}", one.url().port)
        })
        .collect();
    let mut seen: Vec<_> = closed.iter().map(evidence::attempt).collect();
    seen.push(evidence::attempt(other));
    for host in &hosts {
        seen.extend(evidence::turn_log(case, host, first.peer));
    }
    seen.extend(evidence::attested_ports(case, first.peer, &closed));
    Some(Finding {
        summary: format!(
            "The TURN server {} is up (it allocates over {}) and does not speak {}, which is all that gets out of the \
             network of {}.",
            and(&hosts),
            transport(other.url().transport),
            and(&ways),
            first.peer
        ),
        evidence: seen,
        next_step: format!(
            "Let the server listen there: for coturn {} and {} for plain TURN and TLS, {} and {} for TLS at all, and no {} or \
             {}. Then ask it from outside: {}.",
            code("listening-port"),
            code("tls-listening-port"),
            code("cert"),
            code("pkey"),
            code("no-tcp"),
            code("no-tls"),
            code("openssl s_client -connect HOST:443")
        ),
        ..Finding::default()
    })
}
