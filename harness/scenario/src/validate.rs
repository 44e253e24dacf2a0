//! Whether what was written can be: values in their ranges, names that exist, nothing that
//! contradicts something else.

mod expect;
mod faults;
mod firewall;
mod link;
mod peers;
mod recovery;
mod servers;
mod sites;

use crate::model::{Call, Scenario};
use crate::read::{Finding, out_of_range};
use std::ops::RangeInclusive;

/// How long a label of a host name may be (RFC 1035 section 2.3.4).
const LABEL_LENGTH: usize = 63;

/// Everything that is wrong with a scenario.
pub(crate) fn check(scenario: &Scenario) -> Vec<Finding> {
    let mut findings = description(scenario);
    findings.extend(sites::check(scenario));
    findings.extend(peers::check(scenario));
    findings.extend(call(&scenario.call));
    findings.extend(expect::check(scenario));
    findings.extend(recovery::check(scenario));
    findings.extend(servers::check(scenario));
    findings
}

fn description(scenario: &Scenario) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !is_label(&scenario.name) {
        let message = format!("`{}` is no name for a scenario", scenario.name);
        findings
            .push(Finding::new("", message).hint(format!("name the file otherwise: {LABEL_RULE}")));
    }
    if scenario.description.trim().is_empty() || scenario.description.contains('\n') {
        let finding = Finding::new("description", "the description is not one line");
        findings.push(finding.hint("say in a line what the network is"));
    }
    for (index, tag) in scenario.tags.iter().enumerate() {
        if tag.is_empty() || tag.contains(char::is_whitespace) {
            let finding = Finding::new(format!("tags[{index}]"), format!("`{tag}` is no tag"));
            findings.push(finding.hint("write one word without spaces"));
        }
    }
    findings
}

fn call(call: &Call) -> Vec<Finding> {
    let media = within("call.media_ms", call.media_ms, &Call::MEDIA_MS);
    let gathering = within(
        "call.gathering_timeout_ms",
        call.gathering_timeout_ms,
        &Call::GATHERING_TIMEOUT_MS,
    );
    media.into_iter().chain(gathering).collect()
}

fn within(key: &str, number: u32, range: &RangeInclusive<u32>) -> Option<Finding> {
    let (message, hint) = out_of_range(number, range);
    (!range.contains(&number)).then(|| Finding::new(key, message).hint(hint))
}

const LABEL_RULE: &str = "lower-case letters, digits and hyphens, a letter or digit first and last, \
                          at most 63 of them";

/// Whether the name can be a label of a host name (RFC 1123 section 2.1), in lower case.
fn is_label(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=LABEL_LENGTH).contains(&name.len())
        && name.bytes().all(|byte| plain(byte) || byte == b'-')
        && name.bytes().next().is_some_and(plain)
        && name.bytes().last().is_some_and(plain)
}

#[cfg(test)]
mod tests {
    use super::is_label;

    #[test]
    fn labels_are_those_of_host_names() {
        for good in ["a", "office", "site-2", "0x"] {
            assert!(is_label(good), "{good}");
        }
        for bad in ["", "-a", "a-", "Office", "a.b", "ä", "a_b", &"a".repeat(64)] {
            assert!(!is_label(bad), "{bad}");
        }
    }
}
