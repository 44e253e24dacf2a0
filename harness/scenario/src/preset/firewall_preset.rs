//! Firewalls by the names that people use.

use super::{
    Action, Blocking, Contradiction, Direction, Firewall, FirewallOverride, FirewallService,
    Protocol, Rule,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where an HTTP proxy listens: Squid's default port.
const PROXY_PORT: u16 = 3128;

/// To what `udp-throttled` polices UDP, in kbit/s.
const UDP_KBIT: u32 = 200;

/// A firewall by a name that people use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FirewallPreset {
    /// Everything may go out, and in too where no NAT forbids it.
    #[default]
    Open,
    /// No UDP at all; everything else may go out.
    UdpBlocked,
    /// TCP 80 and 443 may go out; all else is blocked. Names are resolved by the site's own resolver.
    Corporate,
    /// As `corporate`, and on TCP 443 only what begins with a TLS handshake passes; else it is reset.
    TlsOnly,
    /// As `corporate`, and TCP 443 is re-terminated: the firewall answers in the server's name with a
    /// certificate of the company's own authority, and closes what is no TLS.
    TlsIntercept,
    /// Only an HTTP proxy (CONNECT, RFC 9110 section 9.3.6) leads out, on TCP 3128 of the gateway.
    HttpProxy,
    /// UDP 443 (QUIC) and TCP 443 may go out.
    #[serde(rename = "udp-443-only")]
    Udp443Only,
    /// UDP 3478, the port of STUN and TURN (RFC 8489, RFC 8656), may go out.
    TurnPortOnly,
    /// A hotspot before its login page was answered: names resolve to the portal, HTTP is redirected to it,
    /// all else is blocked. Who has logged in passes.
    CaptivePortal,
    /// UDP is policed to 200 kbit/s in each direction: what is faster is dropped.
    UdpThrottled,
}

