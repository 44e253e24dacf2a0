//! What the scenario makes wrong with the TURN servers took effect in the call. What can be seen before it is attested;
//! the rest is in the servers' own logs and in what the peers were given.

use crate::case::Case;
use crate::{Check, CheckVerdict};
use farcall_scenario::ServerCondition;
use farcall_timeline::{Event, IceServerOutcome};

/// One check for each condition that shows only in a call.
pub(crate) fn conditions(case: &Case<'_>) -> Vec<Check> {
    let expect = &case.declared.expect;
    let conditions = expect.server_conditions.iter();
    let mut checks: Vec<Check> = conditions
        .filter_map(|at| of_condition(case, *at))
        .collect();
    if expect.refuses_credentials {
        // A challenge is 401 too, but not for any user.
        let line = "Cannot find credentials of user";
        checks.push(in_log(case, "refused-credentials", line));
    }
    checks
}

fn of_condition(case: &Case<'_>, condition: ServerCondition) -> Option<Check> {
    let code = match condition {
        ServerCondition::WrongCredentials => {
            return Some(in_log(
                case,
                "wrong-credentials",
                "credentials are incorrect",
            ));
        }
        ServerCondition::StaleNonce => 438,
        ServerCondition::Quota => 486,
        ServerCondition::NoCapacity => 508,
        ServerCondition::PeersDenied => 403,
        ServerCondition::WrongExternalAddress => return Some(external_address(case)),
        ServerCondition::RelayPortsBlocked
        | ServerCondition::NoUdp
        | ServerCondition::NoTcp
        | ServerCondition::NoTls
        | ServerCondition::CertificateExpired
        | ServerCondition::CertificateWrongName
        | ServerCondition::CertificateSelfSigned
        | ServerCondition::CertificateIncompleteChain
        | ServerCondition::NameMissing
        | ServerCondition::NameWrong
        | ServerCondition::NameSlow => return None,
    };
    Some(in_log(
        case,
        &condition.to_string(),
        &format!("error {code}:"),
    ))
}

/// A TURN server wrote this in the call.
fn in_log(case: &Case<'_>, what: &str, wanted: &str) -> Check {
    let ended_ms = case.ended_ms();
    let lines: Vec<String> = case
        .all()
        .filter_map(|(node, at_ms, event)| match event {
            Event::Log {
                target, message, ..
            } if target == "turnserver" && at_ms <= ended_ms && message.contains(wanted) => {
                Some(format!("{node} at {at_ms:.0} ms: {message}"))
            }
            _ => None,
        })
        .collect();
    let verdict = match lines.is_empty() {
        true => CheckVerdict::Invalid,
        false => CheckVerdict::Pass,
    };
    let expected = format!("a TURN server's log has `{wanted}`");
    let observed = format!("{} such lines", lines.len());
    let check = Check::new(format!("servers/{what}"), verdict, expected, observed);
    check.with_evidence(lines.into_iter().take(MOST_LINES))
}

/// How many lines of a log speak for a condition.
const MOST_LINES: usize = 3;

/// Every relayed address that a server gave out is another than the server's own, which is known by the sessions that
/// it has had.
fn external_address(case: &Case<'_>) -> Check {
    let wrong = farcall_plan::WRONG_EXTERNAL_ADDRESS.to_string();
    let reports = case
        .peers
        .iter()
        .flat_map(|peer| case.servers(peer).into_values());
    let given: Vec<&str> = reports
        .filter(|report| report.outcome == IceServerOutcome::Allocated)
        .filter_map(|report| report.relay_address.as_deref())
        .collect();
    let is_wrong = |address: &&str| address.rsplit_once(':').is_some_and(|(ip, _)| ip == wrong);
    let takes_effect = !given.is_empty() && given.iter().all(is_wrong);
    let verdict = match takes_effect {
        true => CheckVerdict::Pass,
        false => CheckVerdict::Invalid,
    };
    let expected = format!("every relayed address is at {wrong}, which is not the server's");
    let observed = match given.is_empty() {
        true => "none was given out".to_owned(),
        false => given.join(", "),
    };
    Check::new(
        "servers/wrong-external-address",
        verdict,
        expected,
        observed,
    )
}

#[cfg(test)]
mod tests {
    use crate::CheckVerdict::{Invalid, Pass};
    use crate::sample::Sample;
    use farcall_scenario::ServerCondition;
    use farcall_timeline::{Event, Level};

    fn with(condition: ServerCondition) -> Sample {
        let mut sample = Sample::good();
        sample.declared.expect.server_conditions = vec![condition];
        sample
    }

    fn logged(sample: &mut Sample, at_ms: f64, message: &str) {
        let log = Event::Log {
            level: Level::Info,
            target: "turnserver".to_owned(),
            message: message.to_owned(),
        };
        sample.add(at_ms, "turn", log);
    }

    #[test]
    fn a_condition_of_which_the_servers_log_says_nothing_is_none() {
        for (condition, check, line) in [
            (
                ServerCondition::StaleNonce,
                "servers/stale-nonce",
                "error 438: Stale nonce",
            ),
            (
                ServerCondition::Quota,
                "servers/quota",
                "error 486: Allocation Quota Reached",
            ),
            (
                ServerCondition::NoCapacity,
                "servers/no-capacity",
                "error 508: Cannot create socket",
            ),
            (
                ServerCondition::PeersDenied,
                "servers/peers-denied",
                "error 403: Forbidden IP",
            ),
        ] {
            let mut sample = with(condition);
            assert_eq!(sample.check(check).verdict, Invalid);
            logged(&mut sample, 60_000.0, line);
            assert_eq!(sample.check(check).verdict, Invalid, "after the call");
            logged(&mut sample, 5_000.0, "error 401: Unauthorized");
            assert_eq!(sample.check(check).verdict, Invalid);
            logged(&mut sample, 5_000.0, line);
            assert_eq!(sample.check(check).verdict, Pass);
        }
    }

    #[test]
    fn a_challenge_is_no_refusal_of_credentials() {
        let mut sample = Sample::good();
        sample.declared.expect.refuses_credentials = true;
        logged(
            &mut sample,
            5_000.0,
            "user <>: incoming packet message processed, error 401: Unauthorized",
        );
        assert_eq!(sample.check("servers/refused-credentials").verdict, Invalid);
        logged(
            &mut sample,
            5_000.0,
            "check_stun_auth: Cannot find credentials of user <1:farcall>",
        );
        assert_eq!(sample.check("servers/refused-credentials").verdict, Pass);
    }

    #[test]
    fn a_server_that_gives_out_its_own_address_has_no_wrong_one() {
        let mut sample = with(ServerCondition::WrongExternalAddress);
        let check = "servers/wrong-external-address";
        assert_eq!(sample.check(check).verdict, Invalid);
        sample.change(|event| {
            if let Event::IceServer(report) = event
                && report.relay_address.is_some()
            {
                report.relay_address = Some("198.51.100.254:50000".to_owned());
            }
        });
        assert_eq!(sample.check(check).verdict, Pass);
    }
}
