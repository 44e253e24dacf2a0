//! NATs in the words of RFC 4787.

use crate::model::{Behaviour, NatOverride};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// A NAT by a name that people use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NatPreset {
    /// No translation: a router.
    #[default]
    None,
    /// A home router: endpoint-independent mapping (RFC 4787 REQ-1) with port preservation
    /// (section 4.2.1), and an idle UDP mapping that lives 120 s, the least that REQ-5 allows and
    /// what Linux gives a stream by default (`nf_conntrack_udp_timeout_stream`). Its filtering is
    /// address-and-port-dependent as that of Linux masquerading is, stricter than REQ-8 recommends.
    HomeRouter,
    /// A symmetric NAT: address-and-port-dependent mapping and filtering, random ports, and idle UDP
    /// mappings that live 30 s, the default of Linux for UDP (`nf_conntrack_udp_timeout`).
    Symmetric,
    /// A mobile carrier's NAT: address-and-port-dependent mapping and filtering, as about 40 % of the
    /// cellular networks have that Richter et al. measured ("A Multi-perspective Analysis of
    /// Carrier-Grade NAT Deployment", IMC 2016, section 6), and idle UDP mappings that live 30 s, on
    /// the hard side of the 10 to 200 s, median 65 s, that they found there.
    MobileCarrier,
}

/// A NAT by its behaviour (RFC 4787).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Nat {
    /// Section 4.1.
    pub mapping: Behaviour,
    /// Section 5.
    pub filtering: Behaviour,
    /// Section 4.3: the lifetime of an idle UDP mapping, in seconds.
    pub udp_timeout_s: u32,
}

/// A preset and an override that contradict each other, or a NAT that cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Contradiction {
    /// The override's key.
    pub key: &'static str,
    /// What contradicts what.
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

impl NatOverride {
    /// What [`udp_timeout_s`](NatOverride::udp_timeout_s) may be.
    pub const UDP_TIMEOUT_S: RangeInclusive<u32> = 1..=86_400;
}

impl NatPreset {
    /// The plain configuration: `None` for no translation.
    ///
    /// # Errors
    /// When an override contradicts the preset or the result is a NAT that the kernel's own
    /// translation does not express.
    pub fn expand(self, overrides: Option<&NatOverride>) -> Result<Option<Nat>, Contradiction> {
        match self.contradictions(overrides).into_iter().next() {
            Some(contradiction) => Err(contradiction),
            None => Ok(self.overridden(overrides)),
        }
    }

    /// Everything that forbids to build this preset with these overrides.
    pub(crate) fn contradictions(self, overrides: Option<&NatOverride>) -> Vec<Contradiction> {
        let Some(overrides) = overrides else {
            return Vec::new();
        };
        let Some(nat) = self.overridden(Some(overrides)) else {
            return overrides.keys().map(nothing_to_override).collect();
        };
        let mut found = Vec::new();
        if nat.mapping == Behaviour::AddressDependent {
            found.push(unsupported(
                "mapping",
                nat.mapping,
                "mapping is `endpoint-independent` or `address-and-port-dependent`",
            ));
        }
        if nat.filtering != Behaviour::AddressAndPortDependent {
            found.push(unsupported(
                "filtering",
                nat.filtering,
                "filtering is `address-and-port-dependent`, with either mapping",
            ));
        }
        let range = NatOverride::UDP_TIMEOUT_S;
        if !range.contains(&nat.udp_timeout_s) {
            found.push(Contradiction {
                key: "udp_timeout_s",
                message: format!("`udp_timeout_s` cannot be {}", nat.udp_timeout_s),
                hint: format!("write {} to {} seconds", range.start(), range.end()),
            });
        }
        found
    }

    fn overridden(self, overrides: Option<&NatOverride>) -> Option<Nat> {
        let preset = self.plain()?;
        let Some(overrides) = overrides else {
            return Some(preset);
        };
        Some(Nat {
            mapping: overrides.mapping.unwrap_or(preset.mapping),
            filtering: overrides.filtering.unwrap_or(preset.filtering),
            udp_timeout_s: overrides.udp_timeout_s.unwrap_or(preset.udp_timeout_s),
        })
    }

