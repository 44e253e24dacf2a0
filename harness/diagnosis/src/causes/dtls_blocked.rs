//! ICE connects and the DTLS handshake does not.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::and;
use farcall_scenario::FaultKind;
use farcall_timeline::Event;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    let mut peers = case.peers().peekable();
    peers.peek()?;
    let stuck = peers.all(|peer| only_ice(case, peer));
    if !stuck || !case.has_failed("connection") && !is_broken_afterwards(case) {
        return None;
    }
    let mut seen: Vec<_> = case
        .peers()
        .map(|peer| evidence::states(case, peer))
        .collect();
    let fault = case.broken_by(&[FaultKind::DropDtls]);
    seen.extend(fault.as_ref().map(evidence::fault));
    seen.extend(
        case.peers()
            .filter_map(|peer| evidence::left_home(case, peer)),
    );
    let names = and(case.peers());
    Some(Finding {
        summary: format!(
            "ICE found a path between {names}, and the DTLS handshake over it never ended: something on the way lets STUN \
             through and drops DTLS. The application sees the ICE connection state `connected` while the connection state \
             stays `connecting`."
        ),
        evidence: seen,
        next_step: "Have those who run the network let UDP through whatever it carries, or force the relay over TLS for \
                    such users (`iceTransportPolicy: \"relay\"` with a `turns:` URL on port 443): inside TLS nobody can tell \
                    DTLS from the rest."
            .to_owned(),
        ..Finding::default()
    })
}

/// Whether the peer's last connection came to an ICE connection and no further.
fn only_ice(case: &Case<'_>, peer: &str) -> bool {
    let (mut ice, mut whole) = (false, false);
    for (_, event) in case.run.of(peer) {
        match event {
            Event::CallStarted { .. } => (ice, whole) = (false, false),
            Event::State(state) if state.state == "connected" => match state.machine.as_str() {
                "ice-connection" => ice = true,
                "connection" => whole = true,
                _ => {}
            },
            _ => {}
        }
    }
    ice && !whole
}

fn is_broken_afterwards(case: &Case<'_>) -> bool {
    case.has_failed("recovery/") || case.has_failed("connection/") || !case.recovery().is_empty()
}
