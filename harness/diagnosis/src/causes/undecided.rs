//! The evidence fits several causes, or none that is known.

use crate::Cause;
use crate::case::Case;
use crate::evidence;
use crate::model::Finding;
use crate::words::{code, or};
use farcall_timeline::IceServerOutcome;
use farcall_verdict::{Check, CheckVerdict};

pub(super) fn find(case: &Case<'_>) -> Option<Finding> {
    let has_tls_failed = !case.refusals(&[IceServerOutcome::TlsFailed]).is_empty();
    let was_placed = !case.has_signalling() || case.all_checked_at().is_some();
    let (what, candidates, next_step) = if !was_placed {
        let all_opened = case.peers().all(|peer| case.has_opened(peer));
        let (what, second) = match all_opened {
            true => (
                "The call was never placed: signalling opened, and a peer heard nothing through it; what was seen does not say \
                 why.",
                Cause::PacketsTooLarge,
            ),
            false => (
                "The call was given up before signalling had opened or failed to open.",
                Cause::ConnectsTooLate,
            ),
        };
        (
            what,
            vec![Cause::SignallingUnreachable, second],
            "Look at the captures of the run in Wireshark (`captures/`, filter `tcp.port == 443`): whose packets to the \
             signalling server, or whose answers, are sent again and again?",
        )
    } else if has_tls_failed {
        (
            "The TLS handshake with the TURN server fails, and what was seen does not say why.",
            vec![
                Cause::CertificateWrongName,
                Cause::CertificateUnknownIssuer,
                Cause::TlsIntercepted,
            ],
            "Ask the server itself: `openssl s_client -connect HOST:443 -servername HOST` shows its certificate and its chain.",
        )
    } else if !case.has_connected() {
        (
            "The call did not connect, and what was seen does not say why.",
            vec![
                Cause::RelayPortsBlocked,
                Cause::TurnServerDown,
                Cause::PeerDenied,
                Cause::ConnectsTooLate,
            ],
            "Look at the captures of the run in Wireshark (`captures/`, filter `stun`): who asks, and who does not answer?",
        )
    } else if !case.missing().is_empty() {
        (
            "The call connected and less arrives than must, and what was seen does not say why.",
            vec![
                Cause::LinkTooPoor,
                Cause::RtpBlocked,
                Cause::PacketsTooLarge,
            ],
            "Compare packets sent and received at both ends in `result.json`, and the link's declared rate and loss with what \
             the media need.",
        )
    } else if case.is_lost() {
        (
            "The connection was lost, and what was seen does not say why.",
            vec![Cause::ConsentLost, Cause::TurnServerDown, Cause::NoRecovery],
            "Look at the states and at the captures of the run around the time of the loss.",
        )
    } else {
        (
            "The call connected, and a check failed for which no cause is known.",
            Vec::new(),
            "The checks that failed say what was expected and what was seen.",
        )
    };
    let checks = case.judgement.checks.iter();
    let failed: Vec<&Check> = checks
        .filter(|check| check.verdict == CheckVerdict::Fail)
        .collect();
    let mut seen: Vec<_> = failed
        .iter()
        .map(|check| evidence::check(&check.name, check.observed.clone()))
        .collect();
    for peer in case.peers() {
        if !was_placed {
            seen.extend(evidence::signalling(case, peer));
        }
        if was_placed && !case.has_connected() {
            seen.extend(evidence::checks(case, peer));
        }
        seen.push(evidence::states(case, peer));
    }
    let may_be = match candidates.is_empty() {
        true => String::new(),
        false => format!(" It may be {}.", or(candidates.iter().map(code))),
    };
    Some(Finding {
        summary: format!("{what}{may_be}"),
        candidates,
        evidence: seen,
        next_step: next_step.to_owned(),
        ..Finding::default()
    })
}