impl FirewallPreset {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Open,
        Self::UdpBlocked,
        Self::Corporate,
        Self::TlsOnly,
        Self::TlsIntercept,
        Self::HttpProxy,
        Self::Udp443Only,
        Self::TurnPortOnly,
        Self::CaptivePortal,
        Self::UdpThrottled,
    ];

    /// Where its rules are from.
    #[must_use]
    pub fn source(self) -> &'static str {
        match self {
            Self::Open => "no firewall",
            Self::UdpBlocked => "libwebrtc, p2p_transport_channel_unittest.cc: BLOCK_UDP",
            Self::Corporate => {
                "the common outbound policy of offices; libwebrtc's BLOCK_ALL_BUT_OUTGOING_HTTP"
            }
            Self::TlsOnly => {
                "firewalls that look at the first bytes on 443 (application identification)"
            }
            Self::TlsIntercept => "TLS inspection by middleboxes, as RFC 8404 describes it",
            Self::HttpProxy => "RFC 9110 section 9.3.6; 3128 is Squid's default port",
            Self::Udp443Only => "networks that let QUIC (RFC 9000) pass beside HTTPS",
            Self::TurnPortOnly => "a pinhole for STUN and TURN's default port (RFC 8489, RFC 8656)",
            Self::CaptivePortal => "RFC 8952 section 1: a network before its conditions are met",
            Self::UdpThrottled => "a policer on UDP, 200 kbit/s: less than a video call asks for",
        }
    }

    /// The plain configuration.
    ///
    /// # Errors
    /// When an override contradicts the preset.
    pub fn expand(self, overrides: Option<&FirewallOverride>) -> Result<Firewall, Contradiction> {
        match self.contradictions(overrides).into_iter().next() {
            Some(contradiction) => Err(contradiction),
            None => Ok(self.overridden(overrides)),
        }
    }

    /// Whether it lets in what nobody inside has called for.
    #[must_use]
    pub fn lets_in(self) -> bool {
        matches!(self, Self::Open | Self::UdpThrottled)
    }

    /// Everything that forbids to build this preset with these overrides.
    pub(crate) fn contradictions(self, overrides: Option<&FirewallOverride>) -> Vec<Contradiction> {
        let Some(overrides) = overrides else {
            return Vec::new();
        };
        let mut found = Vec::new();
        if overrides.blocking.is_some() && matches!(self, Self::Open | Self::UdpThrottled) {
            found.push(Contradiction {
                key: "blocking",
                message: "this firewall refuses nothing, so it has no way of `blocking`".to_owned(),
                hint: "leave it out, or name a firewall that blocks: `firewall = \"corporate\"`"
                    .to_owned(),
            });
        }
        if overrides.server_names.is_some() && self != Self::TlsOnly {
            found.push(Contradiction {
                key: "server_names",
                message: "only `tls-only` looks at server names".to_owned(),
                hint: "write `firewall = \"tls-only\"`, or leave `server_names` out".to_owned(),
            });
        }
        if overrides.server_names.as_ref().is_some_and(Vec::is_empty) {
            found.push(Contradiction {
                key: "server_names",
                message: "a list without any name lets nothing pass".to_owned(),
                hint: "name a host, such as \"turn.example.net\", or leave the list out".to_owned(),
            });
        }
        match overrides.udp_kbit {
            Some(_) if self != Self::UdpThrottled => found.push(Contradiction {
                key: "udp_kbit",
                message: "only `udp-throttled` polices UDP".to_owned(),
                hint: "write `firewall = \"udp-throttled\"`, or leave `udp_kbit` out".to_owned(),
            }),
            Some(kbit) if !FirewallOverride::UDP_KBIT.contains(&kbit) => {
                let range = FirewallOverride::UDP_KBIT;
                found.push(Contradiction {
                    key: "udp_kbit",
                    message: format!("`udp_kbit` cannot be {kbit}"),
                    hint: format!("write {} to {} kbit/s", range.start(), range.end()),
                });
            }
            _ => {}
        }
        found
    }

    fn overridden(self, overrides: Option<&FirewallOverride>) -> Firewall {
        let blocking = overrides.and_then(|overrides| overrides.blocking);
        let blocking = blocking.unwrap_or_default();
        let names = overrides.and_then(|overrides| overrides.server_names.clone());
        let udp_kbit = overrides.and_then(|overrides| overrides.udp_kbit);
        let mut rules = overrides.map_or(Vec::new(), |overrides| overrides.rules.clone());
        rules.extend(self.rules(blocking, names, udp_kbit));
        let service = match self {
            Self::HttpProxy => Some(FirewallService::HttpProxy { port: PROXY_PORT }),
            Self::CaptivePortal => Some(FirewallService::CaptivePortal),
            _ => None,
        };
        Firewall { rules, service }
    }

    fn rules(
        self,
        blocking: Blocking,
        server_names: Option<Vec<String>>,
        udp_kbit: Option<u32>,
    ) -> Vec<Rule> {
        use Action::{Accept, AcceptTls, AcceptTlsFor, InterceptTls, Police};
        use Protocol::{Tcp, Udp};
        let block = |prefix: &str| blocked(prefix, blocking);
        let out = Direction::Out;
        match self {
            Self::Open => vec![
                rule("open/allow", out, None, None, Accept),
                rule("open/allow-in", Direction::In, None, None, Accept),
            ],
            Self::UdpBlocked => {
                let (word, action) = blocking.of();
                vec![
                    rule(
                        &format!("udp-blocked/{word}-udp"),
                        out,
                        Some(Udp),
                        None,
                        action,
                    ),
                    rule("udp-blocked/allow-other", out, None, None, Accept),
                    rule(
                        "udp-blocked/allow-tcp-in",
                        Direction::In,
                        Some(Tcp),
                        None,
                        Accept,
                    ),
                ]
            }
            Self::Corporate => with(
                vec![
                    rule("corporate/allow-tcp-80", out, Some(Tcp), Some(80), Accept),
                    rule("corporate/allow-tcp-443", out, Some(Tcp), Some(443), Accept),
                ],
                block("corporate"),
            ),
            Self::TlsOnly => {
                let tls = server_names.map_or(AcceptTls, AcceptTlsFor);
                with(
                    vec![
                        rule("tls-only/allow-tcp-80", out, Some(Tcp), Some(80), Accept),
                        rule("tls-only/allow-tls-443", out, Some(Tcp), Some(443), tls),
                    ],
                    block("tls-only"),
                )
            }
            Self::TlsIntercept => with(
                vec![
                    rule(
                        "tls-intercept/allow-tcp-80",
                        out,
                        Some(Tcp),
                        Some(80),
                        Accept,
                    ),
                    rule(
                        "tls-intercept/intercept-tls-443",
                        out,
                        Some(Tcp),
                        Some(443),
                        InterceptTls,
                    ),
                ],
                block("tls-intercept"),
            ),
            Self::HttpProxy => block("http-proxy"),
            Self::Udp443Only => with(
                vec![
                    rule(
                        "udp-443-only/allow-udp-443",
                        out,
                        Some(Udp),
                        Some(443),
                        Accept,
                    ),
                    rule(
                        "udp-443-only/allow-tcp-443",
                        out,
                        Some(Tcp),
                        Some(443),
                        Accept,
                    ),
                ],
                block("udp-443-only"),
            ),
            Self::TurnPortOnly => with(
                vec![rule(
                    "turn-port-only/allow-udp-3478",
                    out,
                    Some(Udp),
                    Some(3478),
                    Accept,
                )],
                block("turn-port-only"),
            ),
            Self::CaptivePortal => with(
                vec![
                    rule(
                        "captive-portal/allow-logged-in",
                        out,
                        None,
                        None,
                        Action::AcceptLoggedIn,
                    ),
                    rule(
                        "captive-portal/redirect-http-80",
                        out,
                        Some(Tcp),
                        Some(80),
                        Action::RedirectToPortal,
                    ),
                ],
                block("captive-portal"),
            ),
            Self::UdpThrottled => {
                let police = || Police(udp_kbit.unwrap_or(UDP_KBIT));
                vec![
                    rule("udp-throttled/police-udp", out, Some(Udp), None, police()),
                    rule("udp-throttled/allow-other", out, None, None, Accept),
                    rule(
                        "udp-throttled/police-udp-in",
                        Direction::In,
                        Some(Udp),
                        None,
                        police(),
                    ),
                    rule(
                        "udp-throttled/allow-other-in",
                        Direction::In,
                        None,
                        None,
                        Accept,
                    ),
                ]
            }
        }
    }
}

