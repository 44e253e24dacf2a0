//! What breaks in the middle of a call, what the client does about it, and what must come of that.

use crate::model::LinkOverride;
use crate::preset::{LinkPreset, Protocol};
use crate::read::{Node, Read, port};
use crate::servers::CertificateFlaw;
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// What both peers do when a connection breaks or does not form: see the fields of `farcall_recovery::Policy`, which
/// have the same names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Recovery {
    /// How many attempts are made after one failure before the client gives up, 0 to 10.
    pub max_attempts: u32,
    /// From a failure to the first attempt, in milliseconds, 0 to 60000.
    pub retry_delay_ms: u32,
    /// By what each further pause is longer than the one before, 1 to 10.
    pub backoff: f64,
    /// The longest pause, in milliseconds, 0 to 600000.
    pub max_retry_delay_ms: u32,
    /// By how much of itself a pause may be longer, at random, 0 to 1.
    pub jitter: f64,
    /// For how long a connection may be disconnected, in milliseconds, 0 to 60000.
    pub disconnected_grace_ms: u32,
    /// How long a connection may take to form, in milliseconds, 1000 to 60000.
    pub connect_timeout_ms: u32,
    /// What is done in the first attempt, the second, and so on.
    pub strategies: Vec<RecoveryStrategy>,
    /// Whether time-limited credentials are fetched anew for each new connection.
    pub fresh_credentials: bool,
}

/// What an attempt does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RecoveryStrategy {
    /// Closes the connection, makes a new one and a new offer.
    #[default]
    Reset,
    /// Keeps the connection and offers new ICE credentials (RFC 8445 section 9).
    IceRestart,
    /// A reset with the ICE transport policy `relay`.
    ResetRelayed,
}

/// Something that breaks in the middle of a call, and is mended again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What breaks.
    pub kind: FaultKind,
    /// Whom it befalls: a site, that is, its gateway; the host name of a TURN server, or `turn-server-in-use` for the one
    /// through which media go at that moment; a peer; or `signalling`, the signalling server.
    pub target: String,
    /// Which way packets are dropped, seen from the site, where that is not both.
    pub direction: Option<crate::Direction>,
    /// The protocol that [`FaultKind::Drop`] drops; left out: any.
    pub protocol: Option<Protocol>,
    /// The port beyond the gateway to and from which it drops; left out: any. With `protocol`.
    pub port: Option<u16>,
    /// The network beyond the gateway to and from which it drops; left out: any.
    #[schemars(with = "Option<String>")]
    pub address: Option<Ipv4Net>,
    /// The link's conditions with [`FaultKind::LinkChange`].
    pub link: Option<LinkPreset>,
    /// What differs from its preset.
    pub link_override: Option<LinkOverride>,
    /// The site into which a peer moves with [`FaultKind::Handover`].
    pub to: Option<String>,
    /// When it begins.
    pub from: Moment,
    /// When it is mended; left out: when the call ends.
    pub until: Option<Moment>,
}

/// A moment of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// After what.
    pub event: Milestone,
    /// How long after that, in milliseconds, 0 to 600000.
    #[serde(default)]
    pub ms: u32,
}

/// Something that happens in a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Milestone {
    /// The call is about to begin: neither peer has a connection yet. What begins at that very moment is in effect by
    /// then.
    Call,
    /// Both peers are connected for the first time.
    #[default]
    Connected,
    /// The fault itself began.
    Begun,
    /// The fault before it in the file began.
    PreviousBegun,
    /// The fault before it in the file was mended.
    PreviousMended,
    /// Either peer began its first attempt.
    #[serde(rename = "attempt-1")]
    Attempt1,
    /// Its second.
    #[serde(rename = "attempt-2")]
    Attempt2,
    /// Its third.
    #[serde(rename = "attempt-3")]
    Attempt3,
}

