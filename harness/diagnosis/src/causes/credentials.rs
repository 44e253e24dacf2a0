//! The TURN server refuses the account. Servers do not say why; what the user name is made of can.

use crate::case::{Attempt, Case};
use crate::evidence;
use crate::model::Finding;
use crate::words::{and, code};
use farcall_timeline::IceServerOutcome::Unauthorized;
use std::collections::BTreeSet;

/// Seconds since 1970 have ten digits until the year 2286; milliseconds have three more.
const FIRST_IN_MILLISECONDS: u64 = 100_000_000_000;

/// A number before the colon that is smaller is no time since 1970 of any account in use (it is before September 2001).
const FIRST_TIME_STAMP: u64 = 1_000_000_000;

pub(super) fn in_milliseconds(case: &Case<'_>) -> Option<Finding> {
    let refused = case.refusals(&[Unauthorized]);
    let stamp = stamps(&refused).find(|stamp| *stamp >= FIRST_IN_MILLISECONDS)?;
    let seconds = stamp / 1_000;
    let mut finding = refusal(
        case,
        &refused,
        "the time stamp in its user name is in milliseconds, and TURN servers count in seconds",
    );
    finding.evidence.push(evidence::configuration(format!(
        "the user name begins with {stamp}, which has {} digits; seconds since 1970 have ten",
        stamp.to_string().len()
    )));
    finding.next_step = format!(
        "Make the user name with seconds: {} begins with {seconds}, not {stamp}. In JavaScript that is {}. The credential \
         is the HMAC of the user name, so make it anew too.",
        code("TIMESTAMP:NAME"),
        code("Math.floor(Date.now() / 1000) + 3600")
    );
    Some(finding)
}

pub(super) fn expired(case: &Case<'_>) -> Option<Finding> {
    let refused = case.refusals(&[Unauthorized]);
    let began_at_s = u64::try_from(case.began_at_s).ok()?;
    let stamp = stamps(&refused).find(|stamp| (FIRST_TIME_STAMP..began_at_s).contains(stamp))?;
    let ago_s = began_at_s - stamp;
    let ago = match ago_s {
        0..=119 => format!("{ago_s} seconds"),
        120..=7_199 => format!("{} minutes", ago_s / 60),
        7_200..=172_799 => format!("{} hours", ago_s / 3_600),
        _ => format!("{} days", ago_s / 86_400),
    };
    let mut finding = refusal(case, &refused, &format!("it expired {ago} before the call"));
    finding.evidence.push(evidence::configuration(format!(
        "the user name begins with the time stamp {stamp}; the run began at {began_at_s} (seconds since 1970)"
    )));
    finding.next_step = format!(
        "Fetch new credentials shortly before each call, and again before an ICE restart; give them a lifetime longer than \
         a call ({}). Check the clock of the machine that makes them.",
        code("TIMESTAMP = now + 3600")
    );
    Some(finding)
}

pub(super) fn wrong(case: &Case<'_>) -> Option<Finding> {
    let refused = case.refusals(&[Unauthorized]);
    refused.first()?;
    let mut finding = refusal(case, &refused, "user name or credential is wrong");
    let hosts = hosts(&refused);
    finding.next_step = format!(
        "Put the account of {} right: {} and {} beside these {} must be those that the TURN server knows (coturn: {} or \
         the secret in {}, and the same realm).",
        and(&hosts),
        code("username"),
        code("credential"),
        code("urls"),
        code("user="),
        code("static-auth-secret")
    );
    Some(finding)
}

fn stamps<'a>(refused: &'a [Attempt<'a>]) -> impl Iterator<Item = u64> + 'a {
    refused
        .iter()
        .filter_map(|attempt| attempt.server.time_stamp)
}

fn hosts(refused: &[Attempt<'_>]) -> BTreeSet<String> {
    refused
        .iter()
        .map(|attempt| attempt.url().host.clone())
        .collect()
}

fn refusal(case: &Case<'_>, refused: &[Attempt<'_>], why: &str) -> Finding {
    let hosts = hosts(refused);
    let mut seen: Vec<_> = refused.iter().map(evidence::attempt).collect();
    for host in &hosts {
        // coturn tells the first, its challenge, of every client; the second of a wrong account only.
        let lines = evidence::turn_lines(case, host, "check_stun_auth");
        seen.extend(lines.or_else(|| evidence::turn_log(case, host, refused.first()?.peer)));
    }
    Finding {
        summary: format!(
            "The TURN server {} answers and refuses the account (401): {why}.",
            and(&hosts)
        ),
        evidence: seen,
        ..Finding::default()
    }
}
