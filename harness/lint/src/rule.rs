//! The rules, and why each is one.

use schemars::JsonSchema;
use serde::Serialize;
use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// There is a network in which calls fail for it.
    Warning,
    /// The configuration is refused, or relays nothing, in every network.
    Error,
}

/// What is examined. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// What cannot be an entry or a policy at all.
    MalformedConfiguration,
    /// A URL that no browser takes.
    MalformedUrl,
    /// Something after the `?` of a TURN URL that is no transport.
    UnknownTransport,
    /// A STUN URL with something after a `?`.
    StunQuery,
    /// A TURN entry without a usable account.
    IncompleteAccount,
    /// The policy `relay` without TURN.
    RelayWithoutTurn,
    /// A time-limited account that is over, about to be, or not what servers expect.
    TimeLimitedAccount,
    /// An account that everybody knows.
    PublicAccount,
    /// No TURN entry at all.
    NoTurn,
    /// `turn:` on a port of HTTP or TLS without a transport.
    TurnIsUdp,
    /// No `turns:` on port 443.
    #[serde(rename = "no-turns-on-443")]
    NoTurnsOn443,
    /// No `turn:` over TCP.
    NoTurnOverTcp,
    /// No TURN on 443 or 80.
    NoWebPort,
    /// `turns:` with an IP address.
    TurnsWithAddress,
    /// `turns:` with `transport=udp`.
    TurnsOverUdp,
    /// An IPv4 address instead of a name.
    Ipv4Literal,
    /// A URL that is there twice.
    DuplicateUrl,
    /// Many URLs.
    ManyUrls,
    /// All TURN on one host.
    SingleTurnHost,
    /// An account that does not expire.
    LongLivedAccount,
    /// TURN before STUN.
    OrderHasNoEffect,
    /// An entry that only the running program knows.
    NotExamined,
}

/// What is to be known of a rule.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// How bad it is, where nothing makes it better or worse.
    pub severity: Severity,
    /// What it says.
    pub says: &'static str,
    /// Why, with the source.
    pub why: &'static str,
}

impl Rule {
    /// All of them, the gravest first.
    pub const ALL: [Self; 22] = [
        Self::MalformedConfiguration,
        Self::MalformedUrl,
        Self::UnknownTransport,
        Self::StunQuery,
        Self::IncompleteAccount,
        Self::RelayWithoutTurn,
        Self::TimeLimitedAccount,
        Self::PublicAccount,
        Self::NoTurn,
        Self::TurnIsUdp,
        Self::NoTurnsOn443,
        Self::NoTurnOverTcp,
        Self::NoWebPort,
        Self::TurnsWithAddress,
        Self::TurnsOverUdp,
        Self::Ipv4Literal,
        Self::DuplicateUrl,
        Self::ManyUrls,
        Self::SingleTurnHost,
        Self::LongLivedAccount,
        Self::OrderHasNoEffect,
        Self::NotExamined,
    ];

