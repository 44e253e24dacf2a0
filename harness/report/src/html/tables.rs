//! What is known of a run as tables.

use super::{column, number_column};
use crate::StoredRun;
use crate::dropped::counted;
use crate::words::candidate_in_words;
use farcall_timeline::{
    Candidate, CandidatePairReport, CandidatePairState, CandidateType, Event, IceServerReport,
    SelectedPair,
};
use farcall_verdict::{Check, CheckVerdict, PeerResult};
use maud::{Markup, html};

/// Of each peer its ICE servers, candidates and pairs.
pub(super) fn peers(run: &StoredRun) -> Markup {
    html! {
        section #peers aria-labelledby="peers-title" {
            h2 #peers-title { "Peers" }
            @for (name, peer) in &run.result.peers {
                h3 { (name) }
                (servers(peer))
                (candidates(run, name))
                (selected_pairs(run, name))
                (checked_pairs(run, name))
            }
        }
    }
}

fn servers(peer: &PeerResult) -> Markup {
    if peer.ice_servers.is_empty() {
        return html! { p.none { "No URL came to an outcome." } };
    }
    html! {
        div.scroll { table {
            caption { "ICE servers" }
            thead { tr {
                (column("URL")) (column("transport")) (column("outcome")) (number_column("after"))
                (column("relay address or reason"))
                (number_column("bytes sent")) (number_column("received"))
            } }
            tbody { @for server in &peer.ice_servers { (server_row(server)) } }
        } }
    }
}

fn server_row(server: &IceServerReport) -> Markup {
    let outcome = if server.outcome.is_success() {
        "pass"
    } else {
        "warn"
    };
    html! {
        tr {
            td { code { (server.url) } }
            td { (server.transport) }
            td { span.word.(outcome) { (server.outcome) } }
            td.number { (format!("{:.0} ms", server.after_ms)) }
            td {
                @match &server.relay_address {
                    Some(address) => code { (address) },
                    None => (server.reason),
                }
            }
            td.number { (server.bytes_sent) }
            td.number { (server.bytes_received) }
        }
    }
}

/// Those that a peer gathered, and those of the other peer that it knew, connection by connection.
fn candidates(run: &StoredRun, name: &str) -> Markup {
    let mut all = told(run, name, |event| match event {
        Event::LocalCandidate(candidate) => Some(("local", candidate)),
        Event::RemoteCandidate(candidate) => Some(("remote", candidate)),
        _ => None,
    });
    all.sort_by_key(|(connection, (whose, _))| (*connection, *whose));
    let selected = selections(run, name);
    let is_selected = |connection: u32, whose: &str, candidate: &Candidate| {
        let own = selected.iter().filter(|(of, _)| *of == connection);
        own.map(|(_, pair)| match whose {
            "local" => &pair.local,
            _ => &pair.remote,
        })
        .any(|end| {
            end.address == candidate.address && end.candidate_type == candidate.candidate_type
        })
    };
    let are_several = all.iter().any(|(connection, _)| *connection > 1);
    let has_own = all.iter().any(|(_, (whose, _))| *whose == "local");
    html! {
        @if !has_own { p.none { "No candidate was gathered." } }
        @if !all.is_empty() {
            div.scroll { table {
                caption { "Candidates" }
                thead { tr {
                    @if are_several { (number_column("connection")) }
                    (column("whose")) (column("type")) (column("address")) (column("protocol"))
                    (column("to the server over")) (column("from")) (column(""))
                } }
                tbody {
                    @for (connection, (whose, candidate)) in all {
                        @let is_selected = is_selected(connection, whose, candidate);
                        tr.selected[is_selected] {
                            @if are_several { td.number { (connection) } }
                            td { (whose) }
                            td { (candidate.candidate_type) }
                            td { code { (candidate.address) } }
                            td { (candidate.protocol) }
                            td { @if let Some(over) = candidate.relay_protocol { (over) } }
                            td { (origin(whose, candidate)) }
                            td { @if is_selected { span.word.pass { "selected" } } }
                        }
                    }
                }
            } }
        }
    }
}

