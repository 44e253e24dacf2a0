//! How the lab's TURN servers differ from what the ICE configuration says, from before the call on.

use crate::read::{Node, Read};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// How the lab's TURN servers differ from what the ICE configuration says. It is so at every one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Servers {
    /// The servers accept this account only, instead of those of the ICE configuration.
    pub account: Option<Account>,
    /// The servers accept time-limited credentials only, which the peers are given for a call instead of those of the
    /// ICE configuration, as by an application's own server (TURN REST API, draft-uberti-behave-turn-rest-00).
    pub rest: Option<RestCredentials>,
    /// What is wrong with the servers.
    #[serde(default)]
    pub conditions: Vec<ServerCondition>,
}

/// A TURN account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The user name.
    pub username: String,
    /// The password.
    pub credential: crate::Secret,
}

/// Time-limited credentials. The user name begins with the time until which they are valid, the time stamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestCredentials {
    /// How long they are valid from the moment at which they are given out, in seconds, 0 to 86400; 0: they are past by
    /// then.
    pub valid_s: u32,
    /// What the time stamp counts.
    #[serde(default)]
    pub unit: TimeStampUnit,
}

/// What the time stamp of time-limited credentials counts since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TimeStampUnit {
    /// Seconds, as TURN servers expect it (draft-uberti-behave-turn-rest-00 section 2.2).
    #[default]
    Seconds,
    /// Milliseconds, as JavaScript's `Date.now()` has them: the servers refuse such credentials. On some days coturn would
    /// accept them by chance; those that are given out then are valid for longer, up to five days, so that it does not.
    Milliseconds,
}

impl RestCredentials {
    pub(crate) const VALID_S: RangeInclusive<u32> = 0..=86_400;
}

/// Something that is wrong with TURN servers.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum ServerCondition {
    /// Their accounts have other passwords than the ICE configuration says: 401 (RFC 8489 section 9.2.4).
    WrongCredentials,
    /// Their nonces are valid for a second and their allocations for twenty, so that each refresh meets 438 (Stale Nonce,
    /// RFC 8489 section 9.2.4).
    #[default]
    StaleNonce,
    /// Others have used up their accounts' quota: 486 (RFC 8656 section 7.2).
    Quota,
    /// Others have taken their relay ports: 508 (RFC 8656 section 7.2).
    NoCapacity,
    /// They forbid every peer's address: 403 at CreatePermission (RFC 8656 section 9.2).
    PeersDenied,
    /// A firewall in front of them drops UDP to their relay ports.
    RelayPortsBlocked,
    /// They give out relayed addresses that are not theirs (coturn's `external-ip`).
    WrongExternalAddress,
    /// They do not listen on UDP.
    NoUdp,
    /// They do not listen on TCP.
    NoTcp,
    /// They do not listen on TLS.
    NoTls,
    /// Their certificate has expired.
    CertificateExpired,
    /// It is for another name.
    CertificateWrongName,
    /// It is signed by itself.
    CertificateSelfSigned,
    /// They do not send the intermediate certificate that leads to an authority which peers trust.
    CertificateIncompleteChain,
    /// Their names do not exist (NXDOMAIN).
    NameMissing,
    /// Their names resolve to an address at which nothing answers.
    NameWrong,
    /// Resolvers take two seconds for every answer.
    NameSlow,
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateFlaw {
    /// It has expired.
    Expired,
    /// It is for another name.
    WrongName,
    /// It is signed by itself.
    SelfSigned,
    /// It comes without the intermediate certificate that leads to an authority.
    IncompleteChain,
}

impl ServerCondition {
    /// What is wrong with the certificate, if it is about that.
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
}

impl Servers {
    /// Whether this is wrong with the servers.
    #[must_use]
    pub fn have(&self, condition: ServerCondition) -> bool {
        self.conditions.contains(&condition)
    }

    /// What is wrong with their certificates.
    #[must_use]
    pub fn certificate(&self) -> Option<CertificateFlaw> {
        self.conditions
            .iter()
            .find_map(|condition| condition.certificate())
    }
}

impl Read for Servers {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            account: table.optional("account"),
            rest: table.optional("rest"),
            conditions: table.optional("conditions").unwrap_or_default(),
        })
    }
}

impl Read for Account {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            username: table.required("username", "username = \"farcall\""),
            credential: table.required("credential", "credential = \"...\""),
        })
    }
}

impl Read for RestCredentials {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            valid_s: table.required_with("valid_s", "valid_s = 3600", |node| {
                node.number(&Self::VALID_S)
            }),
            unit: table.optional("unit").unwrap_or_default(),
        })
    }
}

impl Read for TimeStampUnit {
    fn read(node: Node<'_>) -> Self {
        node.word("unit of a time stamp").unwrap_or_default()
    }
}

impl Read for ServerCondition {
    fn read(node: Node<'_>) -> Self {
        node.word("condition of a server").unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::FaultKind;
    use strum::VariantArray;

    fn written(value: impl Serialize) -> String {
        let value = serde_json::to_value(value).unwrap();
        value.as_str().unwrap().to_owned()
    }

    #[test]
    fn conditions_and_faults_are_called_as_they_are_written() {
        for condition in ServerCondition::VARIANTS {
            assert_eq!(condition.to_string(), written(condition));
        }
        for fault in FaultKind::VARIANTS {
            assert_eq!(fault.to_string(), written(fault));
        }
    }
}
