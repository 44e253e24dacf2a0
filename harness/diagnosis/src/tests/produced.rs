//! Which cause a run has.

use super::{cause, of, samples};
use crate::causes::RULES;
use crate::{Cause, Witness};
use farcall_plan::Payload::{Plain, Tls};
use farcall_plan::ProbeProtocol::{Tcp, Udp};
use farcall_plan::{Fact, Passage};
use farcall_scenario::FaultKind;
use farcall_timeline::IceServerOutcome::{Allocated, NoAnswer, Refused, Reset};
use farcall_timeline::MediaKind;
use farcall_verdict::Verdict;
use farcall_verdict::sample::{Sample, TCP_URL, UDP_URL};
use std::collections::BTreeSet;

/// A run for each cause.
pub(super) fn each() -> [(Cause, Sample); 39] {
    use Cause::*;
    [
        (MachineUnsupported, samples::machine_unsupported()),
        (
            ConfigurationUnsupported,
            samples::configuration_unsupported(),
        ),
        (LabInvalid, samples::lab_invalid()),
        (CaptivePortal, samples::captive_portal()),
        (ProxyRequired, samples::proxy_required()),
        (SignallingUnreachable, samples::signalling_unreachable()),
        (PacketsTooLarge, samples::packets_too_large()),
        (DtlsBlocked, samples::dtls_blocked()),
        (TlsIntercepted, samples::tls_intercepted()),
        (
            CredentialsInMilliseconds,
            samples::credentials_in_milliseconds(),
        ),
        (CredentialsExpired, samples::credentials_expired()),
        (CredentialsWrong, samples::credentials_wrong()),
        (TurnQuota, samples::turn_quota()),
        (PeerDenied, samples::peer_denied()),
        (CertificateExpired, samples::certificate_expired()),
        (CertificateWrongName, samples::certificate_wrong_name()),
        (
            CertificateUnknownIssuer,
            samples::certificate_unknown_issuer(),
        ),
        (Ipv4Literal, samples::ipv4_literal()),
        (DnsFailed, samples::dns_failed()),
        (NoTurnServer, samples::no_turn_server()),
        (TlsNameBlocked, samples::tls_name_blocked()),
        (Tcp443NotTls, samples::tcp_443_not_tls()),
        (Turn443IsUdp, samples::turn_443_is_udp()),
        (TurnUnreachableTls, samples::turn_unreachable_tls()),
        (TurnUnreachableTcp, samples::turn_unreachable_tcp()),
        (TurnUnreachableUdp, samples::turn_unreachable_udp()),
        (TurnListenerMissing, samples::turn_listener_missing()),
        (TurnServerDown, samples::turn_server_down()),
        (RelayAddressWrong, samples::relay_address_wrong()),
        (RelayPortsBlocked, samples::relay_ports_blocked()),
        (SenderSilent, samples::sender_silent()),
        (RtpBlocked, samples::rtp_blocked()),
        (ConsentLost, samples::consent_lost()),
        (RecoveryExhausted, samples::recovery_exhausted()),
        (NoRecovery, samples::no_recovery()),
        (ConnectsTooLate, samples::connects_too_late()),
        (LinkTooPoor, samples::link_too_poor()),
        (ExpectationDiffers, samples::expectation_differs()),
        (Undecided, samples::undecided()),
    ]
}

#[test]
fn every_cause_is_found_where_it_is() {
    for (expected, sample) in each() {
        let checks = sample.judge().checks;
        assert_eq!(
            cause(&sample),
            Some(expected),
            "{:#?}\n{checks:#?}",
            of(&sample)
        );
    }
}

#[test]
fn every_cause_has_one_rule_and_one_run() {
    let ruled: Vec<Cause> = RULES.iter().map(|rule| rule.cause).collect();
    let run: Vec<Cause> = each().map(|(cause, _)| cause).to_vec();
    assert_eq!(ruled, run);
    let known: BTreeSet<Cause> = ruled.iter().copied().collect();
    assert_eq!(known.len(), ruled.len(), "a cause has two rules");
    for rule in &RULES {
        assert!(!rule.outranks_because.is_empty(), "{}", rule.cause);
        let name = serde_json::to_value(rule.cause).unwrap();
        assert_eq!(name, rule.cause.name());
    }
    // The last one of the list in the order of its declaration: a variant without a rule would come after it.
    assert_eq!(known.len(), Cause::Undecided as usize + 1);
}