/// What can break.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum FaultKind {
    /// Nothing passes between a site and what lies beyond its gateway.
    #[default]
    LinkDown,
    /// A site's gateway drops STUN over UDP, ICE's connectivity checks among it.
    DropStun,
    /// It drops DTLS over UDP, relayed or not.
    DropDtls,
    /// It drops RTP and RTCP over UDP, relayed or not.
    DropRtp,
    /// It drops packets of more than 1000 bytes.
    DropLarge,
    /// A site's gateway forgets all connections and mappings, as one that restarts; nothing is to be mended.
    ForgetMappings,
    /// A TURN server's process is killed; mended, it starts anew, without the allocations that it had.
    ServerDown,
    /// A TURN server's process stands still. Its kernel still takes TCP connections and answers nothing in them.
    ServerFrozen,
    /// It is killed and starts anew at once, without the allocations that it had; nothing is to be mended.
    ServerRestarted,
    /// What is sent to a TURN server and what it sends vanishes at the gateways of both sites.
    ServerBlackHoled,
    /// The same for what goes to and comes from its relay ports.
    RelayPortsBlocked,
    /// A TURN server's accounts get other passwords.
    CredentialsChanged,
    /// Others take allocations of a TURN server until its accounts' quota is used up.
    QuotaExhausted,
    /// A TURN server has another certificate, which has expired.
    CertificateExpired,
    /// One for another name.
    CertificateWrongName,
    /// One that is signed by itself.
    CertificateSelfSigned,
    /// One without the intermediate certificate that leads to an authority.
    CertificateIncompleteChain,
    /// The resolver of a site knows no TURN server's name any more.
    NameMissing,
    /// It gives for all of them an address that nobody has.
    NameWrong,
    /// It takes two seconds for every answer, that of the signalling server among them.
    NameSlow,
    /// A site's gateway drops what `protocol`, `port` and `address` match: a firewall rule that is set and lifted.
    Drop,
    /// A site's gateway restarts: nothing passes until it is back, and it has forgotten all connections and mappings.
    GatewayRestart,
    /// The conditions of a site's link change.
    LinkChange,
    /// A site gets another public address, as with a provider's new lease; what went by the old one ends there.
    AddressChange,
    /// A peer leaves its site and joins another, with a new address and new routes.
    Handover,
    /// A peer's process stands still with everything that it does.
    PeerFrozen,
    /// The signalling server is gone: it closes all connections and refuses new ones.
    SignallingDown,
}

/// Whom a fault befalls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victim {
    /// A site's gateway.
    Site,
    /// A TURN server.
    TurnServer,
    /// A peer.
    Peer,
    /// The signalling server.
    Signalling,
}

/// What must come of a recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedRecovery {
    /// Whether the call is connected again in the end; `false`: the client must give up, and properly.
    pub recovers: bool,
    /// How many attempts are made, 0 to 10.
    pub attempts: u32,
    /// From the beginning of the first fault to both peers connected again, or to the client giving up, at most, in
    /// milliseconds, 1000 to 600000.
    pub within_ms: u32,
}

impl Recovery {
    pub(crate) const MAX_ATTEMPTS: RangeInclusive<u32> = 0..=10;
    pub(crate) const RETRY_DELAY_MS: RangeInclusive<u32> = 0..=60_000;
    pub(crate) const MAX_RETRY_DELAY_MS: RangeInclusive<u32> = 0..=600_000;
    pub(crate) const GRACE_MS: RangeInclusive<u32> = 0..=60_000;
    pub(crate) const CONNECT_TIMEOUT_MS: RangeInclusive<u32> = 1_000..=60_000;
    pub(crate) const BACKOFF: RangeInclusive<f64> = 1.0..=10.0;
    pub(crate) const JITTER: RangeInclusive<f64> = 0.0..=1.0;
}

impl Fault {
    /// What stands for the TURN server through which media go.
    pub const TURN_SERVER_IN_USE: &str = "turn-server-in-use";

    /// What stands for the signalling server.
    pub const SIGNALLING: &str = "signalling";
}

impl Moment {
    pub(crate) const MS: RangeInclusive<u32> = 0..=600_000;
}

impl ExpectedRecovery {
    pub(crate) const WITHIN_MS: RangeInclusive<u32> = 1_000..=600_000;
}

impl Default for Recovery {
    /// The guide's: three attempts, each a new connection.
    fn default() -> Self {
        Self {
            max_attempts: 3,
            retry_delay_ms: 2_000,
            backoff: 1.0,
            max_retry_delay_ms: 30_000,
            jitter: 0.0,
            disconnected_grace_ms: 5_000,
            connect_timeout_ms: 15_000,
            strategies: vec![RecoveryStrategy::Reset],
            fresh_credentials: false,
        }
    }
}

impl FaultKind {
    /// Whom it befalls.
    #[must_use]
    pub fn victim(self) -> Victim {
        match self {
            Self::LinkDown
            | Self::DropStun
            | Self::DropDtls
            | Self::DropRtp
            | Self::DropLarge
            | Self::ForgetMappings
            | Self::Drop
            | Self::GatewayRestart
            | Self::LinkChange
            | Self::AddressChange
            | Self::NameMissing
            | Self::NameWrong
            | Self::NameSlow => Victim::Site,
            Self::ServerDown
            | Self::ServerFrozen
            | Self::ServerRestarted
            | Self::ServerBlackHoled
            | Self::RelayPortsBlocked
            | Self::CredentialsChanged
            | Self::QuotaExhausted
            | Self::CertificateExpired
            | Self::CertificateWrongName
            | Self::CertificateSelfSigned
            | Self::CertificateIncompleteChain => Victim::TurnServer,
            Self::Handover | Self::PeerFrozen => Victim::Peer,
            Self::SignallingDown => Victim::Signalling,
        }
    }

