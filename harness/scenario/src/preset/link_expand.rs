//! From a link's preset and what differs from it to the plain configuration.

use super::{Link, LinkDirection, LinkPreset, Rate};
use crate::model::{LinkDirectionOverride, LinkOverride};
use std::path::PathBuf;

/// A recorded rate that is named, but that nobody has read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to find what the trace {} recorded: only scenarios that are read from a file have traces, \
     relative to it; give the scenario's path",
    path.display()
)]
pub struct TraceNotLoaded {
    /// The trace, as the scenario names it.
    pub path: PathBuf,
}

impl LinkPreset {
    /// The plain configuration with what differs from the preset: `None` for a wire. Where there is no preset,
    /// an override differs from [`LinkDirection::default`].
    ///
    /// # Errors
    /// When the override names a trace that was not loaded: see
    /// [`trace_rate`](LinkDirectionOverride::trace_rate).
    pub fn overridden(
        self,
        overrides: Option<&LinkOverride>,
    ) -> Result<Option<Link>, TraceNotLoaded> {
        let preset = self.expand();
        let Some(overrides) = overrides else {
            return Ok(preset);
        };
        let wire = || Link {
            up: LinkDirection::default(),
            down: LinkDirection::default(),
        };
        let preset = preset.unwrap_or_else(wire);
        Ok(Some(Link {
            up: direction(preset.up, &overrides.up)?,
            down: direction(preset.down, &overrides.down)?,
        }))
    }
}

fn direction(
    preset: LinkDirection,
    overrides: &LinkDirectionOverride,
) -> Result<LinkDirection, TraceNotLoaded> {
    Ok(LinkDirection {
        delay_ms: overrides.delay_ms.unwrap_or(preset.delay_ms),
        jitter_ms: overrides.jitter_ms.unwrap_or(preset.jitter_ms),
        jitter_distribution: overrides
            .jitter_distribution
            .unwrap_or(preset.jitter_distribution),
        loss: overrides.loss.unwrap_or(preset.loss),
        duplicate_percent: overrides
            .duplicate_percent
            .unwrap_or(preset.duplicate_percent),
        reorder_percent: overrides.reorder_percent.unwrap_or(preset.reorder_percent),
        rate: rate(overrides)?.unwrap_or(preset.rate),
        queue_ms: overrides.queue_ms.unwrap_or(preset.queue_ms),
        mtu: overrides.mtu.unwrap_or(preset.mtu),
        fragmentation_needed: overrides
            .fragmentation_needed
            .unwrap_or(preset.fragmentation_needed),
    })
}

fn rate(overrides: &LinkDirectionOverride) -> Result<Option<Rate>, TraceNotLoaded> {
    match (&overrides.trace, &overrides.trace_rate) {
        (Some(path), None) => Err(TraceNotLoaded { path: path.clone() }),
        (Some(_), Some(rate)) => Ok(Some(rate.clone())),
        (None, _) => Ok(overrides.rate_kbit.map(|kbit| Rate::Constant { kbit })),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn up(up: LinkDirectionOverride) -> LinkOverride {
        LinkOverride {
            up,
            down: LinkDirectionOverride::default(),
        }
    }

    #[test]
    fn an_override_replaces_single_properties_of_its_direction() {
        let preset = LinkPreset::Lte.expand().unwrap();
        let overrides = up(LinkDirectionOverride {
            delay_ms: Some(1.5),
            rate_kbit: Some(64),
            ..LinkDirectionOverride::default()
        });
        let link = LinkPreset::Lte.overridden(Some(&overrides)).unwrap();
        let link = link.unwrap();
        assert_eq!(link.down, preset.down);
        assert_eq!(
            link.up,
            LinkDirection {
                delay_ms: 1.5,
                rate: Rate::Constant { kbit: 64 },
                ..preset.up
            }
        );
    }

    #[test]
    fn without_a_preset_an_override_differs_from_a_wire() {
        assert_eq!(LinkPreset::None.overridden(None), Ok(None));
        let overrides = up(LinkDirectionOverride {
            mtu: Some(1280),
            ..LinkDirectionOverride::default()
        });
        let link = LinkPreset::None.overridden(Some(&overrides)).unwrap();
        let link = link.unwrap();
        assert_eq!((link.up.mtu, link.down), (1280, LinkDirection::default()));
    }

    #[test]
    fn a_trace_must_have_been_loaded() {
        let mut trace = LinkDirectionOverride {
            trace: Some("driving.trace".into()),
            ..LinkDirectionOverride::default()
        };
        let missing = LinkPreset::Lte.overridden(Some(&up(trace.clone())));
        let missing = missing.unwrap_err().to_string();
        assert!(missing.contains("driving.trace"), "{missing}");
        let recorded = Rate::Trace {
            delivery_ms: vec![1, 5],
        };
        trace.trace_rate = Some(recorded.clone());
        let link = LinkPreset::Lte.overridden(Some(&up(trace))).unwrap();
        assert_eq!(link.unwrap().up.rate, recorded);
    }
}