#[test]
fn a_good_call_has_no_cause() {
    assert_eq!(of(&Sample::good()), None);
}

#[test]
fn a_run_that_passes_because_no_call_is_possible_has_its_cause() {
    let sample = samples::captive_portal();
    assert_eq!(sample.judge().verdict, Verdict::Pass);
    assert_eq!(cause(&sample), Some(Cause::CaptivePortal));
}

#[test]
fn every_cause_but_the_labs_own_has_two_witnesses_of_different_kinds() {
    let own = [
        Cause::MachineUnsupported,
        Cause::ConfigurationUnsupported,
        Cause::LabInvalid,
    ];
    for (expected, sample) in each() {
        let diagnosis = of(&sample).unwrap();
        let kinds: BTreeSet<Witness> = diagnosis.evidence.iter().map(|one| one.witness).collect();
        let least = if own.contains(&expected) { 1 } else { 2 };
        assert!(kinds.len() >= least, "{expected}: {diagnosis:#?}");
    }
}

#[test]
fn what_became_of_the_checks_is_told_where_no_pair_worked() {
    let (_, sample) = each()
        .into_iter()
        .find(|(cause, _)| *cause == Cause::NoTurnServer)
        .unwrap();
    let found = of(&sample).unwrap();
    let said = "1 pair checked: 12 checks sent, of which 0 answered, and 0 received";
    let of_alice = |one: &crate::Evidence| one.of == "alice" && one.seen == said;
    assert!(found.evidence.iter().any(of_alice), "{found:#?}");
}

/// A configuration without a TURN server tries no TLS that could be intercepted.
#[test]
fn interception_has_two_witnesses_without_a_turn_server_too() {
    let url = "stun:stun.example.net:3478";
    let mut sample = samples::offering(&[samples::blocked(url)]);
    samples::attest(
        &mut sample,
        "alice",
        samples::passage((Tcp, 443, Tls), Passage::Intercepted),
    );
    let found = of(&sample).unwrap();
    assert_eq!(found.cause, Cause::TlsIntercepted);
    let kinds: BTreeSet<Witness> = found.evidence.iter().map(|one| one.witness).collect();
    assert!(kinds.contains(&Witness::Transport), "{found:#?}");
}

#[test]
fn nothing_is_said_that_is_no_sentence() {
    for (expected, sample) in each() {
        let diagnosis = of(&sample).unwrap();
        for text in [&diagnosis.summary, &diagnosis.next_step] {
            let is_sentence = text.starts_with(|letter: char| {
                letter.is_uppercase() || letter == '`' || letter.is_lowercase()
            }) && text.ends_with(['.', '?']);
            assert!(is_sentence && !text.contains("  "), "{expected}: {text}");
        }
        for url in &diagnosis.add_urls {
            assert!(
                url.parse::<farcall_scenario::IceUrl>().is_ok(),
                "{expected}: {url}"
            );
            assert!(diagnosis.next_step.contains(url), "{expected}: {url}");
        }
        assert_eq!(
            diagnosis.candidates.is_empty(),
            expected != Cause::Undecided,
            "{expected}"
        );
    }
}

#[test]
fn the_same_run_is_diagnosed_the_same_twice() {
    for (expected, sample) in each() {
        let twice = [of(&sample), of(&sample)].map(|one| serde_json::to_string(&one).unwrap());
        assert_eq!(twice[0], twice[1], "{expected}");
    }
}

