//! A baseline out of runs.

use crate::Seen;
use farcall_scenario::{ExpectedNetwork, ExpectedPair, Scenario};
use farcall_timeline::{CandidateType, IceTransport};
use farcall_verdict::Verdict;
use std::collections::{BTreeMap, BTreeSet};
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

/// What a new baseline begins with: the rule of budgets among it.
const HEADER: &str = include_str!("header.toml");

/// The headroom of a budget: so many times what was measured, and so much more.
const TIMES: f64 = 2.0;
const MORE_MS: f64 = 2_000.0;
/// To what budgets are rounded up.
const STEP_MS: f64 = 500.0;

/// What a baseline is to say of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Blessing {
    /// The scenario as it is to be written: a name, or a path relative to the baseline's file.
    pub scenario: String,
    /// The only ICE configuration that it is about.
    pub ice: Option<String>,
    /// Whether the call connects.
    pub connects: bool,
    /// What each peer's pair may be.
    pub path: BTreeMap<String, ExpectedPair>,
    /// For connecting.
    pub connect: Option<Budget>,
    /// For recovering.
    pub recover: Option<Budget>,
    /// For attempts to recover.
    pub max_attempts: Option<u32>,
}

/// A time and what was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Budget {
    /// The most that was measured, in milliseconds.
    pub measured_ms: f64,
    /// What is allowed, in milliseconds.
    pub within_ms: u32,
}

/// Why a network is not blessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The scenario.
    pub scenario: String,
    /// What one of its runs came to; `None` where there was none.
    pub verdict: Option<Verdict>,
    /// Why, in plain words.
    pub why: String,
}

/// The baseline's text cannot be written anew.
#[derive(Debug, thiserror::Error)]
pub enum BlessError {
    /// It is no TOML.
    #[error("failed to write the baseline anew: {0}")]
    Toml(#[from] toml_edit::TomlError),
    /// Its networks are no tables of their own.
    #[error(
        "failed to write the baseline anew: write each network as a table of its own, [[networks]]"
    )]
    NoTables,
}

/// What runs of a network say of it. All must have passed: what is not known or does not work is nothing to hold others
/// against. A scenario that expects that no call connects passes by that.
///
/// # Errors
/// With the run that did not pass.
pub fn blessing(
    scenario: &Scenario,
    expected: &ExpectedNetwork,
    runs: &[Seen],
) -> Result<Blessing, Refusal> {
    let refuse = |verdict, why: String| Refusal {
        scenario: expected.scenario.clone(),
        verdict,
        why,
    };
    let wrong = runs.iter().find(|run| run.verdict != Verdict::Pass);
    if let Some(run) = wrong {
        let why = run.explanation.as_ref();
        let why = why.map_or_else(
            || "no reason is known".to_owned(),
            |why| why.sentence.clone(),
        );
        return Err(refuse(Some(run.verdict), why));
    }
    let Some(first) = runs.first() else {
        return Err(refuse(None, "no run came to its end".to_owned()));
    };
    let connects = first.connects();
    if runs.iter().any(|run| run.connects() != connects) {
        let why = "some of its calls connected and some did not".to_owned();
        return Err(refuse(Some(first.verdict), why));
    }
    let expect = &scenario.expect;
    let most = |figure: fn(&Seen) -> Option<f64>| {
        let all = runs.iter().filter_map(figure);
        all.max_by(f64::total_cmp)
    };
    let recovery = expect.recovery.as_ref().filter(|one| one.recovers);
    Ok(Blessing {
        scenario: expected.scenario.clone(),
        ice: expected.ice.clone(),
        connects,
        path: if connects {
            path(runs)
        } else {
            BTreeMap::new()
        },
        connect: most(|run| run.figures.connected_after_ms)
            .map(|measured_ms| budget(measured_ms, expect.within_ms)),
        recover: recovery.and_then(|recovery| {
            let measured_ms = most(|run| run.figures.recovered_after_ms)?;
            Some(budget(measured_ms, recovery.within_ms))
        }),
        max_attempts: runs.iter().filter_map(|run| run.figures.attempts).max(),
    })
}

fn budget(measured_ms: f64, allowed_ms: u32) -> Budget {
    let within_ms = ((measured_ms * TIMES + MORE_MS) / STEP_MS).ceil() * STEP_MS;
    Budget {
        measured_ms,
        // A scenario allows 120 s at most, which a `u32` holds.
        within_ms: within_ms.min(f64::from(allowed_ms)) as u32,
    }
}

