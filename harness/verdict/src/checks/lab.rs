//! The lab is what the plan declares.

use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_timeline::{Aspect, Measured};
use std::collections::BTreeMap;

const ASPECTS: [Aspect; 6] = [
    Aspect::Isolation,
    Aspect::Names,
    Aspect::Nat,
    Aspect::Firewall,
    Aspect::Link,
    Aspect::Servers,
];

/// One check an aspect: every declaration was measured, and holds.
pub(crate) fn lab(case: &Case<'_>) -> Vec<Check> {
    ASPECTS
        .into_iter()
        .map(|aspect| check_aspect(case, aspect))
        .collect()
}

fn check_aspect(case: &Case<'_>, aspect: Aspect) -> Check {
    let name = format!("lab/{aspect}");
    let declared = declared_by_node(case, aspect);
    let total: usize = declared.values().sum();
    let measured: Vec<&Measured> = case
        .attested()
        .filter(|measured| measured.aspect == aspect)
        .collect();
    // A lab without any declaration about isolation could be open to the world.
    if total == 0 && measured.is_empty() && aspect != Aspect::Isolation {
        return Check::new(
            name,
            CheckVerdict::Skipped,
            "nothing declared",
            "nothing measured",
        );
    }

    let wrong: Vec<String> = measured
        .iter()
        .filter(|measured| !measured.holds)
        .map(|measured| describe(measured))
        .collect();
    let missing: Vec<String> = declared
        .iter()
        .filter_map(|(node, wanted)| {
            let found = measured.iter().filter(|one| one.node == *node).count();
            (found < *wanted)
                .then(|| format!("{node}: {} of {wanted} not measured", wanted - found))
        })
        .collect();
    let is_sound = wrong.is_empty() && missing.is_empty() && !measured.is_empty();
    let verdict = if is_sound {
        CheckVerdict::Pass
    } else {
        CheckVerdict::Invalid
    };
    let holding = measured.len() - wrong.len();
    Check::new(
        name,
        verdict,
        format!("all that is declared is measured and holds ({total})"),
        format!("{} measured, {holding} hold", measured.len()),
    )
    .with_evidence(wrong)
    .with_evidence(missing)
}

fn declared_by_node<'a>(case: &Case<'a>, aspect: Aspect) -> BTreeMap<&'a str, usize> {
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    let declarations = &case.declared.attestation;
    for declaration in declarations
        .iter()
        .filter(|one| one.fact.aspect() == aspect)
    {
        *count.entry(&declaration.node).or_default() += 1;
    }
    count
}

fn describe(measured: &Measured) -> String {
    format!(
        "{}: {}: declared {}, measured {}",
        measured.node, measured.what, measured.declared, measured.measured
    )
}

#[cfg(test)]
mod tests {
    use crate::CheckVerdict::{Invalid, Pass, Skipped};
    use crate::sample::Sample;
    use farcall_timeline::{Aspect, Event};

    #[test]
    fn a_lab_as_declared_passes() {
        let sample = Sample::good();
        for aspect in ["isolation", "names", "nat", "firewall", "link", "servers"] {
            assert_eq!(sample.check(&format!("lab/{aspect}")).verdict, Pass);
        }
    }

    #[test]
    fn a_declaration_that_does_not_hold_is_invalid() {
        let mut sample = Sample::good();
        sample.change(|event| {
            if let Event::Attested(measured) = event
                && measured.aspect == Aspect::Firewall
            {
                measured.measured = "passes".into();
                measured.holds = false;
            }
        });
        let check = sample.check("lab/firewall");
        assert_eq!(check.verdict, Invalid);
        assert_eq!(
            check.evidence,
            ["alice: udp 443 to the internet: declared dropped, measured passes"]
        );
        assert_eq!(sample.check("lab/isolation").verdict, Pass);
    }

    #[test]
    fn a_declaration_that_was_not_measured_is_invalid() {
        let mut sample = Sample::good();
        sample.remove(|entry| {
            entry.node == "bob"
                && matches!(&entry.event, Event::Attested(one) if one.aspect == Aspect::Isolation)
        });
        let check = sample.check("lab/isolation");
        assert_eq!(check.verdict, Invalid);
        assert_eq!(check.evidence, ["bob: 1 of 1 not measured"]);
    }

    #[test]
    fn isolation_is_never_taken_for_granted() {
        let mut sample = Sample::good();
        sample.declared.attestation.clear();
        sample.remove(|entry| matches!(entry.event, Event::Attested(_)));
        assert_eq!(sample.check("lab/isolation").verdict, Invalid);
        assert_eq!(sample.check("lab/nat").verdict, Skipped);
    }
}
