//! A node in words.

use crate::model::{Gateway, Interface, Node, Role};
use std::fmt::{Display, Formatter, Result};

impl Display for Node {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let role = match &self.role {
            Role::Gateway(Gateway {
                dnsmasq: Some(_), ..
            }) => "a gateway and resolver",
            Role::Gateway(_) => "a carrier's gateway",
            Role::Peer { muted: false } => "a peer",
            Role::Peer { muted: true } => "a muted peer",
            Role::TurnServer(_) => "a server",
            Role::Probe => "the probe",
        };
        writeln!(out, "{}: {role}", self.name)?;
        for interface in &self.interfaces {
            writeln!(out, "  interface {interface}")?;
        }
        for route in &self.routes {
            writeln!(out, "  route {route}")?;
        }
        if let Some(resolver) = self.resolver {
            writeln!(out, "  resolver {resolver}")?;
        }
        for (name, value) in &self.sysctls {
            writeln!(out, "  sysctl {name} = {value}")?;
        }
        match &self.role {
            Role::Gateway(gateway) => {
                if let Some(configuration) = &gateway.dnsmasq {
                    file(out, "dnsmasq", configuration)?;
                }
            }
            Role::TurnServer(server) => {
                for listener in &server.listeners {
                    writeln!(out, "  listener {} {}", listener.transport, listener.port)?;
                }
                if let Some(name) = &server.certificate {
                    writeln!(out, "  certificate for {name}")?;
                }
                writeln!(out, "  accounts: {}", server.accounts.len())?;
                file(out, "coturn", &server.configuration)?;
            }
            Role::Peer { .. } | Role::Probe => {}
        }
        file(out, "nftables", &self.nftables)
    }
}

impl Display for Interface {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let addresses: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        let addresses = addresses.join(", ");
        write!(out, "{} in {}: {addresses}", self.name, self.network)
    }
}

fn file(out: &mut Formatter<'_>, name: &str, text: &str) -> Result {
    writeln!(out, "  {name}")?;
    for line in text.lines() {
        if line.is_empty() {
            writeln!(out)?;
        } else {
            writeln!(out, "    {line}")?;
        }
    }
    Ok(())
}
