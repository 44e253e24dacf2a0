//! Links by the names that people use.

use super::{JitterDistribution, Link, LinkDirection, Loss, Rate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A link by a name that people use. [`source`](LinkPreset::source) says what its figures are from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LinkPreset {
    /// A wire: no delay, no loss, no limit.
    #[default]
    None,
    /// Fibre to the home.
    Fibre,
    /// A television cable's network (DOCSIS).
    Cable,
    /// A telephone line (ADSL).
    Dsl,
    /// A wireless LAN with a good signal.
    Wifi,
    /// A wireless LAN with a weak signal, which loses in bursts.
    WifiBad,
    /// A phone on a good LTE network.
    Lte,
    /// A phone on a fast fourth-generation network, with jitter and loss.
    #[serde(rename = "4g")]
    FourthGeneration,
    /// A phone on a third-generation network (UMTS).
    #[serde(rename = "3g")]
    ThirdGeneration,
    /// A phone on a second-generation network (EDGE).
    Edge,
    /// A satellite in a low orbit, with jitter and bursts of loss at handovers.
    SatelliteLeo,
    /// A geostationary satellite.
    SatelliteGeo,
    /// A path between Europe and the east coast of the United States.
    Transatlantic,
    /// Slow, far away, and every tenth packet is lost, in bursts.
    VeryBad,
    /// A tunnel with the least MTU that IPv6 allows, which drops what is larger without a word.
    #[serde(rename = "vpn-1280")]
    Vpn1280,
}

impl LinkPreset {
    /// Every preset.
    pub const ALL: [Self; 15] = [
        Self::None,
        Self::Fibre,
        Self::Cable,
        Self::Dsl,
        Self::Wifi,
        Self::WifiBad,
        Self::Lte,
        Self::FourthGeneration,
        Self::ThirdGeneration,
        Self::Edge,
        Self::SatelliteLeo,
        Self::SatelliteGeo,
        Self::Transatlantic,
        Self::VeryBad,
        Self::Vpn1280,
    ];

    /// The plain configuration: `None` for a wire. Delays are one way.
    #[must_use]
    pub fn expand(self) -> Option<Link> {
        let link = match self {
            Self::None => return None,
            Self::Fibre => asymmetric(line(85_680, 5.8), line(79_740, 5.8)),
            Self::Cable => asymmetric(line(13_100, 14.0), line(179_500, 14.0)),
            Self::Dsl => asymmetric(line(820, 18.5), line(5_660, 18.5)),
            Self::Wifi => symmetric(LinkDirection {
                jitter_ms: 2.0,
                loss: bursts(0.5, 50.0),
                queue_ms: 16,
                ..line(100_000, 5.0)
            }),
            Self::WifiBad => symmetric(LinkDirection {
                jitter_ms: 10.0,
                loss: bursts(2.5, 50.0),
                queue_ms: 16,
                ..line(50_000, 15.0)
            }),
            Self::Lte => asymmetric(line(10_000, 65.0), line(50_000, 50.0)),
            Self::FourthGeneration => asymmetric(
                fourth_generation(50_000, 15.0),
                fourth_generation(100_000, 5.0),
            ),
            Self::ThirdGeneration => asymmetric(line(330, 100.0), line(780, 100.0)),
            Self::Edge => asymmetric(line(200, 440.0), line(240, 400.0)),
            Self::SatelliteLeo => asymmetric(low_orbit(13_540), low_orbit(87_250)),
            Self::SatelliteGeo => asymmetric(line(2_960, 314.5), line(18_750, 314.5)),
            Self::Transatlantic => symmetric(LinkDirection {
                delay_ms: 39.0,
                ..LinkDirection::default()
            }),
            Self::VeryBad => symmetric(LinkDirection {
                loss: bursts(3.0, 27.0),
                ..line(1_000, 500.0)
            }),
            Self::Vpn1280 => symmetric(LinkDirection {
                delay_ms: 5.0,
                mtu: 1280,
                fragmentation_needed: false,
                ..LinkDirection::default()
            }),
        };
        Some(link)
    }

    /// What it is, in one line.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::None => "a wire: no delay, no loss, no limit",
            Self::Fibre => "fibre to the home",
            Self::Cable => "television cable (DOCSIS)",
            Self::Dsl => "telephone line (ADSL)",
            Self::Wifi => "wireless LAN with a good signal",
            Self::WifiBad => "wireless LAN with a weak signal: 5 % loss in short bursts",
            Self::Lte => "phone on a good LTE network",
            Self::FourthGeneration => "phone on a fast 4G network, with jitter and some loss",
            Self::ThirdGeneration => "phone on a 3G network (UMTS)",
            Self::Edge => "phone on a 2G network (EDGE)",
            Self::SatelliteLeo => "satellite in a low orbit: jitter, bursts of loss at handovers",
            Self::SatelliteGeo => "geostationary satellite: 629 ms there and back",
            Self::Transatlantic => "path between Europe and the east coast of the United States",
            Self::VeryBad => "slow, far away, and 10 % loss in bursts",
            Self::Vpn1280 => {
                "tunnel with an MTU of 1280 bytes that drops larger packets without a word"
            }
        }
    }

    /// What its figures are from, which of them are one way or a round trip in the source and how they were
    /// converted, and which are farcall's own choice. Where a source says nothing of jitter, loss or queue there is
    /// no jitter, no loss and the usual queue.
    #[must_use]
    pub fn source(self) -> &'static str {
        match self {
            Self::None => "nothing is emulated",
            Self::Fibre => {
                "Verizon, network performance: Fios 75/75 Mbit/s as measured for the FCC's 2016 Measuring Broadband \
                 America report: 79.74 Mbit/s down, 85.68 Mbit/s up, round trip 11.55 ms, halved"
            }
            Self::Cable => {
                "thinkbroadband, speeds at peak time, June 2018: Virgin Media VIVID 200, medians 179.5 Mbit/s \
                 down, 13.1 Mbit/s up; WebPageTest, profile Cable: round trip 28 ms, halved"
            }
            Self::Dsl => {
                "Verizon, network performance: High Speed Internet 3.1 to 7 Mbit/s as measured for the FCC's 2016 \
                 Measuring Broadband America report: 5.66 Mbit/s down, 0.82 Mbit/s up, round trip 37.05 ms, halved"
            }
            Self::Wifi => {
                "str0m-netem 0.2, NetemConfig::wifi: 100 Mbit/s, 5 ms +- 2 ms for each packet, so one way; bursts \
                 of 2 packets lost after 200 that are not; a queue of 200 kB, 16 ms at this rate"
            }
            Self::WifiBad => {
                "str0m-netem 0.2, NetemConfig::wifi_lossy: 50 Mbit/s, 15 ms +- 10 ms for each packet, so one way; \
                 bursts of 2 packets lost after 40 that are not; a queue of 100 kB, 16 ms at this rate"
            }
            Self::Lte => {
                "Apple, Network Link Conditioner, profile LTE: 50 Mbit/s and 50 ms down, 10 Mbit/s and 65 ms up, \
                 delays one way"
            }
            Self::FourthGeneration => {
                "Loadero, network conditions, 4G: incoming and outgoing 100 and 50 Mbit/s, jitter 5 and 15 ms, \
                 latency 45 ms and loss 0.2 % for either flow, so one way"
            }
            Self::ThirdGeneration => {
                "Facebook, Augmented Traffic Control, profile 3G-Average: 780 kbit/s down, 330 kbit/s up, delay \
                 100 ms in each direction"
            }
            Self::Edge => {
                "Facebook, Augmented Traffic Control, profile Edge-Average: 240 kbit/s and 400 ms down, 200 kbit/s \
                 and 440 ms up, delays one way"
            }
            Self::SatelliteLeo => {
                "Ookla, third quarter of 2021, Starlink in the United States: medians 87.25 Mbit/s down, 13.54 \
                 Mbit/s up, round trip 44 ms, halved; jitter 4 ms: iperf3 down reported 2.6 to 5.7 ms \
                 (wirelessmoves.com, July 2024); loss in bursts at handovers (Kassem et al., IMC 2022), a burst of \
                 5 packets in 1000 is farcall's choice"
            }
            Self::SatelliteGeo => {
                "Ookla, third quarter of 2021, Viasat in the United States: medians 18.75 Mbit/s down, 2.96 Mbit/s \
                 up, round trip 629 ms, halved"
            }
            Self::Transatlantic => {
                "WonderProxy, Miles per Millisecond, 2011: round trip New York to Paris 78.33 ms, Paris to New York \
                 77.31 ms, halved; no limit, farcall's choice"
            }
            Self::VeryBad => {
                "Apple, Network Link Conditioner, profile Very Bad Network: 1 Mbit/s, 500 ms and 10 % loss in each \
                 direction, delays one way; that it is lost in bursts of 3.7 packets is farcall's choice"
            }
            Self::Vpn1280 => {
                "RFC 8200 section 5: 1280 bytes, the least MTU of IPv6 and that of Tailscale's tunnels; RFC 2923 \
                 section 2.1: black holes; 5 ms one way are farcall's choice"
            }
        }
    }
}