    /// Its name, as findings have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MalformedConfiguration => "malformed-configuration",
            Self::MalformedUrl => "malformed-url",
            Self::UnknownTransport => "unknown-transport",
            Self::StunQuery => "stun-query",
            Self::IncompleteAccount => "incomplete-account",
            Self::RelayWithoutTurn => "relay-without-turn",
            Self::TimeLimitedAccount => "time-limited-account",
            Self::PublicAccount => "public-account",
            Self::NoTurn => "no-turn",
            Self::TurnIsUdp => "turn-is-udp",
            Self::NoTurnsOn443 => "no-turns-on-443",
            Self::NoTurnOverTcp => "no-turn-over-tcp",
            Self::NoWebPort => "no-web-port",
            Self::TurnsWithAddress => "turns-with-address",
            Self::TurnsOverUdp => "turns-over-udp",
            Self::Ipv4Literal => "ipv4-literal",
            Self::DuplicateUrl => "duplicate-url",
            Self::ManyUrls => "many-urls",
            Self::SingleTurnHost => "single-turn-host",
            Self::LongLivedAccount => "long-lived-account",
            Self::OrderHasNoEffect => "order-has-no-effect",
            Self::NotExamined => "not-examined",
        }
    }

    /// What is to be known of it.
    #[must_use]
    pub fn about(self) -> About {
        use Severity::{Error, Note, Warning};
        let (severity, says, why) = match self {
            Self::MalformedConfiguration => (
                Error,
                "An entry is no object, has no `urls` (or `url` and `password`, which were replaced), or the \
                 policy is neither `all` nor `relay`.",
                "W3C webrtc-pc sections 4.2.1 to 4.2.3: the constructor throws a TypeError, and what stands \
                 under a key it does not know it does not see.",
            ),
            Self::MalformedUrl => (
                Error,
                "The URL has `//`, a user, no host, no port where one is begun, an IPv6 address without \
                 brackets, or another scheme.",
                "RFC 7064 and RFC 7065 section 3.1, RFC 3986 section 3.2.2 for the brackets; W3C webrtc-pc, \
                 \"set a configuration\": the constructor throws a SyntaxError.",
            ),
            Self::UnknownTransport => (
                Error,
                "After the `?` of a TURN URL stands something else than `transport=udp` or `transport=tcp`.",
                "RFC 7065 section 3.1; W3C webrtc-pc, \"set a configuration\": the constructor throws a SyntaxError. \
                 TLS is the scheme `turns`, not a transport.",
            ),
            Self::StunQuery => (
                Error,
                "A STUN URL has a query.",
                "RFC 7064 section 3.1 has none; W3C webrtc-pc, \"set a configuration\": the constructor throws a \
                 SyntaxError.",
            ),
            Self::IncompleteAccount => (
                Error,
                "A TURN entry has no user name or no credential, an empty one, or a user name of more than 509 \
                 bytes.",
                "W3C webrtc-pc, \"set a configuration\": the constructor throws an InvalidAccessError; RFC 8489 section \
                 14.3 for the length (it has fewer than 509, browsers take 509).",
            ),
            Self::RelayWithoutTurn => (
                Error,
                "`iceTransportPolicy` is `relay` and there is no TURN entry.",
                "RFC 8829 section 3.5.3 and W3C webrtc-pc section 4.2.3: only relay candidates are used, and \
                 there are none.",
            ),
            Self::TimeLimitedAccount => (
                Error,
                "A user name `<unix seconds>:id` is past, in milliseconds, or ends within an hour (a warning); \
                 its credential is not base64 of an HMAC-SHA1, 28 characters (a warning).",
                "draft-uberti-behave-turn-rest-00 section 2.2; coturn compares the time when an allocation is \
                 made, so a restart in mid-call fails too, and keeps 32 bits of it, so milliseconds pass or \
                 fail by chance.",
            ),
            Self::PublicAccount => (
                Warning,
                "The account is one that is published for everybody; of a server that is gone it is an error.",
                "Open Relay's old static account and those of lists that are copied about (numb.viagenie.ca \
                 among them): shared, limited, changed or closed without notice.",
            ),
            Self::NoTurn => (
                Warning,
                "There is no TURN entry.",
                "RFC 5128 section 3.3, RFC 4787 sections 4.1 and 5: hole punching does not get through two NATs of \
                 which one maps by destination and the other filters by port; nothing gets past a firewall \
                 that drops UDP.",
            ),
            Self::TurnIsUdp => (
                Warning,
                "`turn:HOST` on 443, 5349 or 80 without `transport`; a note where the host is reached on this \
                 port over TCP or TLS as well.",
                "RFC 8656 section 4.1: `turns` is TLS, `turn` never is; where no transport is written browsers take \
                 UDP, whatever the port.",
            ),
            Self::NoTurnsOn443 => (
                Warning,
                "There is TURN, and no `turns:` on port 443.",
                "RFC 8835 section 3.4: TURN over TLS and TCP is there for firewalls that block UDP; those that look into \
                 port 443 let nothing through but TLS.",
            ),
            Self::NoTurnOverTcp => (
                Warning,
                "There is TURN, and no `turn:` with `transport=tcp`; a note where there is `turns:`.",
                "RFC 8656 section 3.1 and RFC 8835 section 3.4: TURN over TCP is there for firewalls that block UDP.",
            ),
            Self::NoWebPort => (
                Warning,
                "There is TURN, and none of it on port 443 or 80.",
                "libwebrtc's BLOCK_ALL_BUT_OUTGOING_HTTP, and the common outbound policy of offices: TCP to \
                 these two ports is all that leaves.",
            ),
            Self::TurnsWithAddress => (
                Warning,
                "`turns:` with an IP address.",
                "RFC 8489 section 6.2.3 and RFC 9525 section 6: the certificate has to name what the URL names, \
                 and public ones hardly ever name an address.",
            ),
            Self::TurnsOverUdp => (
                Warning,
                "`turns:` with `transport=udp`.",
                "RFC 7350 and RFC 8656 section 4.1: that is TURN over DTLS, which browsers do not speak; \
                 libwebrtc makes TLS over TCP of it.",
            ),
            Self::Ipv4Literal => (
                Warning,
                "An IPv4 address instead of a host name.",
                "RFC 6147 and RFC 6877: DNS64 gives an IPv6-only network a way to names; to an address there \
                 is none without 464XLAT.",
            ),
            Self::DuplicateUrl => (
                Warning,
                "The same URL with the same user twice.",
                "RFC 8445 section 5.1.3: what is found by it twice is the same; RFC 8656 section 7.2: each \
                 allocation counts against the user's quota.",
            ),
            Self::ManyUrls => (
                Note,
                "There are five URLs or more.",
                "Firefox warns from five on that they slow discovery down; RFC 8445 section 14.2: \
                 requests to servers leave one after the other, by default 50 ms apart.",
            ),
            Self::SingleTurnHost => (
                Note,
                "All TURN entries name the same host.",
                "One name, one certificate and perhaps one machine carry all relayed calls.",
            ),
            Self::LongLivedAccount => (
                Note,
                "User name and credential are written down and do not expire.",
                "RFC 8656 section 21.1.1 and draft-uberti-behave-turn-rest-00: whoever opens the page has them, and \
                 relays at your expense until the quota is reached.",
            ),
            Self::OrderHasNoEffect => (
                Note,
                "TURN stands before STUN.",
                "RFC 8445 section 5.1.2.2: the type decides a candidate's priority (126 for host, 100 for \
                 server-reflexive, 0 for relayed are the recommended preferences), not the order of servers.",
            ),
            Self::NotExamined => (
                Note,
                "An entry, a URL or an account is computed when the program runs.",
                "Only what is written in the file can be examined; nothing is then said to be missing.",
            ),
        };
        About {
            severity,
            says,
            why,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_rule_is_listed_once_under_the_name_that_it_is_written_with() {
        let names: BTreeSet<String> = Rule::ALL.iter().map(ToString::to_string).collect();
        assert_eq!(names.len(), Rule::ALL.len());
        for rule in Rule::ALL {
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.name());
        }
    }
}