impl Blocking {
    fn of(self) -> (&'static str, Action) {
        match self {
            Self::Drop => ("drop", Action::Drop),
            Self::Reject => ("reject", Action::Reject),
        }
    }
}

fn with(mut rules: Vec<Rule>, rest: Vec<Rule>) -> Vec<Rule> {
    rules.extend(rest);
    rules
}

/// The rules that block the rest of what would go out, told apart by protocol.
fn blocked(prefix: &str, blocking: Blocking) -> Vec<Rule> {
    let (word, action) = blocking.of();
    let of = |what: &str, protocol| {
        let name = format!("{prefix}/{word}-{what}");
        rule(&name, Direction::Out, protocol, None, action.clone())
    };
    vec![
        of("udp", Some(Protocol::Udp)),
        of("tcp", Some(Protocol::Tcp)),
        of("other", None),
    ]
}

fn rule(
    name: &str,
    direction: Direction,
    protocol: Option<Protocol>,
    port: Option<u16>,
    action: Action,
) -> Rule {
    Rule {
        name: name.to_owned(),
        direction,
        protocol,
        port,
        address: None,
        action,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn plain(preset: FirewallPreset) -> Firewall {
        preset.expand(None).unwrap()
    }

    /// The first rule for what goes out that matches.
    fn verdict(preset: FirewallPreset, protocol: Option<Protocol>, port: u16) -> Option<Rule> {
        plain(preset).rules.into_iter().find(|rule| {
            rule.direction == Direction::Out
                && (rule.protocol.is_none() || rule.protocol == protocol)
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
        let tls_only = plain(FirewallPreset::TlsOnly);
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
    fn every_preset_decides_on_everything_that_goes_out_under_names_of_its_own() {
        for preset in FirewallPreset::ALL {
            let rules = plain(preset).rules;
            let last = rules.iter().rfind(|rule| rule.direction == Direction::Out);
            assert!(last.is_some_and(|last| last.protocol.is_none() && last.port.is_none()));
            let mut names: Vec<_> = rules.iter().map(|rule| &rule.name).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), rules.len(), "{preset:?}");
        }
    }

    #[test]
    fn what_blocks_can_refuse_instead() {
        let overrides = FirewallOverride {
            blocking: Some(Blocking::Reject),
            ..FirewallOverride::default()
        };
        let corporate = FirewallPreset::Corporate.expand(Some(&overrides)).unwrap();
        let rejects = corporate
            .rules
            .iter()
            .filter(|rule| rule.action == Action::Reject);
        let names: Vec<_> = rejects.map(|rule| rule.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "corporate/reject-udp",
                "corporate/reject-tcp",
                "corporate/reject-other"
            ]
        );
        let open = FirewallPreset::Open.expand(Some(&overrides));
        assert_eq!(open.unwrap_err().key, "blocking");
    }

    #[test]
    fn server_names_and_rates_are_of_the_presets_that_look_at_them() {
        let names = FirewallOverride {
            server_names: Some(vec!["turn.example.net".to_owned()]),
            ..FirewallOverride::default()
        };
        let tls_only = FirewallPreset::TlsOnly.expand(Some(&names)).unwrap();
        let reset: Vec<_> = tls_only
            .rules
            .iter()
            .filter_map(Rule::reset_counter)
            .collect();
        assert_eq!(reset, ["tls-only/reset-not-allowed-443"]);
        let refused = |preset: FirewallPreset, overrides: &FirewallOverride| {
            preset.expand(Some(overrides)).unwrap_err().key
        };
        assert_eq!(refused(FirewallPreset::Corporate, &names), "server_names");
        let rate = FirewallOverride {
            udp_kbit: Some(500),
            ..FirewallOverride::default()
        };
        assert_eq!(refused(FirewallPreset::Corporate, &rate), "udp_kbit");
    }

    #[test]
    fn own_rules_come_first() {
        let own = rule("own/drop-all", Direction::Out, None, None, Action::Drop);
        let overrides = FirewallOverride {
            rules: vec![own.clone()],
            ..FirewallOverride::default()
        };
        let open = FirewallPreset::Open.expand(Some(&overrides)).unwrap();
        assert_eq!(open.rules[0], own);
    }
}