#[test]
fn neighbours_are_told_apart() {
    let fine = samples::credentials_in_time();
    assert_eq!(cause(&fine), Some(Cause::CredentialsWrong));

    // The company's authority is one of an unknown issuer, unless the firewall was seen to be in between.
    let reason = "unknown issuer: the certificate was issued by Company TLS inspection CA, which is not trusted";
    assert_eq!(
        cause(&samples::tls_failed(reason)),
        Some(Cause::CertificateUnknownIssuer)
    );

    // Intercepted where the configuration has no TLS at all.
    let mut sample = samples::tcp_443_not_tls();
    samples::attest(
        &mut sample,
        "alice",
        samples::passage((Tcp, 443, Tls), Passage::Intercepted),
    );
    let diagnosis = of(&sample).unwrap();
    assert_eq!(diagnosis.cause, Cause::TlsIntercepted);
    assert_eq!(diagnosis.add_urls, [samples::TLS_URL]);

    // The client uses the proxy, and has nothing that goes through it.
    let mut sample = samples::turn_443_is_udp();
    sample.declared.attestation.clear();
    samples::through_proxy(&mut sample);
    assert_eq!(cause(&sample), Some(Cause::ProxyRequired));
    let peer = "alice".to_owned();
    sample.declared.call.proxies.insert(peer, samples::PROXY);
    assert_eq!(cause(&sample), Some(Cause::Turn443IsUdp));

    // UDP on 443 where TLS on 443 would not pass either.
    let mut sample = samples::offering(&[samples::blocked(UDP_URL)]);
    samples::attest(
        &mut sample,
        "alice",
        samples::passage((Udp, 3478, Plain), Passage::Passes),
    );
    let diagnosis = of(&sample).unwrap();
    assert_eq!(diagnosis.cause, Cause::TurnUnreachableUdp);
    assert_eq!(diagnosis.add_urls, ["turn:turn.example.net:3478"]);

    // UDP on another port than 443 was never meant to look like HTTPS.
    let url = "turn:turn.example.net:3478";
    let sample = samples::with_https(samples::offering(&[samples::blocked(url)]));
    assert_eq!(cause(&sample), Some(Cause::TurnUnreachableUdp));
    assert_eq!(of(&sample).unwrap().add_urls, [samples::TLS_URL]);

    // Refused and reset by the server itself, not by a rule.
    for outcome in [NoAnswer, Refused, Reset] {
        let mut sample = samples::answered(outcome, "it was so");
        let answers = outcome != NoAnswer;
        let up = answers.then_some(Cause::TurnListenerMissing);
        let expected = up.unwrap_or(Cause::TurnServerDown);
        assert_eq!(cause(&sample), Some(expected), "{outcome}");
        // Nobody hears of it in another way.
        for url in [UDP_URL, TCP_URL] {
            sample.change_server("bob", url, |report| report.outcome = NoAnswer);
        }
        assert_eq!(cause(&sample), Some(Cause::TurnServerDown), "{outcome}");
    }
    assert_eq!(
        cause(&samples::turn_server_lost()),
        Some(Cause::TurnServerDown)
    );

    // What opens and then says nothing: only where large packets are known to be lost is it they.
    let mut sample = samples::offer_lost_by_mtu(1_280, false);
    let diagnosis = of(&sample).unwrap();
    assert_eq!(diagnosis.cause, Cause::PacketsTooLarge, "{diagnosis:#?}");
    assert!(
        diagnosis.summary.contains("the offer of alice"),
        "{diagnosis:#?}"
    );
    let witnesses: BTreeSet<Witness> = diagnosis.evidence.iter().map(|one| one.witness).collect();
    assert!(
        witnesses.contains(&Witness::Signalling) && witnesses.len() > 2,
        "{diagnosis:#?}"
    );
    // Bob has heard, and alice does not hear of it.
    sample.add_state(150.0, "bob", "signaling", "have-remote-offer");
    let diagnosis = of(&sample).unwrap();
    assert_eq!(diagnosis.cause, Cause::PacketsTooLarge, "{diagnosis:#?}");
    assert!(
        diagnosis.summary.contains("the answer of bob"),
        "{diagnosis:#?}"
    );
    for sample in [
        samples::offer_lost(),
        samples::offer_lost_by_mtu(1_280, true),
        samples::offer_lost_by_mtu(1_500, false),
    ] {
        let diagnosis = of(&sample).unwrap();
        assert_eq!(diagnosis.cause, Cause::Undecided);
        let candidates = [Cause::SignallingUnreachable, Cause::PacketsTooLarge];
        assert_eq!(diagnosis.candidates, candidates);
    }

    // What arrives and is no silence.
    for kind in [MediaKind::Audio, MediaKind::Video] {
        let sample = samples::without(&[kind]);
        assert_eq!(cause(&sample), Some(Cause::Undecided), "{kind}");
    }

    // A fault of its own kind.
    let sample = samples::broken(FaultKind::DropStun, "office", 9_950.0);
    assert_eq!(cause(&sample), Some(Cause::ConsentLost));

    // A relay that is there, and one side without.
    let mut sample = samples::relay_ports_blocked();
    sample.change_server("alice", TCP_URL, |report| {
        (report.outcome, report.after_ms) = (NoAnswer, 5_000.0);
    });
    assert_eq!(cause(&sample), Some(Cause::TurnServerDown));
    // It may have been given up before the server could answer.
    sample.change_server("alice", TCP_URL, |report| report.after_ms = 1_000.0);
    assert_eq!(cause(&sample), Some(Cause::Undecided));
    sample.change_server("alice", TCP_URL, |report| report.outcome = Allocated);
    assert_eq!(cause(&sample), Some(Cause::RelayPortsBlocked));
}

