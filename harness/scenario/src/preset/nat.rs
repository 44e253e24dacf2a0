//! NATs in the words of RFC 4787.

use crate::model::{Behaviour, NatOverride};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// What RFC 5382 REQ-5 asks for at least: 2 hours and 4 minutes.
const TCP_TIMEOUT_S: u32 = 7_440;

/// A NAT by a name that people use. Where its figures are from, [`source`](Self::source) says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NatPreset {
    /// No translation: a router.
    #[default]
    None,
    /// Lets in whatever comes to a mapped port.
    FullCone,
    /// Lets in what comes from addresses that were sent to.
    RestrictedCone,
    /// Lets in what comes from addresses and ports that were sent to.
    PortRestricted,
    /// An ordinary home router.
    HomeRouter,
    /// Maps each destination to another random port.
    Symmetric,
    /// A mobile carrier's NAT of the hard kind.
    MobileCarrier,
    /// A carrier-grade NAT as the RFCs ask for it.
    CarrierGrade,
    /// A cloud provider's NAT gateway.
    Cloud,
}

/// A NAT by its behaviour (RFC 4787 for UDP; the same mapping and filtering for TCP, RFC 5382).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nat {
    /// Section 4.1.
    pub mapping: Behaviour,
    /// Section 5.
    pub filtering: Behaviour,
    /// Whether a mapping keeps the source port where no other mapping has it (section 4.2.1); else ports
    /// are random.
    pub port_preservation: bool,
    /// Whether two inside endpoints reach each other by their mapped addresses (section 6).
    pub hairpinning: bool,
    /// Section 4.3: the lifetime of an idle UDP mapping, in seconds.
    pub udp_timeout_s: u32,
    /// The lifetime of the mapping of an idle established TCP connection, in seconds (RFC 5382 section 5).
    pub tcp_timeout_s: u32,
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
    /// What [`udp_timeout_s`](NatOverride::udp_timeout_s) and
    /// [`tcp_timeout_s`](NatOverride::tcp_timeout_s) may be.
    pub const TIMEOUT_S: RangeInclusive<u32> = 1..=86_400;
}

impl NatPreset {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::None,
        Self::FullCone,
        Self::RestrictedCone,
        Self::PortRestricted,
        Self::HomeRouter,
        Self::Symmetric,
        Self::MobileCarrier,
        Self::CarrierGrade,
        Self::Cloud,
    ];

    /// Where its figures are from.
    #[must_use]
    pub fn source(self) -> &'static str {
        match self {
            Self::None => "a router translates nothing",
            Self::FullCone => {
                "RFC 3489 section 5 (full cone); hairpinning as RFC 4787 REQ-9 has it; the 120 s that RFC 4787 \
                 REQ-5 asks for at least"
            }
            Self::RestrictedCone => "RFC 3489 section 5 (restricted cone); else as full-cone",
            Self::PortRestricted => "RFC 3489 section 5 (port restricted cone); else as full-cone",
            Self::HomeRouter => {
                "Linux masquerading, which most home routers run: RFC 4787 REQ-1 mapping with port preservation \
                 (section 4.2.1), filtering stricter than REQ-8 recommends, no hairpinning; 120 s is the \
                 kernel's nf_conntrack_udp_timeout_stream"
            }
            Self::Symmetric => {
                "RFC 3489 section 5 (symmetric); 30 s is the kernel's nf_conntrack_udp_timeout"
            }
            Self::MobileCarrier => {
                "about 40 % of the cellular networks in Richter et al., A Multi-perspective Analysis of \
                 Carrier-Grade NAT Deployment, IMC 2016, section 6, where UDP mappings live 10 to 200 s, median \
                 65 s; 30 s is on the hard side"
            }
            Self::CarrierGrade => {
                "RFC 6888: RFC 4787 with endpoint-independent mapping (REQ-1) and filtering (REQ-7), hairpinning \
                 (RFC 4787 REQ-9); 300 s is what RFC 4787 REQ-5 recommends"
            }
            Self::Cloud => {
                "Amazon VPC user guide, NAT gateway basics: 350 s of idleness, for UDP and TCP"
            }
        }
    }

    /// The plain configuration: `None` for no translation.
    ///
    /// # Errors
    /// When an override contradicts the preset, or the result contradicts itself.
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
        if nat.hairpinning && nat.mapping != Behaviour::EndpointIndependent {
            found.push(Contradiction {
                key: if overrides.hairpinning.is_some() {
                    "hairpinning"
                } else {
                    "mapping"
                },
                message: format!(
                    "hairpinning has no meaning with {} mapping: an inside endpoint has no one mapped address",
                    nat.mapping
                ),
                hint: "write `hairpinning = false`, or `mapping = \"endpoint-independent\"`".to_owned(),
            });
        }
        let lifetimes = [
            ("udp_timeout_s", nat.udp_timeout_s),
            ("tcp_timeout_s", nat.tcp_timeout_s),
        ];
        let range = NatOverride::TIMEOUT_S;
        for (key, timeout_s) in lifetimes {
            if !range.contains(&timeout_s) {
                found.push(Contradiction {
                    key,
                    message: format!("`{key}` cannot be {timeout_s}"),
                    hint: format!("write {} to {} seconds", range.start(), range.end()),
                });
            }
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
            port_preservation: overrides
                .port_preservation
                .unwrap_or(preset.port_preservation),
            hairpinning: overrides.hairpinning.unwrap_or(preset.hairpinning),
            udp_timeout_s: overrides.udp_timeout_s.unwrap_or(preset.udp_timeout_s),
            tcp_timeout_s: overrides.tcp_timeout_s.unwrap_or(preset.tcp_timeout_s),
        })
    }

    fn plain(self) -> Option<Nat> {
        use Behaviour::{AddressAndPortDependent, AddressDependent, EndpointIndependent};
        let cone = |filtering| Nat {
            mapping: EndpointIndependent,
            filtering,
            port_preservation: true,
            hairpinning: true,
            udp_timeout_s: 120,
            tcp_timeout_s: TCP_TIMEOUT_S,
        };
        let symmetric = |udp_timeout_s, tcp_timeout_s| Nat {
            mapping: AddressAndPortDependent,
            filtering: AddressAndPortDependent,
            port_preservation: false,
            hairpinning: false,
            udp_timeout_s,
            tcp_timeout_s,
        };
        Some(match self {
            Self::None => return None,
            Self::FullCone => cone(EndpointIndependent),
            Self::RestrictedCone => cone(AddressDependent),
            Self::PortRestricted => cone(AddressAndPortDependent),
            Self::HomeRouter => Nat {
                hairpinning: false,
                ..cone(AddressAndPortDependent)
            },
            Self::Symmetric | Self::MobileCarrier => symmetric(30, TCP_TIMEOUT_S),
            Self::CarrierGrade => Nat {
                port_preservation: false,
                udp_timeout_s: 300,
                ..cone(EndpointIndependent)
            },
            Self::Cloud => symmetric(350, 350),
        })
    }
}

