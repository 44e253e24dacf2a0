//! A node in words.

use crate::model::{Gateway, Interface, Ipv6Route, NAT64_DEVICE, Node, NodeIpv6, Role};
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
            Role::Signalling(_) => "the signalling server",
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
        if let Some(ipv6) = &self.ipv6 {
            write!(out, "{ipv6}")?;
        }
        for (name, value) in &self.sysctls {
            writeln!(out, "  sysctl {name} = {value}")?;
        }
        match &self.role {
            Role::Gateway(gateway) => {
                if let Some(datapath) = &gateway.datapath {
                    write!(out, "{datapath}")?;
                }
                if let Some(nat64) = &gateway.nat64 {
                    writeln!(out, "  device {NAT64_DEVICE}: {}", nat64.device_address)?;
                    file(out, "tayga", &nat64.configuration)?;
                }
                if let Some(configuration) = &gateway.dnsmasq {
                    file(out, "dnsmasq", configuration)?;
                }
                if let Some(configuration) = &gateway.portal_dnsmasq {
                    file(out, "dnsmasq of the portal", configuration)?;
                }
                for service in &gateway.services {
                    writeln!(out, "  {service}")?;
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
            Role::Signalling(server) => {
                writeln!(out, "  listener wss://{}:{}/", server.host, server.port)?;
            }
            Role::Peer { .. } | Role::Probe => {}
        }
        file(out, "nftables", &self.nftables)
    }
}

impl Display for NodeIpv6 {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        for Ipv6Route { to, via } in &self.routes {
            match to.prefix_len() {
                0 => writeln!(out, "  route IPv6 default via {via}")?,
                _ => writeln!(out, "  route {to} via {via}")?,
            }
        }
        if let Some(resolver) = self.resolver {
            writeln!(out, "  resolver {resolver}")?;
        }
        if let Some(prefix) = self.nat64_prefix {
            writeln!(out, "  reaches IPv4 addresses under {prefix}")?;
        }
        Ok(())
    }
}

impl Display for Interface {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write!(out, "{} in {}", self.name, self.network)?;
        let ipv4 = self.addresses.iter().map(ToString::to_string);
        let ipv6 = self.addresses_v6.iter().map(ToString::to_string);
        let addresses: Vec<String> = ipv4.chain(ipv6).collect();
        match addresses.is_empty() {
            true => Ok(()),
            false => write!(out, ": {}", addresses.join(", ")),
        }
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