/// What decides is the time stamp of what was used, and neither the configuration's account nor what was expected.
#[test]
fn credentials_that_were_fetched_are_told_by_their_own_time_stamp() {
    const IN_AN_HOUR: u64 = 1_767_326_645;
    const THREE_HOURS_AGO: u64 = 1_767_312_245;
    let refused = [
        (IN_AN_HOUR * 1_000, Cause::CredentialsInMilliseconds),
        (THREE_HOURS_AGO, Cause::CredentialsExpired),
        (IN_AN_HOUR, Cause::CredentialsWrong),
    ];
    for (fetched, expected) in refused {
        let others = refused.map(|(configured, _)| Some(configured));
        for configured in others.into_iter().chain([None]) {
            for refuses_credentials in [false, true] {
                let mut sample = samples::fetched_and_refused(fetched, configured);
                sample.declared.expect.refuses_credentials = refuses_credentials;
                let found = of(&sample).unwrap();
                assert_eq!(found.cause, expected, "{configured:?}: {found:#?}");
                let is_told = |one: &crate::Evidence| {
                    one.source() == "credentials of alice"
                        && one.seen.contains(&fetched.to_string())
                };
                let tells = expected != Cause::CredentialsWrong;
                assert_eq!(found.evidence.iter().any(is_told), tells, "{found:#?}");
            }
        }
    }
}

