//! What the rules of gateways counted during the call.

use crate::StoredRun;
use farcall_plan::{FROM_INSIDE, TO_INSIDE};
use farcall_timeline::{Event, RuleCounter};

/// What a rule counted during the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RuleCount {
    pub(crate) rule: String,
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    /// Whether it keeps packets from going on.
    pub(crate) blocks: bool,
}

/// What each rule of a gateway counted from before the call to after it, without those that counted nothing and those
/// that count everything.
pub(crate) fn counted(run: &StoredRun, gateway: &str) -> Vec<RuleCount> {
    let mut readings = run.timeline.of(gateway).filter_map(|event| match event {
        Event::Counters { rules, .. } => Some(rules),
        _ => None,
    });
    let Some(first) = readings.next() else {
        return Vec::new();
    };
    let last = readings.next_back().unwrap_or(first);
    let since = |rule: &RuleCounter| {
        let before = first.iter().find(|before| before.rule == rule.rule);
        let before = before.filter(|_| !std::ptr::eq(first, last));
        let (packets, bytes) = before.map_or((0, 0), |rule| (rule.packets, rule.bytes));
        RuleCount {
            rule: rule.rule.clone(),
            packets: rule.packets.saturating_sub(packets),
            bytes: rule.bytes.saturating_sub(bytes),
            blocks: blocks(&rule.rule),
        }
    };
    let told = |rule: &&RuleCounter| rule.rule != FROM_INSIDE && rule.rule != TO_INSIDE;
    let counts = last.iter().filter(told).map(since);
    counts.filter(|count| count.packets > 0).collect()
}

/// By its name: rules are called after what they do.
fn blocks(rule: &str) -> bool {
    let (_, does) = rule.rsplit_once('/').unwrap_or(("", rule));
    let verbs = ["drop", "reject", "reset", "unreachable", "refuse"];
    let losses = ["lost", "overrun", "overflowed"];
    verbs.iter().any(|verb| does.starts_with(verb))
        || losses.iter().any(|loss| does.ends_with(loss))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::stored::tests::{about, stored};
    use farcall_verdict::sample::Sample;

    #[test]
    fn only_what_was_counted_during_the_call_is_told() {
        let out = tempfile::tempdir().unwrap();
        let run = stored(&out, &about(), &Sample::good());
        let counts = counted(&run, "office-gateway");
        let dropped = RuleCount {
            rule: "corporate/drop-udp".into(),
            packets: 7,
            bytes: 392,
            blocks: true,
        };
        assert_eq!(counts, [dropped]);
        assert!(counted(&run, "mobile-gateway").is_empty());
        assert!(counted(&run, "alice").is_empty());
    }

    #[test]
    fn a_rule_that_accepts_blocks_nothing() {
        assert!(
            blocks("corporate/drop-udp")
                && blocks("closed/reset-tcp")
                && blocks("link/up-overflowed")
        );
        assert!(!blocks("state/accept-reply") && !blocks("nat/masquerade"));
    }
}
