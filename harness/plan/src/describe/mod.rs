//! A plan in words, for `farcall plan NAME`. Passwords are not in it.

mod datapath;
mod fact;
mod faults;
mod node;
mod services;

use crate::model::{Plan, Route};
use std::fmt::{Display, Formatter, Result};

impl Display for Plan {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        writeln!(
            out,
            "plan of {} with the ICE configuration {}, seed {}",
            self.scenario, self.ice_configuration, self.seed
        )?;
        writeln!(out, "\nnetworks")?;
        for network in &self.networks {
            writeln!(out, "  {}  {}", network.name, network.subnet)?;
        }
        writeln!(out, "\nnames")?;
        for (name, address) in &self.names {
            writeln!(out, "  {name}  {address}")?;
        }
        for node in &self.nodes {
            write!(out, "\n{node}")?;
        }
        self.describe_call(out)?;
        self.describe_faults(out)?;
        writeln!(out, "\nattested before the call")?;
        for declaration in &self.attestation {
            writeln!(out, "  {}: {}", declaration.node, declaration.fact)?;
        }
        self.describe_expectations(out)
    }
}

impl Plan {
    fn describe_call(&self, out: &mut Formatter<'_>) -> Result {
        let call = &self.call;
        writeln!(
            out,
            "\ncall\n  {} offers, {} answers, policy {}",
            call.offerer,
            call.answerer,
            word(&call.policy)
        )?;
        writeln!(
            out,
            "  media for {} ms, gathering for at most {} ms",
            call.media_ms, call.gathering_timeout_ms
        )?;
        for (peer, portal) in &call.logins {
            writeln!(
                out,
                "  {peer} logs in at the captive portal {portal} before"
            )?;
        }
        for (peer, proxy) in &call.proxies {
            writeln!(
                out,
                "  {peer} uses the proxy {proxy} for TURN over TCP and TLS"
            )?;
        }
        for server in &call.ice_servers {
            writeln!(
                out,
                "  {}  ({} to {}, {})",
                server.url.text,
                server.url.transport,
                server.url.port,
                match server.username {
                    Some(_) => "with an account",
                    None => "no account",
                }
            )?;
        }
        Ok(())
    }

    fn describe_expectations(&self, out: &mut Formatter<'_>) -> Result {
        let expect = &self.expect;
        let verb = if expect.connects {
            "connects"
        } else {
            "cannot connect"
        };
        writeln!(
            out,
            "\nexpected\n  the call {verb} within {} ms",
            expect.within_ms
        )?;
        match expect.relayed {
            Some(true) => writeln!(out, "  media go through a server")?,
            Some(false) => writeln!(out, "  media go through no server")?,
            None => {}
        }
        for (peer, pair) in &expect.selected_pair {
            writeln!(
                out,
                "  {peer} selects local {}, remote {}, relayed over {}",
                any_of(&pair.local),
                any_of(&pair.remote),
                any_of(&pair.relay_protocol)
            )?;
        }
        for peer in &expect.muted {
            writeln!(out, "  {peer} sends silence and blackness")?;
        }
        for (peer, outcomes) in &expect.ice_servers {
            let gateways = expect.gateways.get(peer).map(Vec::as_slice);
            let through = gateways.unwrap_or_default().join(", ");
            writeln!(out, "  {peer}, through {through}")?;
            for expected in outcomes {
                writeln!(
                    out,
                    "    {}  {}: {}",
                    expected.url, expected.outcome, expected.because
                )?;
            }
        }
        for rule in &expect.blocking_rules {
            writeln!(
                out,
                "  {} at {} counts packets during the call: a URL of {} runs into it",
                rule.rule, rule.gateway, rule.peer
            )?;
        }
        Ok(())
    }
}

impl Display for Route {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        if self.to.prefix_len() == 0 {
            write!(out, "default via {}", self.via)
        } else {
            write!(out, "{} via {}", self.to, self.via)
        }
    }
}

/// A list of alternatives; empty means any.
fn any_of(items: &[impl Display]) -> String {
    if items.is_empty() {
        return "any".to_owned();
    }
    let words: Vec<String> = items.iter().map(ToString::to_string).collect();
    words.join(" or ")
}

fn word(policy: &farcall_scenario::IceTransportPolicy) -> &'static str {
    match policy {
        farcall_scenario::IceTransportPolicy::All => "all",
        farcall_scenario::IceTransportPolicy::Relay => "relay",
    }
}
