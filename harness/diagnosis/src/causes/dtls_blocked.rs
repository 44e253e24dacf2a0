//! ICE connects and the DTLS handshake does not.

use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::and;
use farcall_scenario::FaultKind;
use farcall_timeline::Event;

/// How long a handshake may take on a bad link, in milliseconds.
const HANDSHAKE_MS: f64 = 2_000.0;

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    let mut peers = case.peers().peekable();
    peers.peek()?;
    if !peers.all(|peer| only_ice(case, peer)) {
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

/// Whether the peer's last connection came to an ICE connection and, though there was time, no further.
fn only_ice(case: &Case<'_>, peer: &str) -> bool {
    let (mut ice_ms, mut is_whole) = (None, false);
    for (at_ms, event) in case.run.of(peer) {
        match event {
            Event::CallStarted { .. } => (ice_ms, is_whole) = (None, false),
            Event::State(state) if state.state == "connected" => match state.machine.as_str() {
                "ice-connection" => ice_ms = ice_ms.or(Some(*at_ms)),
                "connection" => is_whole = true,
                _ => {}
            },
            _ => {}
        }
    }
    let ended_ms = case.run.ended_ms();
    !is_whole && ice_ms.is_some_and(|ice_ms| ended_ms - ice_ms >= HANDSHAKE_MS)
}