/// However it is written: the next step is what else there is to do.
#[test]
fn what_is_configured_already_is_not_to_be_added() {
    let written = [
        samples::TLS_URL,
        "turns:turn.example.net:443",
        "TURNS:Turn.Example.NET.:443?transport=tcp",
    ];
    for url in written {
        let named = of(&samples::tls_name_blocked_of(&[url])).unwrap();
        assert_eq!(named.cause, Cause::TlsNameBlocked);
        let step = format!(
            "The configuration has `{url}` already. Have those who run the firewall add turn.example.net to the server names"
        );
        assert!(named.next_step.starts_with(&step), "{named:#?}");
        assert!(named.add_urls.is_empty(), "{named:#?}");

        let mut sample = samples::offering(&[samples::blocked(url)]);
        let closed = of(&sample).unwrap();
        samples::attest(
            &mut sample,
            "alice",
            samples::passage((Tcp, 443, Tls), Passage::Passes),
        );
        let open_elsewhere = of(&sample).unwrap();
        for found in [closed, open_elsewhere] {
            assert_eq!(found.cause, Cause::TurnUnreachableTls);
            assert!(found.next_step.contains("already"), "{found:#?}");
            assert!(found.add_urls.is_empty(), "{found:#?}");
        }

        samples::attest(
            &mut sample,
            "alice",
            samples::passage((Tcp, 443, Tls), Passage::Intercepted),
        );
        let intercepted = of(&sample).unwrap();
        assert_eq!(intercepted.cause, Cause::TlsIntercepted);
        assert!(intercepted.add_urls.is_empty(), "{intercepted:#?}");
    }

    // Another port and plain TCP are something else.
    let sample = samples::tls_name_blocked_of(&["turns:turn.example.net"]);
    let found = of(&sample).unwrap();
    assert_eq!(found.cause, Cause::TlsNameBlocked);
    assert_eq!(found.add_urls, [samples::TLS_URL], "{found:#?}");

    // Of several ways that pass, one that is not tried yet.
    let tried = "turn:turn.example.net?transport=udp";
    let mut sample = samples::offering(&[samples::blocked(tried)]);
    for way in [(Udp, 3478, Plain), (Tcp, 80, Plain)] {
        let fact = samples::passage(way, Passage::Passes);
        samples::attest(&mut sample, "alice", fact);
    }
    let found = of(&sample).unwrap();
    let lacking = ["turn:turn.example.net:80?transport=tcp"];
    assert_eq!(found.add_urls, lacking, "{found:#?}");

    // A server whose name passes is no stranger to the firewall.
    let passing = "turns:www.example.com:5349";
    let sample = samples::tls_name_blocked_of(&[samples::TLS_URL, passing]);
    let found = of(&sample).unwrap();
    assert_eq!(found.cause, Cause::TlsNameBlocked);
    assert!(
        found.summary.contains("that of turn.example.net is not"),
        "{found:#?}"
    );
    assert_eq!(found.add_urls, ["turns:www.example.com:443?transport=tcp"]);
}

/// What the network does with TLS decides, where signalling does not get through.
#[test]
fn what_the_network_does_to_signalling_is_named() {
    let of_a_network = |fact| {
        let mut sample = samples::signalling_unreachable();
        samples::attest(&mut sample, "alice", fact);
        of(&sample).unwrap()
    };
    let tls_443 = |server_name: Option<&str>, passage| Fact::Passage {
        protocol: Tcp,
        port: 443,
        payload: Tls,
        server_name: server_name.map(str::to_owned),
        proxy: None,
        passage,
    };

    let portal = of_a_network(samples::passage((Tcp, 80, Plain), Passage::Redirected));
    assert_eq!(portal.cause, Cause::CaptivePortal);
    assert!(portal.next_step.contains("log in"), "{portal:#?}");

    let mut sample = samples::signalling_unreachable();
    samples::through_proxy(&mut sample);
    let proxy = of(&sample).unwrap();
    assert_eq!(proxy.cause, Cause::ProxyRequired);
    for found in [&portal, &proxy] {
        let mut witnesses = found.evidence.iter().map(|one| one.witness);
        assert!(
            witnesses.any(|one| one == Witness::Signalling),
            "{found:#?}"
        );
    }

    let cases = [
        (tls_443(None, Passage::Intercepted), "from TLS inspection"),
        (
            tls_443(Some("turn.example.net"), Passage::Passes),
            "`turn.example.net` was measured to pass",
        ),
        // Its own name passes, so that is not what keeps it.
        (
            tls_443(Some("signalling.test"), Passage::Passes),
            "on port 443 of the same host",
        ),
        (
            tls_443(None, Passage::Passes),
            "on port 443 of the same host",
        ),
    ];
    for (fact, words) in cases {
        let found = of_a_network(fact);
        assert_eq!(found.cause, Cause::SignallingUnreachable);
        assert!(found.next_step.contains(words), "{words}: {found:#?}");
    }
}

#[test]
fn no_secret_is_needed_to_diagnose() {
    let text = serde_json::to_string(&samples::credentials_expired().declared).unwrap();
    assert!(
        text.contains("1767312245")
            && !text.contains("\"username\"")
            && !text.contains("\"credential\""),
        "{text}"
    );
}
