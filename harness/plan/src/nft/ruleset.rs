//! A ruleset as text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The one table of a node, in the making.
#[derive(Debug)]
pub(super) struct Ruleset {
    title: String,
    counters: BTreeSet<String>,
    sets: Vec<String>,
    chains: Vec<Chain>,
}

/// A chain in the making.
#[derive(Debug)]
pub(super) struct Chain {
    name: String,
    hook: Option<&'static str>,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    matches: String,
    counter: Option<String>,
    statement: String,
}

impl Chain {
    /// A chain that the kernel runs, such as `type filter hook input priority filter; policy drop;`.
    pub(super) fn base(name: &str, hook: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            hook: Some(hook),
            rules: Vec::new(),
        }
    }

    /// A chain that other chains jump to.
    pub(super) fn regular(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            hook: None,
            rules: Vec::new(),
        }
    }

    /// Adds a rule: what it matches (nothing: all), its counter, and its statement.
    pub(super) fn rule(mut self, matches: &str, counter: &str, statement: &str) -> Self {
        self.rules.push(Rule {
            matches: matches.to_owned(),
            counter: Some(counter.to_owned()),
            statement: statement.to_owned(),
        });
        self
    }

    /// Adds a rule that counts what it matches and decides nothing.
    pub(super) fn count(self, matches: &str, counter: &str) -> Self {
        self.rule(matches, counter, "")
    }

    /// Adds a rule that hands what it matches to another chain, whose rules count it.
    pub(super) fn jump(mut self, matches: &str, chain: &str) -> Self {
        self.rules.push(Rule {
            matches: matches.to_owned(),
            counter: None,
            statement: format!("jump {chain}"),
        });
        self
    }
}

impl Ruleset {
    /// An empty ruleset. The title says what it is for.
    pub(super) fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            counters: BTreeSet::new(),
            sets: Vec::new(),
            chains: Vec::new(),
        }
    }

    /// Adds an empty set, before the chains that refer to it, such as `type ipv4_addr;`.
    pub(super) fn set(mut self, name: &str, specification: &str) -> Self {
        self.sets.push(format!("set {name} {{ {specification} }}"));
        self
    }

    /// Adds a chain, after those that it jumps to.
    pub(super) fn chain(mut self, chain: Chain) -> Self {
        let counters = chain.rules.iter().filter_map(|rule| rule.counter.clone());
        self.counters.extend(counters);
        self.chains.push(chain);
        self
    }

    /// nft's text. Loading it again replaces the table and clears its counters.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "# {}\ntable inet farcall\ndelete table inet farcall\ntable inet farcall {{\n",
            self.title
        );
        for counter in &self.counters {
            let _ = writeln!(text, "\tcounter {counter} {{ }}");
        }
        for set in &self.sets {
            let _ = writeln!(text, "\n\t{set}");
        }
        for chain in &self.chains {
            let _ = writeln!(text, "\n\tchain {} {{", chain.name);
            if let Some(hook) = chain.hook {
                let _ = writeln!(text, "\t\t{hook}");
            }
            for rule in &chain.rules {
                let _ = writeln!(text, "\t\t{rule}");
            }
            text.push_str("\t}\n");
        }
        text.push_str("}\n");
        text
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let matches = (!self.matches.is_empty()).then(|| self.matches.clone());
        let counter = self.counter.as_ref();
        let counter = counter.map(|name| format!("counter name \"{name}\""));
        let statement = (!self.statement.is_empty()).then(|| self.statement.clone());
        let parts: Vec<String> = [matches, counter, statement]
            .into_iter()
            .flatten()
            .collect();
        formatter.write_str(&parts.join(" "))
    }
}
