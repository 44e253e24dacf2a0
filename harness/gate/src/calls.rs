//! Which calls a baseline asks for with the ICE configurations that are given.

use crate::Subject;
use farcall_scenario::{Baseline, Scenario};

/// The calls that are placed in one network, and so in one lab.
#[derive(Debug, Clone, PartialEq)]
pub struct NetworkCalls<'a> {
    /// The network.
    pub scenario: &'a Scenario,
    /// The calls, in the order of the configurations: which network of the baseline and which configuration each is of.
    pub calls: Vec<(usize, usize)>,
}

/// The baseline and the configurations do not go together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallsError {
    /// The baseline names a configuration that is not given.
    #[error(
        "{file}:{line}: `{scenario}` is about the ICE configuration `{ice}`, which was not given; add it with --ice or \
         --config"
    )]
    NotGiven {
        /// The baseline's file.
        file: String,
        /// The network's line.
        line: usize,
        /// The network's scenario.
        scenario: String,
        /// The configuration's name.
        ice: String,
    },
    /// A configuration is given of which the baseline says nothing.
    #[error(
        "no network of {file} is about the ICE configuration `{ice}`; leave it out, or write one without `ice`, which is \
         about each"
    )]
    NotJudged {
        /// The baseline's file.
        file: String,
        /// The configuration's name.
        ice: String,
    },
}

/// The calls of a baseline, network by network in its order, with configurations of these names.
///
/// # Errors
/// When a network is about another configuration, or a configuration has no network.
pub fn calls<'a>(
    baseline: &'a Baseline,
    configurations: &[&str],
) -> Result<Vec<NetworkCalls<'a>>, CallsError> {
    let mut networks: Vec<NetworkCalls<'a>> = Vec::new();
    let mut judged = vec![false; configurations.len()];
    for (index, network) in baseline.networks.iter().enumerate() {
        let ice = network.expected.ice.as_deref();
        let each = configurations.iter().enumerate();
        let wanted: Vec<usize> = each
            .filter(|(_, name)| ice.is_none_or(|ice| ice == **name))
            .map(|(number, _)| number)
            .collect();
        if let (Some(ice), []) = (ice, wanted.as_slice()) {
            return Err(CallsError::NotGiven {
                file: baseline.file.clone(),
                line: network.line,
                scenario: network.expected.scenario.clone(),
                ice: ice.to_owned(),
            });
        }
        for configuration in &wanted {
            judged[*configuration] = true;
        }
        let new = wanted
            .into_iter()
            .map(|configuration| (index, configuration));
        let is_same = |known: &&mut NetworkCalls<'_>| known.scenario.name == network.scenario.name;
        match networks.iter_mut().find(is_same) {
            Some(known) => known.calls.extend(new),
            None => networks.push(NetworkCalls {
                scenario: &network.scenario,
                calls: new.collect(),
            }),
        }
    }
    let unjudged = judged.iter().position(|is_judged| !is_judged);
    if let Some(number) = unjudged {
        return Err(CallsError::NotJudged {
            file: baseline.file.clone(),
            ice: configurations[number].to_owned(),
        });
    }
    Ok(networks)
}

impl NetworkCalls<'_> {
    /// The calls by name.
    pub fn subjects<'a>(
        &'a self,
        configurations: &'a [&str],
    ) -> impl Iterator<Item = Subject> + 'a {
        self.calls.iter().map(|(_, configuration)| Subject {
            scenario: self.scenario.name.clone(),
            ice_configuration: configurations[*configuration].to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::testing::baseline;

    const TEXT: &str = "[[networks]]\nscenario = \"open-internet\"\n\
        [[networks]]\nscenario = \"home-to-home\"\nice = \"new\"\n\
        [[networks]]\nscenario = \"home-to-home\"\nice = \"old\"\n";

    #[test]
    fn a_network_is_called_in_with_each_configuration_or_with_its_own() {
        let baseline = baseline(TEXT);
        let found = calls(&baseline, &["old", "new"]).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|one| (one.scenario.name.as_str(), one.calls.clone()))
            .collect();
        let expected = [
            ("open-internet", vec![(0, 0), (0, 1)]),
            ("home-to-home", vec![(1, 1), (2, 0)]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_configuration_that_is_missing_or_of_no_account_is_an_error() {
        let baseline = baseline(TEXT);
        let error = calls(&baseline, &["old"]).unwrap_err().to_string();
        assert!(
            error.starts_with("baseline.toml:3: `home-to-home`"),
            "{error}"
        );
        let only =
            crate::testing::baseline("[[networks]]\nscenario = \"home-to-home\"\nice = \"old\"\n");
        let error = calls(&only, &["old", "new"]).unwrap_err().to_string();
        assert!(error.contains("`new`"), "{error}");
    }
}