/// Every way that a run took.
fn path(runs: &[Seen]) -> BTreeMap<String, ExpectedPair> {
    let mut path: BTreeMap<String, ExpectedPair> = BTreeMap::new();
    for (peer, pair) in runs.iter().flat_map(|run| &run.pairs) {
        let expected = path.entry(peer.clone()).or_default();
        match pair.local.candidate_type {
            CandidateType::Relay => {
                add(&mut expected.local, CandidateType::Relay);
                if let Some(transport) = pair.local.relay_protocol {
                    add(&mut expected.relay_protocol, transport);
                }
            }
            _ => {
                for direct in [
                    CandidateType::Host,
                    CandidateType::Srflx,
                    CandidateType::Prflx,
                ] {
                    add(&mut expected.local, direct);
                }
            }
        }
    }
    path
}

fn add<T: PartialEq>(list: &mut Vec<T>, one: T) {
    if !list.contains(&one) {
        list.push(one);
    }
}

/// A baseline's text with these blessings in it: of the networks that it has, in their places, and of others behind them.
/// Everything else stays as it is. Without a text it is a new one.
///
/// # Errors
/// When the text has no networks that could be changed.
pub fn written(text: Option<&str>, blessings: &[Blessing]) -> Result<String, BlessError> {
    let mut document: DocumentMut = text.unwrap_or(HEADER).parse()?;
    let networks = document
        .entry("networks")
        .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let networks = networks
        .as_array_of_tables_mut()
        .ok_or(BlessError::NoTables)?;
    for blessing in blessings {
        let known = networks.iter().position(|table| is_of(table, blessing));
        match known.and_then(|index| networks.get_mut(index)) {
            Some(table) => write(table, blessing),
            None => {
                let mut table = Table::new();
                table["scenario"] = value(&blessing.scenario);
                if let Some(ice) = &blessing.ice {
                    table["ice"] = value(ice);
                }
                write(&mut table, blessing);
                networks.push(table);
            }
        }
    }
    // A header without any table ends the text; it is to begin it.
    let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
    if text.is_none() && !trailing.is_empty() {
        document.set_trailing("");
        return Ok(format!("{trailing}\n{}", document.to_string().trim_start()));
    }
    Ok(document.to_string())
}

fn is_of(table: &Table, blessing: &Blessing) -> bool {
    let text = |key| table.get(key).and_then(Item::as_str);
    text("scenario") == Some(&blessing.scenario) && text("ice") == blessing.ice.as_deref()
}

fn write(table: &mut Table, blessing: &Blessing) {
    table["connects"] = value(blessing.connects);
    match blessing.path.is_empty() {
        true => {
            table.remove("path");
        }
        false => {
            let mut path = Table::new();
            path.set_dotted(true);
            for (peer, pair) in &blessing.path {
                path[peer] = value(end(pair));
            }
            table.insert("path", Item::Table(path));
        }
    }
    for (key, budget) in [
        ("connect_within_ms", blessing.connect),
        ("recover_within_ms", blessing.recover),
    ] {
        match budget {
            None => {
                table.remove(key);
            }
            Some(budget) => {
                let mut written = Value::from(i64::from(budget.within_ms));
                let measured = format!(" # measured {:.0} ms", budget.measured_ms);
                written.decor_mut().set_suffix(measured);
                table.insert(key, Item::Value(written));
            }
        }
    }
    match blessing.max_attempts {
        None => {
            table.remove("max_attempts");
        }
        Some(attempts) => table["max_attempts"] = value(i64::from(attempts)),
    }
}

fn end(pair: &ExpectedPair) -> InlineTable {
    let mut table = InlineTable::new();
    let local: BTreeSet<String> = pair.local.iter().map(CandidateType::to_string).collect();
    table.insert("local", list(local));
    if !pair.relay_protocol.is_empty() {
        let transports = pair.relay_protocol.iter().map(IceTransport::to_string);
        table.insert("relay_protocol", list(transports.collect()));
    }
    table
}

