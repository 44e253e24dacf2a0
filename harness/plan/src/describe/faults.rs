//! What breaks in the call and what the peers do about it, in words.

use crate::model::{FaultAction, GatewayAction, Plan, PlannedFault};
use farcall_scenario::{CertificateFlaw, Milestone, Moment, Recovery};
use std::fmt::{Formatter, Result};

impl Plan {
    pub(super) fn describe_faults(&self, out: &mut Formatter<'_>) -> Result {
        if let Some(recovery) = &self.call.recovery {
            describe_recovery(recovery, out)?;
        }
        if self.faults.is_empty() {
            return Ok(());
        }
        writeln!(out, "\nfaults")?;
        for fault in &self.faults {
            describe_fault(fault, out)?;
        }
        Ok(())
    }
}

fn describe_recovery(recovery: &Recovery, out: &mut Formatter<'_>) -> Result {
    let strategies = recovery.strategies.iter().map(|strategy| match strategy {
        farcall_scenario::RecoveryStrategy::Reset => "reset",
        farcall_scenario::RecoveryStrategy::IceRestart => "ice-restart",
        farcall_scenario::RecoveryStrategy::ResetRelayed => "reset-relayed",
    });
    let strategies: Vec<&str> = strategies.collect();
    writeln!(
        out,
        "  the peers make {} attempts at most, {} ms after a failure: {}",
        recovery.max_attempts,
        recovery.retry_delay_ms,
        strategies.join(", then ")
    )?;
    writeln!(
        out,
        "  a connection may be disconnected for {} ms, and take {} ms to form",
        recovery.disconnected_grace_ms, recovery.connect_timeout_ms
    )
}

fn describe_fault(fault: &PlannedFault, out: &mut Formatter<'_>) -> Result {
    let until = fault
        .until
        .map_or_else(|| "the call's end".to_owned(), in_words);
    writeln!(
        out,
        "  {}, by {}: from {} to {until}",
        fault.what,
        fault.node.as_deref().unwrap_or("the TURN server in use"),
        in_words(fault.from)
    )?;
    if !fault.around.is_empty() {
        return describe_around(fault, out);
    }
    match &fault.action {
        FaultAction::Drop { rules, .. } => {
            for line in rules.lines() {
                writeln!(out, "    {line}")?;
            }
            Ok(())
        }
        FaultAction::ForgetMappings => writeln!(out, "    it forgets all connections and mappings"),
        FaultAction::Restart { .. } => {
            writeln!(
                out,
                "    nothing passes; it forgets all connections and mappings"
            )
        }
        FaultAction::ChangeLink { .. } => writeln!(out, "    the link has other conditions"),
        FaultAction::Readdress(change) => {
            writeln!(
                out,
                "    {}: {} in the place of {}",
                change.interface, change.to, change.from
            )
        }
        FaultAction::Move { from, to } => writeln!(
            out,
            "    from {} to {}",
            from.interface.network, to.interface.network
        ),
        FaultAction::Freeze => writeln!(out, "    its processes stand still"),
        FaultAction::StopSignalling => writeln!(out, "    it closes all connections"),
        FaultAction::KillServer => writeln!(out, "    coturn is killed, and started anew"),
        FaultAction::FreezeServer => writeln!(out, "    coturn stands still"),
        FaultAction::RestartServer => {
            writeln!(out, "    coturn is killed and started anew at once")
        }
        FaultAction::ChangeCredentials => writeln!(out, "    its accounts get other passwords"),
        FaultAction::ExhaustQuota => writeln!(out, "    others use up its accounts' quota"),
        FaultAction::ReplaceCertificate { flaw } => {
            writeln!(
                out,
                "    coturn gets another certificate: {}",
                in_a_word(*flaw)
            )
        }
        FaultAction::ReplaceNames {
            name,
            address,
            delay_ms,
            ..
        } => match (address, delay_ms) {
            (None, _) => writeln!(
                out,
                "    its resolver knows no TURN server's name, such as {name}"
            ),
            (Some(address), None) => {
                writeln!(
                    out,
                    "    its resolver gives {address} for every TURN server, such as {name}"
                )
            }
            (Some(address), Some(delay_ms)) => {
                writeln!(
                    out,
                    "    its resolver takes {delay_ms} ms for every answer, such as {address} for {name}"
                )
            }
        },
    }
}

/// What each gateway drops, for each server.
fn describe_around(fault: &PlannedFault, out: &mut Formatter<'_>) -> Result {
    for (server, actions) in &fault.around {
        for GatewayAction { gateway, action } in actions {
            writeln!(out, "    for {server}, at {gateway}:")?;
            if let FaultAction::Drop { rules, .. } = action {
                for line in rules.lines() {
                    writeln!(out, "      {line}")?;
                }
            }
        }
    }
    Ok(())
}

fn in_a_word(flaw: CertificateFlaw) -> &'static str {
    match flaw {
        CertificateFlaw::Expired => "expired",
        CertificateFlaw::WrongName => "for another name",
        CertificateFlaw::SelfSigned => "signed by itself",
        CertificateFlaw::IncompleteChain => "without its intermediate",
    }
}

fn in_words(moment: Moment) -> String {
    let event = match moment.event {
        Milestone::Call => return "before the call".to_owned(),
        Milestone::Connected => "both peers were connected",
        Milestone::Begun => "it began",
        Milestone::PreviousBegun => "the one before it began",
        Milestone::PreviousMended => "the one before it was mended",
        Milestone::Attempt1 => "attempt 1 began",
        Milestone::Attempt2 => "attempt 2 began",
        Milestone::Attempt3 => "attempt 3 began",
    };
    format!("{} ms after {event}", moment.ms)
}