fn asymmetric(up: LinkDirection, down: LinkDirection) -> Link {
    Link { up, down }
}

fn symmetric(direction: LinkDirection) -> Link {
    asymmetric(direction.clone(), direction)
}

fn line(kbit: u32, delay_ms: f64) -> LinkDirection {
    LinkDirection {
        delay_ms,
        rate: Rate::Constant { kbit },
        ..LinkDirection::default()
    }
}

fn fourth_generation(kbit: u32, jitter_ms: f64) -> LinkDirection {
    LinkDirection {
        jitter_ms,
        loss: Loss::Random { percent: 0.2 },
        ..line(kbit, 45.0)
    }
}

fn low_orbit(kbit: u32) -> LinkDirection {
    LinkDirection {
        jitter_ms: 4.0,
        jitter_distribution: JitterDistribution::Normal,
        loss: bursts(0.1, 20.0),
        ..line(kbit, 22.0)
    }
}

/// Everything is lost in the bad state and nothing in the good one (Gilbert): a burst has 100 /
/// `bad_to_good_percent` packets on average.
fn bursts(good_to_bad_percent: f64, bad_to_good_percent: f64) -> Loss {
    Loss::Bursts {
        good_to_bad_percent,
        bad_to_good_percent,
        good_loss_percent: 0.0,
        bad_loss_percent: 100.0,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use std::collections::HashSet;

    fn links() -> impl Iterator<Item = (LinkPreset, Link)> {
        let expanded = LinkPreset::ALL.map(|preset| preset.expand().map(|link| (preset, link)));
        expanded.into_iter().flatten()
    }

    fn directions() -> impl Iterator<Item = (LinkPreset, LinkDirection)> {
        links().flat_map(|(preset, link)| [(preset, link.up), (preset, link.down)])
    }

    #[test]
    fn presets_have_the_names_that_people_write() {
        let names = LinkPreset::ALL.map(|preset| serde_json::to_value(preset).unwrap());
        assert_eq!(
            names,
            [
                "none",
                "fibre",
                "cable",
                "dsl",
                "wifi",
                "wifi-bad",
                "lte",
                "4g",
                "3g",
                "edge",
                "satellite-leo",
                "satellite-geo",
                "transatlantic",
                "very-bad",
                "vpn-1280"
            ]
        );
        let schema = serde_json::to_value(schemars::schema_for!(LinkPreset)).unwrap();
        for name in names {
            assert!(
                schema.to_string().contains(&format!("\"const\":{name}")),
                "{name}"
            );
        }
    }

    #[test]
    fn only_none_expands_to_a_wire() {
        for preset in LinkPreset::ALL {
            assert_eq!(preset.expand().is_none(), preset == LinkPreset::None);
        }
    }

    #[test]
    fn no_two_presets_are_the_same() {
        let links: Vec<_> = links().collect();
        for (index, (preset, link)) in links.iter().enumerate() {
            for (other, other_link) in &links[..index] {
                assert_ne!(link, other_link, "{preset:?} and {other:?}");
            }
        }
        let texts = |text: fn(LinkPreset) -> &'static str| {
            LinkPreset::ALL
                .map(text)
                .into_iter()
                .collect::<HashSet<_>>()
        };
        assert_eq!(texts(LinkPreset::source).len(), LinkPreset::ALL.len());
        assert_eq!(texts(LinkPreset::describe).len(), LinkPreset::ALL.len());
    }

    #[test]
    fn every_source_says_whether_a_delay_is_one_way_or_a_round_trip() {
        for (preset, _) in links() {
            let source = preset.source();
            let said = ["one way", "halved", "in each direction"];
            assert!(said.iter().any(|words| source.contains(words)), "{source}");
            assert!(!source.contains("  "), "{source}");
        }
    }

    #[test]
    fn every_value_is_in_its_documented_range() {
        let percent = 0.0..=100.0;
        for (preset, direction) in directions() {
            assert!((0.0..=5_000.0).contains(&direction.delay_ms), "{preset:?}");
            assert!((0.0..=direction.delay_ms).contains(&direction.jitter_ms));
            assert!(percent.contains(&direction.duplicate_percent));
            assert!(percent.contains(&direction.reorder_percent));
            assert!((1..=10_000).contains(&direction.queue_ms));
            assert!((1_280..=1_500).contains(&direction.mtu));
            if let Rate::Constant { kbit } = direction.rate {
                assert!((8..=1_000_000).contains(&kbit));
            }
        }
    }

    /// The rate in kbit/s (0 for no limit), the delay in ms and the mean loss in percent.
    fn figures(direction: &LinkDirection) -> (u32, f64, f64) {
        let kbit = match direction.rate {
            Rate::Constant { kbit } => kbit,
            Rate::Unlimited | Rate::Trace { .. } => 0,
        };
        (kbit, direction.delay_ms, mean_loss_percent(direction.loss))
    }

    /// The chain is in the bad state in `good_to_bad` of `good_to_bad + bad_to_good` steps.
    fn mean_loss_percent(loss: Loss) -> f64 {
        match loss {
            Loss::None => 0.0,
            Loss::Random { percent } => percent,
            Loss::Bursts {
                good_to_bad_percent: p,
                bad_to_good_percent: r,
                good_loss_percent,
                bad_loss_percent,
            } => (r * good_loss_percent + p * bad_loss_percent) / (p + r),
        }
    }

    #[rstest::rstest]
    #[case(LinkPreset::ThirdGeneration, (330, 100.0, 0.0), (780, 100.0, 0.0))]
    #[case(LinkPreset::Edge, (200, 440.0, 0.0), (240, 400.0, 0.0))]
    #[case(LinkPreset::Lte, (10_000, 65.0, 0.0), (50_000, 50.0, 0.0))]
    #[case(LinkPreset::FourthGeneration, (50_000, 45.0, 0.2), (100_000, 45.0, 0.2))]
    #[case(LinkPreset::VeryBad, (1_000, 500.0, 10.0), (1_000, 500.0, 10.0))]
    #[case(LinkPreset::Fibre, (85_680, 11.6 / 2.0, 0.0), (79_740, 11.6 / 2.0, 0.0))]
    #[case(LinkPreset::Cable, (13_100, 28.0 / 2.0, 0.0), (179_500, 28.0 / 2.0, 0.0))]
    #[case(LinkPreset::Dsl, (820, 37.0 / 2.0, 0.0), (5_660, 37.0 / 2.0, 0.0))]
    #[case(LinkPreset::SatelliteGeo, (2_960, 629.0 / 2.0, 0.0), (18_750, 629.0 / 2.0, 0.0))]
    #[case(LinkPreset::Transatlantic, (0, 78.0 / 2.0, 0.0), (0, 78.0 / 2.0, 0.0))]
    fn figures_are_those_of_the_source(
        #[case] preset: LinkPreset,
        #[case] up: (u32, f64, f64),
        #[case] down: (u32, f64, f64),
    ) {
        let link = preset.expand().unwrap();
        assert_eq!((figures(&link.up), figures(&link.down)), (up, down));
    }

    #[test]
    fn fourth_generation_has_the_jitter_of_its_source() {
        let link = LinkPreset::FourthGeneration.expand().unwrap();
        assert_eq!((link.up.jitter_ms, link.down.jitter_ms), (15.0, 5.0));
    }

    #[rstest::rstest]
    #[case(LinkPreset::Wifi, 1.0)]
    #[case(LinkPreset::WifiBad, 5.0)]
    #[case(LinkPreset::SatelliteLeo, 0.5)]
    #[case(LinkPreset::VeryBad, 10.0)]
    fn bursts_lose_as_much_as_described(#[case] preset: LinkPreset, #[case] percent: f64) {
        let link = preset.expand().unwrap();
        for direction in [link.up, link.down] {
            assert!(matches!(direction.loss, Loss::Bursts { .. }));
            let found = mean_loss_percent(direction.loss);
            assert!((found / percent - 1.0).abs() < 0.05, "{found}");
        }
    }

    #[test]
    fn only_the_tunnel_is_narrow_and_silent() {
        for (preset, direction) in directions() {
            let narrow = preset == LinkPreset::Vpn1280;
            assert_eq!(direction.mtu == 1_280, narrow, "{preset:?}");
            assert_eq!(direction.fragmentation_needed, !narrow, "{preset:?}");
        }
    }
}