    fn plain(self) -> Option<Nat> {
        let (mapping, udp_timeout_s) = match self {
            Self::None => return None,
            Self::HomeRouter => (Behaviour::EndpointIndependent, 120),
            Self::Symmetric | Self::MobileCarrier => (Behaviour::AddressAndPortDependent, 30),
        };
        Some(Nat {
            mapping,
            filtering: Behaviour::AddressAndPortDependent,
            udp_timeout_s,
        })
    }
}

impl NatOverride {
    /// The keys that are set.
    fn keys(&self) -> impl Iterator<Item = &'static str> {
        let mapping = self.mapping.map(|_| "mapping");
        let filtering = self.filtering.map(|_| "filtering");
        let udp_timeout_s = self.udp_timeout_s.map(|_| "udp_timeout_s");
        [mapping, filtering, udp_timeout_s].into_iter().flatten()
    }
}

fn nothing_to_override(key: &'static str) -> Contradiction {
    Contradiction {
        key,
        message: format!("`nat = \"none\"` does not translate, so it has no `{key}`"),
        hint: "leave the override out, or name a NAT: `nat = \"home-router\"`".to_owned(),
    }
}

fn unsupported(key: &'static str, asked: Behaviour, available: &str) -> Contradiction {
    Contradiction {
        key,
        message: format!("{key} `{asked}` is no NAT that a lab can have now"),
        hint: format!("the kernel's masquerading is used: {available}"),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use Behaviour::{AddressAndPortDependent, AddressDependent, EndpointIndependent};

    #[test]
    fn presets_expand_to_the_nats_that_masquerading_expresses() {
        let nat = |mapping, udp_timeout_s| Nat {
            mapping,
            filtering: AddressAndPortDependent,
            udp_timeout_s,
        };
        let expand = |preset: NatPreset| preset.expand(None).unwrap();
        assert_eq!(expand(NatPreset::None), None);
        assert_eq!(
            expand(NatPreset::HomeRouter),
            Some(nat(EndpointIndependent, 120))
        );
        assert_eq!(
            expand(NatPreset::Symmetric),
            Some(nat(AddressAndPortDependent, 30))
        );
        assert_eq!(
            expand(NatPreset::MobileCarrier),
            Some(nat(AddressAndPortDependent, 30))
        );
    }

    #[test]
    fn an_override_replaces_single_properties() {
        let overrides = NatOverride {
            mapping: Some(AddressAndPortDependent),
            udp_timeout_s: Some(5),
            ..NatOverride::default()
        };
        let nat = NatPreset::HomeRouter
            .expand(Some(&overrides))
            .unwrap()
            .unwrap();
        assert_eq!(
            (nat.mapping, nat.udp_timeout_s),
            (AddressAndPortDependent, 5)
        );
    }

    #[test]
    fn what_does_not_translate_has_nothing_to_override() {
        let overrides = NatOverride {
            mapping: Some(EndpointIndependent),
            udp_timeout_s: Some(5),
            ..NatOverride::default()
        };
        let keys: Vec<_> = NatPreset::None.contradictions(Some(&overrides));
        let keys: Vec<_> = keys.iter().map(|found| found.key).collect();
        assert_eq!(keys, ["mapping", "udp_timeout_s"]);
        assert_eq!(
            NatPreset::None.expand(Some(&NatOverride::default())),
            Ok(None)
        );
    }

    #[test]
    fn nats_that_masquerading_does_not_express_are_refused() {
        let refused = |mapping, filtering, udp_timeout_s| {
            let overrides = NatOverride {
                mapping,
                filtering,
                udp_timeout_s,
            };
            NatPreset::HomeRouter
                .expand(Some(&overrides))
                .unwrap_err()
                .key
        };
        assert_eq!(refused(Some(AddressDependent), None, None), "mapping");
        assert_eq!(refused(None, Some(AddressDependent), None), "filtering");
        assert_eq!(refused(None, Some(EndpointIndependent), None), "filtering");
        assert_eq!(refused(None, None, Some(0)), "udp_timeout_s");
    }
}