fn list(words: BTreeSet<String>) -> Value {
    Value::Array(Array::from_iter(words))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::testing::{TODAY, baseline, network, seen};
    use crate::{Answer, judge};
    use farcall_verdict::Figures;
    use rstest::rstest;
    use std::path::Path;

    fn bless(keys: &str, runs: &[Seen]) -> Result<Blessing, Refusal> {
        let network = network(keys);
        blessing(&network.scenario, &network.expected, runs)
    }

    #[rstest]
    #[case(1_420.0, 15_000, 5_000)]
    #[case(1_500.0, 15_000, 5_000)]
    #[case(1_500.1, 15_000, 5_500)]
    #[case(0.0, 15_000, 2_000)]
    #[case(9_000.0, 15_000, 15_000)]
    fn a_budget_has_headroom_up_to_what_the_scenario_allows(
        #[case] measured_ms: f64,
        #[case] allowed_ms: u32,
        #[case] within_ms: u32,
    ) {
        assert_eq!(budget(measured_ms, allowed_ms).within_ms, within_ms);
    }

    #[rstest]
    #[case::invalid(Verdict::Invalid)]
    #[case::unsupported(Verdict::Unsupported)]
    #[case::failed(Verdict::Fail)]
    fn what_did_not_pass_is_not_blessed(#[case] verdict: Verdict) {
        let refusal = bless("", &[seen(Verdict::Pass), seen(verdict)]).unwrap_err();
        assert_eq!(refusal.verdict, Some(verdict));
        assert_eq!(refusal.why, "The firewall lets only TLS through.");
        assert!(bless("", &[]).is_err());
    }

    #[test]
    fn a_network_in_which_nothing_connects_is_blessed_as_such() {
        let network = baseline("[[networks]]\nscenario = \"captive-portal\"\n")
            .networks
            .remove(0);
        let mut run = seen(Verdict::Pass);
        run.figures = Figures::default();
        run.pairs.clear();
        let blessing = blessing(&network.scenario, &network.expected, &[run]).unwrap();
        assert!(!blessing.connects);
        let text = written(None, &[blessing]).unwrap();
        assert!(
            text.ends_with("scenario = \"captive-portal\"\nconnects = false\n"),
            "{text}"
        );
        baseline(&text);
    }

    #[test]
    fn of_several_runs_the_slowest_counts_and_every_way() {
        let mut direct = seen(Verdict::Pass);
        let alice = direct.pairs.get_mut("alice").unwrap();
        alice.local.candidate_type = CandidateType::Srflx;
        alice.local.relay_protocol = None;
        direct.figures.connected_after_ms = Some(3_100.0);
        let runs = [seen(Verdict::Pass), direct];
        let blessing = bless("", &runs).unwrap();
        assert_eq!(blessing.connect.unwrap().measured_ms, 3_100.0);
        insta::assert_snapshot!(written(None, &[blessing]).unwrap());
    }

    #[test]
    fn what_was_blessed_is_read_again_and_the_same_run_is_a_yes() {
        let mut run = seen(Verdict::Pass);
        run.figures.recovered_after_ms = Some(5_000.0);
        run.figures.attempts = Some(1);
        let blessing = bless("max_attempts = 10 # recover", std::slice::from_ref(&run)).unwrap();
        let text = written(None, &[blessing]).unwrap();
        let baseline = baseline(&text);
        let expected = &baseline.networks[0].expected;
        assert_eq!(expected.connect_within_ms, Some(7_000));
        assert_eq!(expected.recover_within_ms, Some(12_000));
        assert_eq!(expected.max_attempts, Some(1));
        let entry = judge(
            &baseline.networks[0],
            "production",
            &[run],
            Path::new(""),
            TODAY,
        );
        assert_eq!((entry.answer, entry.shortfalls), (Answer::Yes, Vec::new()));
    }

    #[test]
    fn comments_order_and_quarantines_stay() {
        let before = "# ours\n[[networks]]\nscenario = \"corporate-firewall\" # the office\n\
            # we were promised this\nconnect_within_ms = 99\nquarantine = { reason = \"x\", until = 2026-06-30 }\n\n\
            [[networks]]\nscenario = \"home-to-home\"\n# the end\n";
        let one = bless("", &[seen(Verdict::Pass)]).unwrap();
        let new = Blessing {
            ice: Some("with-tls".to_owned()),
            scenario: "open-internet".to_owned(),
            ..one.clone()
        };
        let after = written(Some(before), &[one.clone(), new.clone()]).unwrap();
        insta::assert_snapshot!(after);
        assert_eq!(written(Some(&after), &[one, new]).unwrap(), after);
        assert_eq!(baseline(&after).networks.len(), 3);
    }

    #[test]
    fn what_has_no_tables_is_not_written_over() {
        for text in ["networks = []", "networks = 1", "= ="] {
            assert!(written(Some(text), &[]).is_err(), "{text}");
        }
    }
}
