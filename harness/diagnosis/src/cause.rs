//! The closed list of causes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a call fell short. Each has a page `docs/causes/NAME.md`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// This machine cannot build the scenario's network.
    MachineUnsupported,
    /// No lab can have what the ICE configuration asks for.
    ConfigurationUnsupported,
    /// The lab was not as declared, or broke: nothing is known of the call.
    LabInvalid,
    /// The network answers everything with its login page.
    CaptivePortal,
    /// Only an HTTP proxy leads out of the network, and the client does not use it.
    ProxyRequired,
    /// The application's signalling server cannot be reached.
    SignallingUnreachable,
    /// Large packets do not get through.
    PacketsTooLarge,
    /// ICE connects, and the DTLS handshake does not get through.
    DtlsBlocked,
    /// The network opens TLS and answers with a certificate of its own.
    TlsIntercepted,
    /// The account's time stamp is in milliseconds.
    CredentialsInMilliseconds,
    /// The account's time stamp has passed.
    CredentialsExpired,
    /// The TURN server refuses the account.
    CredentialsWrong,
    /// The TURN server has no room for another allocation.
    TurnQuota,
    /// The TURN server refuses to relay to the other peer.
    PeerDenied,
    /// The TURN server's certificate has expired or is not valid yet.
    CertificateExpired,
    /// The TURN server's certificate is for another name.
    CertificateWrongName,
    /// Nobody whom the client trusts has issued the TURN server's certificate.
    CertificateUnknownIssuer,
    /// The configuration names servers by IPv4 address, and the network has IPv6 alone.
    Ipv4Literal,
    /// A server's name does not resolve.
    DnsFailed,
    /// The configuration names no TURN server, and there is no direct way.
    NoTurnServer,
    /// The firewall lets TLS through for certain server names alone.
    TlsNameBlocked,
    /// The firewall lets only TLS through on TCP 443, and the configuration speaks plain TURN there.
    #[serde(rename = "tcp-443-not-tls")]
    Tcp443NotTls,
    /// `turn:HOST:443` is meant to get through firewalls and is UDP.
    #[serde(rename = "turn-443-is-udp")]
    Turn443IsUdp,
    /// TURN over TLS does not get through.
    TurnUnreachableTls,
    /// TURN over TCP does not get through.
    TurnUnreachableTcp,
    /// TURN over UDP does not get through.
    TurnUnreachableUdp,
    /// The TURN server is up and does not listen the way that the configuration offers.
    TurnListenerMissing,
    /// The TURN server does not answer, or no longer.
    TurnServerDown,
    /// The TURN server gives out relayed addresses that are not its own.
    RelayAddressWrong,
    /// The TURN server allocates and relays nothing.
    RelayPortsBlocked,
    /// The sender sends silence.
    SenderSilent,
    /// Audio and video do not get through, although the connection stands.
    RtpBlocked,
    /// Connectivity checks no longer get through, although media do.
    ConsentLost,
    /// The client has given up after all its attempts.
    RecoveryExhausted,
    /// The connection was lost and the client did not try again.
    NoRecovery,
    /// The call connects, but too late.
    ConnectsTooLate,
    /// The link loses or delays too much, or is too slow, for the media.
    LinkTooPoor,
    /// The call works, and the scenario expects something else.
    ExpectationDiffers,
    /// The evidence fits several causes.
    Undecided,
}

impl Cause {
    /// Its name: `turn-443-is-udp`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MachineUnsupported => "machine-unsupported",
            Self::ConfigurationUnsupported => "configuration-unsupported",
            Self::LabInvalid => "lab-invalid",
            Self::CaptivePortal => "captive-portal",
            Self::ProxyRequired => "proxy-required",
            Self::SignallingUnreachable => "signalling-unreachable",
            Self::DtlsBlocked => "dtls-blocked",
            Self::TlsIntercepted => "tls-intercepted",
            Self::CredentialsInMilliseconds => "credentials-in-milliseconds",
            Self::CredentialsExpired => "credentials-expired",
            Self::CredentialsWrong => "credentials-wrong",
            Self::TurnQuota => "turn-quota",
            Self::PeerDenied => "peer-denied",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateWrongName => "certificate-wrong-name",
            Self::CertificateUnknownIssuer => "certificate-unknown-issuer",
            Self::Ipv4Literal => "ipv4-literal",
            Self::DnsFailed => "dns-failed",
            Self::NoTurnServer => "no-turn-server",
            Self::TlsNameBlocked => "tls-name-blocked",
            Self::Tcp443NotTls => "tcp-443-not-tls",
            Self::Turn443IsUdp => "turn-443-is-udp",
            Self::TurnUnreachableTls => "turn-unreachable-tls",
            Self::TurnUnreachableTcp => "turn-unreachable-tcp",
            Self::TurnUnreachableUdp => "turn-unreachable-udp",
            Self::TurnListenerMissing => "turn-listener-missing",
            Self::TurnServerDown => "turn-server-down",
            Self::RelayAddressWrong => "relay-address-wrong",
            Self::RelayPortsBlocked => "relay-ports-blocked",
            Self::SenderSilent => "sender-silent",
            Self::PacketsTooLarge => "packets-too-large",
            Self::RtpBlocked => "rtp-blocked",
            Self::ConsentLost => "consent-lost",
            Self::RecoveryExhausted => "recovery-exhausted",
            Self::NoRecovery => "no-recovery",
            Self::ConnectsTooLate => "connects-too-late",
            Self::LinkTooPoor => "link-too-poor",
            Self::ExpectationDiffers => "expectation-differs",
            Self::Undecided => "undecided",
        }
    }

    /// Every cause, in the order in which their rules are asked.
    pub fn all() -> impl Iterator<Item = Self> {
        crate::causes::RULES.iter().map(|rule| rule.cause)
    }

    /// Its page of the documentation, relative to the repository.
    #[must_use]
    pub fn page(self) -> String {
        format!("docs/causes/{}.md", self.name())
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.pad(self.name())
    }
}
