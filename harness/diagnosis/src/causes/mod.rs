//! The rules, one cause a file, in the order in which they are asked.

mod captive_portal;
mod certificate;
mod configuration_unsupported;
mod connects_too_late;
mod consent_lost;
mod credentials;
mod dns_failed;
mod dtls_blocked;
mod expectation_differs;
mod ipv4_literal;
mod lab_invalid;
mod link_too_poor;
mod machine_unsupported;
mod no_recovery;
mod no_turn_server;
mod packets_too_large;
mod peer_denied;
mod proxy_required;
mod recovery_exhausted;
mod relay_address_wrong;
mod relay_ports_blocked;
mod rtp_blocked;
mod sender_silent;
mod signalling_unreachable;
mod tcp_443_not_tls;
mod tls_intercepted;
mod tls_name_blocked;
mod turn_443_is_udp;
mod turn_listener_missing;
mod turn_quota;
mod turn_server_down;
mod turn_unreachable;
mod undecided;

use crate::Cause;
use crate::case::Case;
use crate::model::Finding;

/// A cause with its rule.
pub(crate) struct Rule {
    /// What is the matter where the rule finds something.
    pub(crate) cause: Cause,
    /// Says what it found.
    pub(crate) find: fn(&Case<'_>) -> Option<Finding>,
    /// Why it is asked before those after it.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "written down for who reads the list")
    )]
    pub(crate) outranks_because: &'static str,
}

const fn rule(
    cause: Cause,
    find: fn(&Case<'_>) -> Option<Finding>,
    outranks_because: &'static str,
) -> Rule {
    Rule {
        cause,
        find,
        outranks_because,
    }
}

/// Every rule. The first that finds something is the diagnosis.
pub(crate) const RULES: [Rule; 39] = [
    rule(
        Cause::MachineUnsupported,
        machine_unsupported::find,
        "where there was no lab, nothing was seen of a call",
    ),
    rule(
        Cause::ConfigurationUnsupported,
        configuration_unsupported::find,
        "where there was no lab, nothing was seen of a call",
    ),
    rule(
        Cause::LabInvalid,
        lab_invalid::find,
        "in a lab that was not as declared, whatever was seen says nothing",
    ),
    rule(
        Cause::CaptivePortal,
        captive_portal::find,
        "no configuration gets past it, signalling does not either, and it makes certificates and names look wrong",
    ),
    rule(
        Cause::ProxyRequired,
        proxy_required::find,
        "no configuration gets past it, signalling does not either, and it makes every server look as if it were down",
    ),
    rule(
        Cause::SignallingUnreachable,
        signalling_unreachable::find,
        "where nothing was said, no server was asked and no path was looked for",
    ),
    rule(
        Cause::PacketsTooLarge,
        packets_too_large::find,
        "of what goes the same way the small arrives: no server and no rule of a firewall makes that difference",
    ),
    rule(
        Cause::DtlsBlocked,
        dtls_blocked::find,
        "ICE found a path, so no server and no firewall in its way is to blame",
    ),
    rule(
        Cause::TlsIntercepted,
        tls_intercepted::find,
        "no configuration gets past it, and it makes a good certificate look like one of an unknown issuer",
    ),
    rule(
        Cause::CredentialsInMilliseconds,
        credentials::in_milliseconds,
        "a server's answer proves that the network lets its client through; of refused accounts this is the most particular",
    ),
    rule(
        Cause::CredentialsExpired,
        credentials::expired,
        "more particular than a wrong account",
    ),
    rule(
        Cause::CredentialsWrong,
        credentials::wrong,
        "a server's answer, as the two before it",
    ),
    rule(
        Cause::TurnQuota,
        turn_quota::find,
        "a server's answer: the account was accepted",
    ),
    rule(
        Cause::PeerDenied,
        peer_denied::find,
        "a server's answer: account and room were there",
    ),
    rule(
        Cause::CertificateExpired,
        certificate::expired,
        "the handshake came as far as the server's certificate, so the network lets TLS through",
    ),
    rule(
        Cause::CertificateWrongName,
        certificate::wrong_name,
        "as an expired one; a certificate has one fault that is told first",
    ),
    rule(
        Cause::CertificateUnknownIssuer,
        certificate::unknown_issuer,
        "as an expired one",
    ),
    rule(
        Cause::Ipv4Literal,
        ipv4_literal::find,
        "to the client it looks like a name that does not resolve",
    ),
    rule(
        Cause::DnsFailed,
        dns_failed::find,
        "without an address nothing was sent, so no firewall is to blame",
    ),
    rule(
        Cause::NoTurnServer,
        no_turn_server::find,
        "where no TURN server is configured, none can be unreachable",
    ),
    rule(
        Cause::TlsNameBlocked,
        tls_name_blocked::find,
        "TLS itself passes: only the name is wrong",
    ),
    rule(
        Cause::Tcp443NotTls,
        tcp_443_not_tls::find,
        "the connection on TCP 443 opened, so the port is not closed",
    ),
    rule(
        Cause::Turn443IsUdp,
        turn_443_is_udp::find,
        "more particular than UDP that does not pass: port 443 was chosen to pass, and TLS on it would",
    ),
    rule(
        Cause::TurnUnreachableTls,
        turn_unreachable::tls,
        "what passes most networks did not: of several ways that were tried the one that gets furthest is named",
    ),
    rule(
        Cause::TurnUnreachableTcp,
        turn_unreachable::tcp,
        "as TLS, where TLS was not tried",
    ),
    rule(
        Cause::TurnUnreachableUdp,
        turn_unreachable::udp,
        "as TCP, where nothing but UDP was tried",
    ),
    rule(
        Cause::TurnListenerMissing,
        turn_listener_missing::find,
        "more particular than a server that does not answer: it answers in another way",
    ),
    rule(
        Cause::TurnServerDown,
        turn_server_down::find,
        "a server that is gone explains lost media, lost consent and attempts in vain",
    ),
    rule(
        Cause::RelayAddressWrong,
        relay_address_wrong::find,
        "what is sent to an address that nobody has meets no closed port",
    ),
    rule(
        Cause::RelayPortsBlocked,
        relay_ports_blocked::find,
        "every server allocated, so what is left is what they relay",
    ),
    rule(
        Cause::SenderSilent,
        sender_silent::find,
        "what arrived is what was sent, so the network is not to blame",
    ),
    rule(
        Cause::RtpBlocked,
        rtp_blocked::find,
        "the connection stands, so it is the media alone",
    ),
    rule(
        Cause::ConsentLost,
        consent_lost::find,
        "media went on: more particular than a connection that was lost",
    ),
    rule(
        Cause::RecoveryExhausted,
        recovery_exhausted::find,
        "the client tried, so that it did not is not the cause",
    ),
    rule(
        Cause::NoRecovery,
        no_recovery::find,
        "the call broke, so that it is not what was expected is no wonder",
    ),
    rule(
        Cause::ConnectsTooLate,
        connects_too_late::find,
        "more particular than an expectation that is not met",
    ),
    rule(
        Cause::LinkTooPoor,
        link_too_poor::find,
        "less arrives than must, so it is no mere expectation that is not met",
    ),
    rule(
        Cause::ExpectationDiffers,
        expectation_differs::find,
        "the call works, so there is nothing to decide about it",
    ),
    rule(
        Cause::Undecided,
        undecided::find,
        "it finds something in every run",
    ),
];