impl NatOverride {
    /// The keys that are set.
    fn keys(&self) -> impl Iterator<Item = &'static str> {
        let mapping = self.mapping.map(|_| "mapping");
        let filtering = self.filtering.map(|_| "filtering");
        let port_preservation = self.port_preservation.map(|_| "port_preservation");
        let hairpinning = self.hairpinning.map(|_| "hairpinning");
        let udp_timeout_s = self.udp_timeout_s.map(|_| "udp_timeout_s");
        let tcp_timeout_s = self.tcp_timeout_s.map(|_| "tcp_timeout_s");
        [
            mapping,
            filtering,
            port_preservation,
            hairpinning,
            udp_timeout_s,
            tcp_timeout_s,
        ]
        .into_iter()
        .flatten()
    }
}

fn nothing_to_override(key: &'static str) -> Contradiction {
    Contradiction {
        key,
        message: format!("`nat = \"none\"` does not translate, so it has no `{key}`"),
        hint: "leave the override out, or name a NAT: `nat = \"home-router\"`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use Behaviour::{AddressAndPortDependent, AddressDependent, EndpointIndependent};

    #[test]
    fn presets_have_the_behaviour_that_their_names_stand_for() {
        let classes = |preset: NatPreset| {
            let nat = preset.expand(None).unwrap().unwrap();
            (nat.mapping, nat.filtering)
        };
        let (ei, ad, apd) = (
            EndpointIndependent,
            AddressDependent,
            AddressAndPortDependent,
        );
        assert_eq!(NatPreset::None.expand(None).unwrap(), None);
        assert_eq!(classes(NatPreset::FullCone), (ei, ei));
        assert_eq!(classes(NatPreset::RestrictedCone), (ei, ad));
        assert_eq!(classes(NatPreset::PortRestricted), (ei, apd));
        assert_eq!(classes(NatPreset::HomeRouter), (ei, apd));
        assert_eq!(classes(NatPreset::CarrierGrade), (ei, ei));
        for symmetric in [
            NatPreset::Symmetric,
            NatPreset::MobileCarrier,
            NatPreset::Cloud,
        ] {
            assert_eq!(classes(symmetric), (apd, apd));
        }
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
    fn what_contradicts_itself_is_refused_at_the_key_that_says_so() {
        let refused = |preset: NatPreset, overrides: NatOverride| {
            preset.expand(Some(&overrides)).unwrap_err().key
        };
        let hairpinning = NatOverride {
            hairpinning: Some(true),
            ..NatOverride::default()
        };
        assert_eq!(refused(NatPreset::Symmetric, hairpinning), "hairpinning");
        let mapping = NatOverride {
            mapping: Some(AddressDependent),
            ..NatOverride::default()
        };
        assert_eq!(refused(NatPreset::FullCone, mapping), "mapping");
        let udp = NatOverride {
            udp_timeout_s: Some(0),
            ..NatOverride::default()
        };
        assert_eq!(refused(NatPreset::HomeRouter, udp), "udp_timeout_s");
    }
}