/// Where a candidate is from.
fn origin(whose: &str, candidate: &Candidate) -> Markup {
    match (whose, &candidate.url, candidate.candidate_type) {
        ("local", Some(url), _) => html! { code { (url) } },
        ("local", None, _) => html! {},
        (_, _, CandidateType::Prflx) => html! { "a check" },
        _ => html! { "signalling" },
    }
}

/// What events of a peer tell, in order, each with the number of the connection that it is of, 1 being the peer's first.
fn told<'a, T>(
    run: &'a StoredRun,
    peer: &str,
    pick: impl Fn(&'a Event) -> Option<T>,
) -> Vec<(u32, T)> {
    let entries = run.timeline.entries().iter();
    let own = entries.filter(|entry| entry.node == peer);
    let mut connection = 0;
    own.filter_map(|entry| {
        connection += u32::from(matches!(entry.event, Event::CallStarted { .. }));
        Some((connection.max(1), pick(&entry.event)?))
    })
    .collect()
}

/// The pairs that were selected.
fn selections<'a>(run: &'a StoredRun, peer: &str) -> Vec<(u32, &'a SelectedPair)> {
    told(run, peer, |event| match event {
        Event::SelectedPair(pair) => Some(pair),
        _ => None,
    })
}

/// Every pair that was selected, in order.
fn selected_pairs(run: &StoredRun, peer: &str) -> Markup {
    let entries = run.timeline.entries().iter();
    let selected = entries.filter_map(|entry| match &entry.event {
        Event::SelectedPair(pair) if entry.node == peer => Some((entry.at_ms, pair)),
        _ => None,
    });
    let selected: Vec<(f64, &SelectedPair)> = selected.collect();
    if selected.is_empty() {
        return html! { p.none { "No pair was selected." } };
    }
    html! {
        div.scroll { table {
            caption { "Selected pairs" }
            thead { tr { (number_column("at")) (column("local")) (column("remote")) } }
            tbody {
                @for (at_ms, pair) in selected {
                    tr {
                        td.number { (format!("{:.3} s", at_ms / 1e3)) }
                        td { (candidate_in_words(&pair.local)) }
                        td { (candidate_in_words(&pair.remote)) }
                    }
                }
            }
        } }
    }
}

/// Every pair on which connectivity checks were sent or came in, of each connection.
fn checked_pairs(run: &StoredRun, peer: &str) -> Markup {
    let pairs: Vec<(u32, &CandidatePairReport)> = told(run, peer, |event| match event {
        Event::CandidatePair(pair) => Some(pair),
        _ => None,
    });
    if pairs.is_empty() {
        // Runs of earlier versions tell of none, whatever was checked.
        return html! {};
    }
    let selected = selections(run, peer);
    let is_selected = |pair: &CandidatePairReport| {
        let mut own = selected.iter().filter(|(of, _)| *of == pair.connection);
        own.any(|(_, selected)| pair.is_selected(selected))
    };
    let are_several = pairs.iter().any(|(_, pair)| pair.connection > 1);
    html! {
        div.scroll { table {
            caption { "Checked pairs" }
            thead { tr {
                @if are_several { (number_column("connection")) }
                (column("local")) (column("remote")) (column("state")) (number_column("checks sent"))
                (number_column("answered")) (number_column("checks received")) (number_column("round trip")) (column(""))
            } }
            tbody {
                @for (_, pair) in pairs {
                    @let is_selected = is_selected(pair);
                    tr.selected[is_selected] {
                        @if are_several { td.number { (pair.connection) } }
                        td { (candidate_in_words(&pair.local)) }
                        td { (candidate_in_words(&pair.remote)) }
                        td { span.word.(state_class(pair.state)) { (pair.state) } }
                        td.number { (pair.requests_sent) }
                        td.number { (pair.responses_received) }
                        td.number { (pair.requests_received) }
                        td.number { @if let Some(ms) = pair.current_round_trip_ms { (format!("{ms:.1} ms")) } }
                        td {
                            @if is_selected { span.word.pass { "selected" } }
                            @else if pair.nominated { span.word { "nominated" } }
                        }
                    }
                }
            }
        } }
    }
}

