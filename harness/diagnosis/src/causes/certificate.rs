//! The TURN server's certificate is not accepted.

use crate::case::{Attempt, Case};
use crate::evidence;
use crate::model::Finding;
use crate::words::{and, code};
use farcall_plan::Fact;
use farcall_timeline::IceServerOutcome::TlsFailed;
use farcall_timeline::TlsFailure;
use std::collections::BTreeSet;

pub(super) fn expired(case: &Case<'_>) -> Option<Finding> {
    let (mut finding, hosts, kind) =
        refused(case, &[TlsFailure::Expired, TlsFailure::NotValidYet])?;
    let what = match kind {
        TlsFailure::NotValidYet => "is not valid yet",
        _ => "has expired",
    };
    finding.summary = format!(
        "The certificate of the TURN server {hosts} {what}, so clients end the TLS handshake."
    );
    finding.next_step = format!(
        "Renew the certificate of {hosts} and let the TURN server read the new one: coturn reads it at its start and at \
         {}, so renewal must do that too ({}). No client can be told to accept the old one.",
        code("SIGUSR2"),
        code("certbot renew --deploy-hook 'pkill -USR2 turnserver'")
    );
    Some(finding)
}

pub(super) fn wrong_name(case: &Case<'_>) -> Option<Finding> {
    let (mut finding, hosts, _) = refused(case, &[TlsFailure::WrongName])?;
    finding.summary = format!(
        "The TURN server that answers for {hosts} has a certificate for another name, so clients end the TLS handshake."
    );
    finding.next_step = format!(
        "Get a certificate that names {hosts} among its subject alternative names, or write the name that the certificate \
         has into the {} URL.",
        code("turns:")
    );
    Some(finding)
}

pub(super) fn unknown_issuer(case: &Case<'_>) -> Option<Finding> {
    let (mut finding, hosts, _) = refused(case, &[TlsFailure::UnknownIssuer])?;
    finding.summary = format!(
        "The certificate of the TURN server {hosts} was issued by nobody whom clients trust, or an intermediate \
         certificate is missing, so they end the TLS handshake."
    );
    finding.next_step = format!(
        "Get a certificate of a public authority for {hosts} and give the TURN server the whole chain: with certbot that is \
         {} in coturn's {}, not {}. A self-signed one works in no browser: nobody can click it away for a TURN server.",
        code("fullchain.pem"),
        code("cert="),
        code("cert.pem")
    );
    Some(finding)
}

/// What was seen where handshakes failed in one of these ways.
fn refused(case: &Case<'_>, kinds: &[TlsFailure]) -> Option<(Finding, String, TlsFailure)> {
    let failed = |attempt: &Attempt<'_>| {
        let (kind, _) = attempt.report.tls_failure()?;
        kinds.contains(&kind).then_some(kind)
    };
    let mut attempts = case.refusals(&[TlsFailed]);
    attempts.retain(|attempt| failed(attempt).is_some());
    let first = attempts.first()?;
    let kind = failed(first)?;
    let hosts: BTreeSet<&str> = attempts.iter().map(|one| one.url().host.as_str()).collect();
    let mut seen: Vec<_> = attempts.iter().map(evidence::attempt).collect();
    for host in &hosts {
        seen.extend(evidence::turn_log(case, host, first.peer));
    }
    seen.extend(evidence::attested(case, first.peer, |fact| {
        matches!(fact, Fact::Passage { payload: farcall_plan::Payload::Tls, port, proxy: None, .. } if *port == first.url().port)
    }));
    seen.extend(evidence::attested_anywhere(case, |fact| {
        matches!(fact, Fact::ListenerCertificate { host, .. } if hosts.contains(host.as_str()))
    }));
    let finding = Finding {
        evidence: seen,
        ..Finding::default()
    };
    Some((finding, and(&hosts), kind))
}
