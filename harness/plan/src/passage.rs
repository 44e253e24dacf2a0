//! What the firewalls let through: the one evaluation of rules that expectations, attestation and
//! blocking rules all follow from.

use crate::model::{Passage, Payload, ProbeProtocol};
use farcall_scenario::{Action, Direction, Firewall, Protocol, Rule};
use farcall_timeline::IceTransport;

/// The counter of what no rule of a firewall matches: it is dropped.
pub(crate) const UNMATCHED: &str = "forward/drop-unmatched";

/// A new connection from inside, as far as a firewall looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Attempt {
    /// The protocol.
    pub protocol: ProbeProtocol,
    /// The destination port.
    pub port: u16,
    /// What the client sends first.
    pub payload: Payload,
}

impl Attempt {
    /// The attempt of a client to reach a listener.
    pub(crate) fn of(transport: IceTransport, port: u16) -> Self {
        let (protocol, payload) = match transport {
            IceTransport::Udp => (ProbeProtocol::Udp, Payload::Plain),
            IceTransport::Tcp => (ProbeProtocol::Tcp, Payload::Plain),
            IceTransport::Tls => (ProbeProtocol::Tcp, Payload::Tls),
        };
        Self {
            protocol,
            port,
            payload,
        }
    }
}

/// What becomes of an attempt at a firewall, and the rule that decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ruling {
    /// What becomes of it.
    pub passage: Passage,
    /// The counter of the rule that decides.
    pub rule: String,
}

/// What the first rule that matches does with an attempt; what none matches is dropped.
pub(crate) fn ruling(firewall: &Firewall, attempt: Attempt) -> Ruling {
    let outward = firewall
        .rules
        .iter()
        .filter(|rule| rule.direction == Direction::Out);
    let matching = outward.into_iter().find(|rule| {
        let protocol = match (&rule.action, rule.protocol) {
            // Only TCP has a handshake to look into.
            (Action::AcceptTls, None | Some(Protocol::Tcp)) | (_, Some(Protocol::Tcp)) => {
                attempt.protocol == ProbeProtocol::Tcp
            }
            (Action::AcceptTls, Some(Protocol::Udp)) => false,
            (_, Some(Protocol::Udp)) => attempt.protocol == ProbeProtocol::Udp,
            (_, None) => true,
        };
        protocol && rule.port.is_none_or(|port| port == attempt.port)
    });
    let Some(rule) = matching else {
        return Ruling {
            passage: Passage::Dropped,
            rule: UNMATCHED.to_owned(),
        };
    };
    let passage = match (&rule.action, attempt.payload) {
        (Action::Accept | Action::Police(_), _)
        | (Action::AcceptTls | Action::AcceptTlsFor(_), Payload::Tls) => Passage::Passes,
        (Action::AcceptTls | Action::AcceptTlsFor(_) | Action::InterceptTls, Payload::Plain) => {
            Passage::Reset
        }
        (Action::InterceptTls, Payload::Tls) => Passage::Intercepted,
        (Action::RedirectToPortal, _) => Passage::Redirected,
        (Action::Drop | Action::AcceptLoggedIn, _) => Passage::Dropped,
        (Action::Reject, _) => Passage::Refused,
    };
    let reset = rule.reset_counter().filter(|_| passage == Passage::Reset);
    Ruling {
        passage,
        rule: reset.unwrap_or_else(|| rule.name.clone()),
    }
}

/// Whether a firewall lets everything out. Such a one does not keep anything from coming in either:
/// it is a router.
pub(crate) fn is_open(firewall: &Firewall) -> bool {
    let of = |direction| {
        firewall
            .rules
            .iter()
            .filter(move |rule| rule.direction == direction)
    };
    let everything =
        |rule: &Rule| rule.protocol.is_none() && rule.port.is_none() && rule.address.is_none();
    [Direction::Out, Direction::In]
        .into_iter()
        .all(|direction| {
            of(direction).all(|rule| rule.action == Action::Accept) && of(direction).any(everything)
        })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use farcall_scenario::FirewallPreset;

    fn firewall(rules: &[(Option<Protocol>, Option<u16>, Action)]) -> Firewall {
        let rules = rules.iter().enumerate();
        let rules = rules.map(|(index, (protocol, port, action))| Rule {
            name: format!("rule/{index}"),
            direction: Direction::Out,
            protocol: *protocol,
            port: *port,
            address: None,
            action: action.clone(),
        });
        Firewall {
            rules: rules.collect(),
            service: None,
        }
    }

    fn at(firewall: &Firewall, transport: IceTransport, port: u16) -> (Passage, String) {
        let ruling = ruling(firewall, Attempt::of(transport, port));
        (ruling.passage, ruling.rule)
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let firewall = firewall(&[
            (None, Some(443), Action::Accept),
            (Some(Protocol::Udp), None, Action::Drop),
            (None, None, Action::Accept),
        ]);
        let rule = |index| format!("rule/{index}");
        assert_eq!(
            at(&firewall, IceTransport::Udp, 443),
            (Passage::Passes, rule(0))
        );
        assert_eq!(
            at(&firewall, IceTransport::Udp, 80),
            (Passage::Dropped, rule(1))
        );
        assert_eq!(
            at(&firewall, IceTransport::Tcp, 80),
            (Passage::Passes, rule(2))
        );
    }

    #[test]
    fn what_no_rule_matches_is_dropped() {
        let firewall = firewall(&[(Some(Protocol::Tcp), None, Action::Accept)]);
        let unmatched = (Passage::Dropped, UNMATCHED.to_owned());
        assert_eq!(at(&firewall, IceTransport::Udp, 80), unmatched);
    }

    #[test]
    fn a_rule_that_looks_for_tls_leaves_udp_to_the_rules_after_it() {
        let firewall = firewall(&[
            (None, Some(443), Action::AcceptTls),
            (None, None, Action::Drop),
        ]);
        assert_eq!(at(&firewall, IceTransport::Tls, 443).0, Passage::Passes);
        assert_eq!(at(&firewall, IceTransport::Tcp, 443).0, Passage::Reset);
        assert_eq!(
            at(&firewall, IceTransport::Udp, 443),
            (Passage::Dropped, "rule/1".to_owned())
        );
    }

    #[test]
    fn a_reset_counts_under_a_name_of_its_own() {
        let firewall = FirewallPreset::TlsOnly.expand(None).unwrap();
        let reset = (Passage::Reset, "tls-only/reset-not-tls-443".to_owned());
        let passed = (Passage::Passes, "tls-only/allow-tls-443".to_owned());
        assert_eq!(at(&firewall, IceTransport::Tcp, 443), reset);
        assert_eq!(at(&firewall, IceTransport::Tls, 443), passed);
    }

    #[test]
    fn only_a_firewall_that_accepts_everything_is_open() {
        assert!(is_open(&FirewallPreset::Open.expand(None).unwrap()));
        assert!(!is_open(&FirewallPreset::Corporate.expand(None).unwrap()));
        let tcp = (Some(Protocol::Tcp), None, Action::Accept);
        assert!(!is_open(&firewall(&[tcp])));
        assert!(!is_open(&firewall(&[])));
    }
}
