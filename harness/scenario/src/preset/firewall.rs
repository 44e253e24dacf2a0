//! Firewalls: what goes out of a site.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A firewall by a name that people use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FirewallPreset {
    /// Everything may go out.
    #[default]
    Open,
    /// TCP 80 and 443 may go out; all else is dropped. Names are resolved by the site's own resolver.
    Corporate,
    /// As `corporate`, and on TCP 443 only what begins with a TLS handshake passes; else it is reset.
    TlsOnly,
}

/// A firewall as an ordered list of rules for what goes out; the first that matches decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Firewall {
    /// The rules in order.
    pub rules: Vec<Rule>,
}

/// One rule for what goes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rule {
    /// The name of the rule and its counter, such as `corporate/drop-udp`.
    pub name: String,
    /// What it matches; `None` matches every protocol.
    pub protocol: Option<Protocol>,
    /// The destination port; `None` matches every port.
    pub port: Option<u16>,
    /// What happens.
    pub action: Action,
}

/// A transport protocol that a rule can match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// What a rule does with what it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Lets it pass.
    Accept,
    /// Lets a TCP connection open, and resets it unless its first payload begins a TLS handshake.
    AcceptTls,
    /// Drops it without a word.
    Drop,
}

impl Rule {
    /// The name of the counter for the connections that an [`Action::AcceptTls`] rule resets, such
    /// as `tls-only/reset-not-tls-443`; `None` for rules that reset nothing.
    #[must_use]
    pub fn reset_counter(&self) -> Option<String> {
        (self.action == Action::AcceptTls)
            .then(|| self.name.replacen("/allow-tls-", "/reset-not-tls-", 1))
    }
}

impl FirewallPreset {
    /// The plain configuration.
    #[must_use]
    pub fn expand(self) -> Firewall {
        use Action::{Accept, AcceptTls, Drop};
        use Protocol::{Tcp, Udp};
        let rules = match self {
            Self::Open => vec![rule("open/allow", None, None, Accept)],
            Self::Corporate => vec![
                rule("corporate/allow-tcp-80", Some(Tcp), Some(80), Accept),
                rule("corporate/allow-tcp-443", Some(Tcp), Some(443), Accept),
                rule("corporate/drop-udp", Some(Udp), None, Drop),
                rule("corporate/drop-tcp", Some(Tcp), None, Drop),
                rule("corporate/drop-other", None, None, Drop),
            ],
            Self::TlsOnly => vec![
                rule("tls-only/allow-tcp-80", Some(Tcp), Some(80), Accept),
                rule("tls-only/allow-tls-443", Some(Tcp), Some(443), AcceptTls),
                rule("tls-only/drop-udp", Some(Udp), None, Drop),
                rule("tls-only/drop-tcp", Some(Tcp), None, Drop),
                rule("tls-only/drop-other", None, None, Drop),
            ],
        };
        Firewall { rules }
    }
}

fn rule(name: &str, protocol: Option<Protocol>, port: Option<u16>, action: Action) -> Rule {
    Rule {
        name: name.to_owned(),
        protocol,
        port,
        action,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first rule that matches.
    fn verdict(preset: FirewallPreset, protocol: Option<Protocol>, port: u16) -> Option<Rule> {
        preset.expand().rules.into_iter().find(|rule| {
            (rule.protocol.is_none() || rule.protocol == protocol)
                && (rule.port.is_none() || rule.port == Some(port))
        })
    }

    fn name(preset: FirewallPreset, protocol: Option<Protocol>, port: u16) -> Option<String> {
        verdict(preset, protocol, port).map(|rule| rule.name)
    }

    #[test]
    fn corporate_lets_out_the_web_over_tcp_alone() {
        let corporate = |protocol, port| name(FirewallPreset::Corporate, protocol, port);
        let (tcp, udp) = (Some(Protocol::Tcp), Some(Protocol::Udp));
        assert_eq!(
            corporate(tcp, 80).as_deref(),
            Some("corporate/allow-tcp-80")
        );
        assert_eq!(
            corporate(tcp, 443).as_deref(),
            Some("corporate/allow-tcp-443")
        );
        assert_eq!(corporate(tcp, 3478).as_deref(), Some("corporate/drop-tcp"));
        assert_eq!(corporate(udp, 443).as_deref(), Some("corporate/drop-udp"));
        assert_eq!(corporate(None, 0).as_deref(), Some("corporate/drop-other"));
    }

    #[test]
    fn only_the_rule_that_looks_for_tls_resets() {
        let tls_only = FirewallPreset::TlsOnly.expand();
        let counters: Vec<_> = tls_only
            .rules
            .iter()
            .filter_map(Rule::reset_counter)
            .collect();
        assert_eq!(counters, ["tls-only/reset-not-tls-443"]);
        let port_443 = verdict(FirewallPreset::TlsOnly, Some(Protocol::Tcp), 443);
        assert_eq!(port_443.map(|rule| rule.action), Some(Action::AcceptTls));
    }

    #[test]
    fn every_preset_decides_on_everything_under_names_of_its_own() {
        for preset in [
            FirewallPreset::Open,
            FirewallPreset::Corporate,
            FirewallPreset::TlsOnly,
        ] {
            let rules = preset.expand().rules;
            assert!(
                rules
                    .last()
                    .is_some_and(|last| last.protocol.is_none() && last.port.is_none())
            );
            let mut names: Vec<_> = rules.iter().map(|rule| &rule.name).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), rules.len(), "{preset:?}");
        }
    }
}