    /// Whether it is over as soon as it has begun, so that nothing is to be mended.
    #[must_use]
    pub fn is_instant(self) -> bool {
        matches!(self, Self::ForgetMappings | Self::ServerRestarted)
    }

    /// Whether it drops packets at a gateway, of which there must then have been some.
    #[must_use]
    pub fn drops(self) -> bool {
        self.has_direction()
            || matches!(
                self,
                Self::GatewayRestart | Self::ServerBlackHoled | Self::RelayPortsBlocked
            )
    }

    /// What is wrong with the certificate that a server gets, if it is about that.
    #[must_use]
    pub fn certificate(self) -> Option<CertificateFlaw> {
        match self {
            Self::CertificateExpired => Some(CertificateFlaw::Expired),
            Self::CertificateWrongName => Some(CertificateFlaw::WrongName),
            Self::CertificateSelfSigned => Some(CertificateFlaw::SelfSigned),
            Self::CertificateIncompleteChain => Some(CertificateFlaw::IncompleteChain),
            _ => None,
        }
    }

    /// Whether it drops packets of one direction if asked to.
    #[must_use]
    pub fn has_direction(self) -> bool {
        matches!(
            self,
            Self::LinkDown
                | Self::DropStun
                | Self::DropDtls
                | Self::DropRtp
                | Self::DropLarge
                | Self::Drop
        )
    }
}

impl Read for Recovery {
    fn read(node: Node<'_>) -> Self {
        let usual = Self::default();
        node.table(|table| Self {
            max_attempts: table
                .optional_with("max_attempts", |node| node.number(&Self::MAX_ATTEMPTS))
                .unwrap_or(usual.max_attempts),
            retry_delay_ms: table
                .optional_with("retry_delay_ms", |node| node.number(&Self::RETRY_DELAY_MS))
                .unwrap_or(usual.retry_delay_ms),
            backoff: table
                .optional_with("backoff", |node| node.fraction())
                .unwrap_or(usual.backoff),
            max_retry_delay_ms: table
                .optional_with("max_retry_delay_ms", |node| {
                    node.number(&Self::MAX_RETRY_DELAY_MS)
                })
                .unwrap_or(usual.max_retry_delay_ms),
            jitter: table
                .optional_with("jitter", |node| node.fraction())
                .unwrap_or(usual.jitter),
            disconnected_grace_ms: table
                .optional_with("disconnected_grace_ms", |node| node.number(&Self::GRACE_MS))
                .unwrap_or(usual.disconnected_grace_ms),
            connect_timeout_ms: table
                .optional_with("connect_timeout_ms", |node| {
                    node.number(&Self::CONNECT_TIMEOUT_MS)
                })
                .unwrap_or(usual.connect_timeout_ms),
            strategies: table.optional("strategies").unwrap_or(usual.strategies),
            fresh_credentials: table
                .optional("fresh_credentials")
                .unwrap_or(usual.fresh_credentials),
        })
    }
}

impl Read for RecoveryStrategy {
    fn read(node: Node<'_>) -> Self {
        node.word("recovery strategy").unwrap_or_default()
    }
}

impl Read for Fault {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            kind: table.required("kind", "kind = \"link-down\""),
            target: table.required("target", "target = \"office\""),
            direction: table.optional("direction"),
            protocol: table.optional("protocol"),
            port: table.optional_with("port", |node| port(&node)),
            address: table.optional("address"),
            link: table.optional("link"),
            link_override: table.optional("link_override"),
            to: table.optional("to"),
            from: table.required("from", "from = { event = \"connected\", ms = 2000 }"),
            until: table.optional("until"),
        })
    }
}

impl Read for FaultKind {
    fn read(node: Node<'_>) -> Self {
        node.word("kind of fault").unwrap_or_default()
    }
}

impl Read for Moment {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            event: table.required("event", "event = \"connected\""),
            ms: table
                .optional_with("ms", |node| node.number(&Self::MS))
                .unwrap_or_default(),
        })
    }
}

impl Read for Milestone {
    fn read(node: Node<'_>) -> Self {
        node.word("event").unwrap_or_default()
    }
}

impl Read for ExpectedRecovery {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            recovers: table.required("recovers", "recovers = true"),
            attempts: table.required_with("attempts", "attempts = 1", |node| {
                node.number(&Recovery::MAX_ATTEMPTS)
            }),
            within_ms: table.required_with("within_ms", "within_ms = 30000", |node| {
                node.number(&Self::WITHIN_MS)
            }),
        })
    }
}
