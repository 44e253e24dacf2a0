//! Emulated links and NATs lost nothing but what they were to lose.

use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_plan::DATAPATH_LOSSES;
use std::collections::BTreeSet;

/// One check for each gateway whose packets cross user space.
pub(crate) fn datapaths(case: &Case<'_>) -> Vec<Check> {
    let gateways = case.declared.expect.gateways.values().flatten();
    let gateways: BTreeSet<&str> = gateways.map(String::as_str).collect();
    let checks = gateways.into_iter().map(|gateway| check(case, gateway));
    checks.flatten().collect()
}

/// `None` for a gateway without a datapath, which has none of the counters.
fn check(case: &Case<'_>, gateway: &str) -> Option<Check> {
    let counted = DATAPATH_LOSSES
        .iter()
        .filter_map(|rule| Some((*rule, case.counted(gateway, rule)?.packets)));
    let counted: Vec<(&str, u64)> = counted.collect();
    if counted.is_empty() {
        return None;
    }
    let lost: u64 = counted.iter().map(|(_, packets)| packets).sum();
    let verdict = match lost {
        0 => CheckVerdict::Pass,
        _ => CheckVerdict::Invalid,
    };
    let check = Check::new(
        format!("lab/datapath/{gateway}"),
        verdict,
        "the gateway itself loses no packet during the call",
        format!("{lost} lost for want of memory or processor time"),
    );
    let losses = counted.into_iter().filter(|(_, packets)| *packets > 0);
    Some(check.with_evidence(losses.map(|(rule, packets)| format!("{rule}: {packets} packets"))))
}

#[cfg(test)]
mod tests {
    use crate::CheckVerdict::{Invalid, Pass};
    use crate::sample::Sample;

    const CHECK: &str = "lab/datapath/mobile-gateway";

    #[test]
    fn a_datapath_that_loses_nothing_by_itself_passes() {
        assert_eq!(Sample::good().check(CHECK).verdict, Pass);
    }

    #[test]
    fn a_datapath_that_was_too_slow_is_no_network_s_fault() {
        let mut sample = Sample::good();
        sample.change_counter("mobile-gateway", "datapath/up-overrun", |counter| {
            counter.packets += 3;
        });
        let check = sample.check(CHECK);
        assert_eq!(check.verdict, Invalid);
        assert_eq!(check.evidence, ["datapath/up-overrun: 3 packets"]);
    }

    #[test]
    fn a_gateway_without_a_datapath_is_not_asked() {
        let checks = Sample::good().judge().checks;
        let asked = checks
            .iter()
            .filter(|one| one.name.starts_with("lab/datapath/"));
        assert_eq!(asked.count(), 1);
    }
}
