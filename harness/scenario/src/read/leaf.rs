//! Values that contain no others.

use super::{Node, Read, did_you_mean, out_of_range};
use crate::Secret;
use crate::document::Kind;
use crate::model::{Behaviour, IceTransportPolicy, Ipv6, MediaQuality, Signalling};
use crate::preset::{FirewallPreset, NatPreset};
use farcall_timeline::{CandidateType, Flow, IceTransport};
use ipnet::Ipv4Net;
use serde::de::value::StrDeserializer;
use serde::de::{Deserialize, IntoDeserializer};
use std::fmt;
use std::ops::RangeInclusive;

impl Read for String {
    fn read(node: Node<'_>) -> Self {
        node.text().unwrap_or_default().to_owned()
    }
}

impl Read for Secret {
    fn read(node: Node<'_>) -> Self {
        Self::new(node.text().unwrap_or_default())
    }
}

impl Read for bool {
    fn read(node: Node<'_>) -> Self {
        let Some(Kind::Bool(truth)) = node.kind() else {
            node.reject_type("true or false");
            return false;
        };
        *truth
    }
}

impl Read for Ipv4Net {
    fn read(node: Node<'_>) -> Self {
        let Some(text) = node.text() else {
            return Self::default();
        };
        text.parse().unwrap_or_else(|_| {
            node.reject(
                format!("`{text}` is no IPv4 network"),
                "write an address and a prefix length, such as \"192.168.1.0/24\"",
            );
            Self::default()
        })
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(node: Node<'_>) -> Self {
        node.list()
    }
}

impl Read for NatPreset {
    fn read(node: Node<'_>) -> Self {
        node.word("NAT preset").unwrap_or_default()
    }
}

impl Read for FirewallPreset {
    fn read(node: Node<'_>) -> Self {
        node.word("firewall preset").unwrap_or_default()
    }
}

impl Read for Behaviour {
    fn read(node: Node<'_>) -> Self {
        node.word("NAT behaviour")
            .unwrap_or(Self::AddressAndPortDependent)
    }
}

impl Read for MediaQuality {
    fn read(node: Node<'_>) -> Self {
        node.word("quality of media").unwrap_or_default()
    }
}

impl Read for Ipv6 {
    fn read(node: Node<'_>) -> Self {
        node.word("kind of IPv6").unwrap_or_default()
    }
}

impl Read for Signalling {
    fn read(node: Node<'_>) -> Self {
        node.word("way of signalling").unwrap_or_default()
    }
}

impl Read for IceTransportPolicy {
    fn read(node: Node<'_>) -> Self {
        node.word("ICE transport policy").unwrap_or_default()
    }
}

impl Read for CandidateType {
    fn read(node: Node<'_>) -> Self {
        node.word("candidate type").unwrap_or(Self::Host)
    }
}

impl Read for Flow {
    fn read(node: Node<'_>) -> Self {
        node.word("fate of media").unwrap_or_default()
    }
}

impl Read for IceTransport {
    fn read(node: Node<'_>) -> Self {
        node.word("transport to a TURN server").unwrap_or(Self::Udp)
    }
}

impl<'a> Node<'a> {
    /// The value as text.
    pub fn text(&self) -> Option<&'a str> {
        let Some(Kind::Text(text)) = self.kind() else {
            self.reject_type("a string");
            return None;
        };
        Some(text)
    }

    /// The value as a number. Whether one that a `u32` holds is in the range is for the checks to say.
    pub fn number(&self, range: &RangeInclusive<u32>) -> u32 {
        let Some(Kind::Integer(number)) = self.kind() else {
            self.reject_type("a whole number");
            return 0;
        };
        u32::try_from(*number).unwrap_or_else(|_| {
            let (message, hint) = out_of_range(*number, range);
            self.reject(message, hint);
            0
        })
    }

    /// The value as a number that may have a fraction. Whether it is in its range is for the checks to say.
    pub fn fraction(&self) -> f64 {
        match self.kind() {
            // Beyond 2^53 it loses digits, and is far out of any range.
            Some(Kind::Integer(number)) => *number as f64,
            Some(Kind::Fraction(number)) => *number,
            _ => {
                self.reject_type("a number");
                0.0
            }
        }
    }

    /// Checks that the value is one of these words.
    pub fn one_of(&self, what: &str, known: &[&'static str]) {
        if let Some(text) = self.text()
            && !known.contains(&text)
        {
            let hint = did_you_mean(text, known.iter().copied());
            self.reject(format!("`{text}` is no {what}"), hint);
        }
    }

    /// The value as one of the words that the type's own `Deserialize` knows.
    pub fn word<T: Deserialize<'a>>(&self, what: &str) -> Option<T> {
        let text = self.text()?;
        let deserializer: StrDeserializer<'a, Unknown> = text.into_deserializer();
        T::deserialize(deserializer)
            .inspect_err(|unknown| {
                let hint = did_you_mean(text, unknown.known.iter().copied());
                self.reject(format!("`{text}` is no {what}"), hint);
            })
            .ok()
    }
}

/// A word that is not among the known ones, as serde reports it.
#[derive(Debug, Default)]
struct Unknown {
    known: &'static [&'static str],
}

impl fmt::Display for Unknown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("unknown word")
    }
}

impl std::error::Error for Unknown {}

impl serde::de::Error for Unknown {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Self::default()
    }

    fn unknown_variant(_word: &str, known: &'static [&'static str]) -> Self {
        Self { known }
    }
}