fn state_class(state: CandidatePairState) -> &'static str {
    match state {
        CandidatePairState::Succeeded => "pass",
        CandidatePairState::Failed => "warn",
        CandidatePairState::Frozen
        | CandidatePairState::Waiting
        | CandidatePairState::InProgress => "unsupported",
    }
}

/// What each gateway's rules counted during the call.
pub(super) fn gateways(run: &StoredRun) -> Markup {
    let routers = run.topology.sites.iter().flat_map(|site| &site.routers);
    html! {
        section #gateways aria-labelledby="gateways-title" {
            h2 #gateways-title { "Gateways" }
            @for router in routers {
                @let counts = counted(run, &router.name);
                @if counts.is_empty() {
                    p.none { (router.name) ": no rule counted anything during the call." }
                } @else {
                    div.scroll { table {
                        caption { (router.name) ", during the call" }
                        thead { tr { (column("rule")) (number_column("packets")) (number_column("bytes")) (column("")) } }
                        tbody {
                            @for count in &counts {
                                tr {
                                    td { code { (count.rule) } }
                                    td.number { (count.packets) }
                                    td.number { (count.bytes) }
                                    td { @if count.blocks { span.word.fail { "blocks" } } }
                                }
                            }
                        }
                    } }
                }
            }
        }
    }
}

/// Every check; those that did not hold first and open.
pub(super) fn checks(run: &StoredRun) -> Markup {
    let checks = &run.result.checks;
    let order = [
        (CheckVerdict::Fail, "failed", "fail"),
        (CheckVerdict::Invalid, "invalid", "invalid"),
        (CheckVerdict::Pass, "passed", "pass"),
        (CheckVerdict::Skipped, "skipped", "unsupported"),
    ];
    html! {
        section #checks aria-labelledby="checks-title" {
            h2 #checks-title { "Checks" }
            @for (verdict, word, class) in order {
                @let of_verdict: Vec<&Check> = checks.iter().filter(|check| check.verdict == verdict).collect();
                @if !of_verdict.is_empty() {
                    details open[matches!(verdict, CheckVerdict::Fail | CheckVerdict::Invalid)] {
                        summary { span.word.(class) { (of_verdict.len()) " " (word) } }
                        @for check in of_verdict { (check_in_full(check)) }
                    }
                }
            }
        }
    }
}

fn check_in_full(check: &Check) -> Markup {
    html! {
        div.check {
            p.name { code { (check.name) } }
            dl {
                dt { "expected" } dd { (check.expected) }
                dt { "observed" } dd { (check.observed) }
                @if !check.evidence.is_empty() {
                    dt { "evidence" }
                    dd { ul { @for line in &check.evidence { li { (line) } } } }
                }
            }
        }
    }
}

/// What the lab was declared to be and what was measured; what does not hold first.
pub(super) fn attestation(run: &StoredRun) -> Markup {
    let mut measured: Vec<_> = run.result.attestation.iter().collect();
    measured.sort_by_key(|measured| measured.holds);
    let wrong = measured.iter().filter(|measured| !measured.holds).count();
    html! {
        section #attestation aria-labelledby="attestation-title" {
            h2 #attestation-title { "Attestation" }
            @if measured.is_empty() {
                p.none { "Nothing was measured." }
            } @else {
                details open[wrong > 0] {
                    summary {
                        @if wrong > 0 { span.word.fail { (wrong) " of " (measured.len()) " not as declared" } }
                        @else { span.word.pass { (measured.len()) " measured, all as declared" } }
                    }
                    div.scroll { table {
                        thead { tr { (column("node")) (column("about")) (column("what"))
                            (column("declared")) (column("measured")) (column("")) } }
                        tbody {
                            @for one in measured {
                                tr {
                                    td { (one.node) }
                                    td { (one.aspect) }
                                    td { (one.what) }
                                    td { (one.declared) }
                                    td { (one.measured) }
                                    td { @if one.holds { span.word.pass { "holds" } } @else { span.word.fail { "does not hold" } } }
                                }
                            }
                        }
                    } }
                }
            }
        }
    }
}
