//! The part of the log that is about one call of many.

use super::sessions::is_of_a_peer;
use crate::recorder::HARNESS;
use farcall_plan::Cell;
use farcall_timeline::{Entry, Event, Phase};

/// The name under which the harness reports of a call.
pub(super) fn reporter(cell: &Cell) -> String {
    format!("call/{}/{}", cell.call.offerer, cell.call.answerer)
}

/// When an entry came, as a call sees it. By arrival, not by time: nodes' clocks are known to a few
/// milliseconds only, and the end of a call is when the harness has heard of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Before,
    During,
    After,
}

/// Whether an entry is about a cell. A peer is in one call at a time, and alone behind its gateways and
/// public address.
pub(super) fn is_about(cell: &Cell, entry: &Entry, when: When) -> bool {
    if entry.node == HARNESS {
        return match &entry.event {
            Event::PhaseStarted { phase } | Event::PhaseEnded { phase } => {
                matches!(phase, Phase::Raise | Phase::Attest)
            }
            Event::Attested(measured) => cell.nodes.contains(&measured.node),
            Event::HarnessFault { .. }
            | Event::Unsupported { .. }
            | Event::ConfigurationUnsupported { .. }
            | Event::Interrupted => when != When::After,
            _ => false,
        };
    }
    if entry.node == reporter(cell) {
        return true;
    }
    if !cell.nodes.contains(&entry.node) {
        return false;
    }
    match &entry.event {
        Event::NodeExited { .. } | Event::HarnessFault { .. } | Event::Unsupported { .. } => {
            when != When::After
        }
        // Nobody knows of which call it is until it is closed.
        Event::TurnAllocated { .. } => false,
        Event::TurnSession(session) => {
            let client = session.client.as_deref();
            when == When::During && client.is_some_and(|client| is_of_a_peer(&cell.expect, client))
        }
        _ => when == When::During,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use farcall_plan::{MatrixCall, plan_matrix};
    use farcall_scenario::{IceConfiguration, Matrix};
    use farcall_timeline::{Aspect, Measured, TurnSession};

    fn cell() -> Cell {
        let matrix = Matrix::libwebrtc()
            .only(&["symmetric", "full-cone"])
            .unwrap();
        let ice = IceConfiguration::libwebrtc();
        let plan = plan_matrix(&matrix, &ice, MatrixCall::default(), 1).unwrap();
        let mut cells = plan.cells.into_iter();
        cells.find(|cell| cell.offerer != cell.answerer).unwrap()
    }

    fn entry(node: &str, event: Event) -> Entry {
        Entry {
            at_ms: 0.0,
            node: node.to_owned(),
            event,
        }
    }

    #[test]
    fn another_call_of_the_same_peer_is_not_about_this_one() {
        let cell = cell();
        let ended = || Event::CallEnded { reason: None };
        let peer = cell.call.offerer.clone();
        let is_about = |node: &str, when| is_about(&cell, &entry(node, ended()), when);
        assert!(is_about(&peer, When::During));
        assert!(!is_about(&peer, When::Before));
        assert!(!is_about(&peer, When::After));
        assert!(!is_about("alice-elsewhere", When::During));
        assert!(is_about(&reporter(&cell), When::During));
        assert!(!is_about("call/alice-open/bob-open", When::During));
    }

    #[test]
    fn a_session_belongs_to_the_peer_at_whose_public_address_its_client_is() {
        let cell = cell();
        let session = |client: String| {
            let session = TurnSession {
                session: "001".to_owned(),
                client: Some(client),
                username: None,
                bytes_received: 0,
                bytes_sent: 0,
                packets_received: 0,
                packets_sent: 0,
                complete: true,
            };
            entry("turn.example.net", Event::TurnSession(session))
        };
        let own = cell.expect.public_addresses[&cell.call.offerer][0];
        assert!(is_about(
            &cell,
            &session(format!("{own}:4000")),
            When::During
        ));
        let others = session("203.0.113.250:4000".to_owned());
        assert!(!is_about(&cell, &others, When::During));
    }

    #[test]
    fn what_was_measured_is_about_every_cell_of_the_node() {
        let cell = cell();
        let attested = |node: &str| {
            let measured = Measured {
                node: node.to_owned(),
                aspect: Aspect::Nat,
                what: "mapping".to_owned(),
                declared: "none".to_owned(),
                measured: "none".to_owned(),
                holds: true,
            };
            entry(HARNESS, Event::Attested(measured))
        };
        assert!(is_about(&cell, &attested(&cell.call.offerer), When::During));
        assert!(is_about(&cell, &attested("probe"), When::During));
        assert!(!is_about(&cell, &attested("alice-elsewhere"), When::During));
    }

    #[test]
    fn what_breaks_the_lab_breaks_every_later_cell() {
        let cell = cell();
        let fault = |node: &str| {
            let message = "it broke".to_owned();
            entry(node, Event::HarnessFault { message })
        };
        let gateway = cell.expect.gateways[&cell.call.answerer][0].clone();
        for node in [HARNESS, gateway.as_str()] {
            assert!(is_about(&cell, &fault(node), When::Before));
            assert!(!is_about(&cell, &fault(node), When::After));
        }
        let reason = "turn:[2001:db8::7]: write a host name".to_owned();
        let unsupported = entry(HARNESS, Event::ConfigurationUnsupported { reason });
        assert!(is_about(&cell, &unsupported, When::Before));
        let elsewhere = fault("alice-elsewhere-gateway");
        assert!(!is_about(&cell, &elsewhere, When::Before));
    }
}
