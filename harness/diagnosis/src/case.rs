//! A run as the rules look at it.

use farcall_plan::{BlockingRule, ExpectedFault, Fact, Passage, Payload, ProbeProtocol};
use farcall_scenario::{FaultKind, IceUrl, Scheme};
use farcall_timeline::{
    Event, FaultEdge, FaultEvent, Flow, IceServerOutcome, IceServerReport, Measured, MediaKind,
    MediaStats, RecoveryEvent, SignallingEvent, Timeline,
};
use farcall_verdict::{CheckVerdict, Declared, DeclaredServer, Judgement};

/// A run with its judgement.
pub(crate) struct Case<'a> {
    /// What happened at each node.
    pub(crate) run: farcall_verdict::Case<'a>,
    /// What the run came to.
    pub(crate) judgement: &'a Judgement,
    /// When it began, in seconds since 1970.
    pub(crate) began_at_s: i64,
}

/// What came of a URL at a peer.
#[derive(Clone, Copy)]
pub(crate) struct Attempt<'a> {
    pub(crate) peer: &'a str,
    pub(crate) server: &'a DeclaredServer,
    pub(crate) report: &'a IceServerReport,
    /// The rule that keeps the peer from the server, if one does.
    pub(crate) blocked_by: Option<&'a BlockingRule>,
}

/// How long a server has to answer before its silence says something, in milliseconds: three requests over UDP have been
/// repeated by then (RFC 8489 section 6.2.1), and a connection over TCP has been opened again once (RFC 6298).
const WAITED_FOR_MS: f64 = 3_000.0;

impl Attempt<'_> {
    /// Whether its server had the time to answer: a call that is given up early proves nothing against it.
    pub(crate) fn was_waited_for(&self) -> bool {
        self.report.outcome != IceServerOutcome::NoAnswer || self.report.after_ms >= WAITED_FOR_MS
    }
}

/// A direction in which a kind of media did not arrive.
#[derive(Clone, Copy)]
pub(crate) struct Missing<'a> {
    pub(crate) kind: MediaKind,
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
}

/// A fault as it was.
#[derive(Clone, Copy)]
pub(crate) struct Broken<'a> {
    pub(crate) number: u32,
    pub(crate) fault: &'a ExpectedFault,
    pub(crate) begun_ms: f64,
    /// When it was mended.
    pub(crate) mended_ms: Option<f64>,
    pub(crate) dropped: Option<u64>,
}

impl<'a> Attempt<'a> {
    pub(crate) fn url(&self) -> &'a IceUrl {
        &self.server.url
    }

    pub(crate) fn is_turn(&self) -> bool {
        self.url().scheme != Scheme::Stun
    }

    pub(crate) fn came_to(&self, outcomes: &[IceServerOutcome]) -> bool {
        outcomes.contains(&self.report.outcome)
    }
}

impl<'a> Case<'a> {
    pub(crate) fn new(
        timeline: &'a Timeline,
        declared: &'a Declared,
        began_at_s: i64,
        judgement: &'a Judgement,
    ) -> Self {
        Self {
            run: farcall_verdict::Case::new(timeline, declared),
            judgement,
            began_at_s,
        }
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = &'a str> {
        self.run.peers.clone().into_iter()
    }

    /// Whether a check, or any check whose name begins like this if it ends with a slash, failed.
    pub(crate) fn has_failed(&self, name: &str) -> bool {
        self.judgement.checks.iter().any(|check| {
            let is_it = match name.ends_with('/') {
                true => check.name.starts_with(name),
                false => check.name == name,
            };
            is_it && check.verdict == CheckVerdict::Fail
        })
    }

    /// Whether both peers were connected at some time: ICE and DTLS.
    pub(crate) fn has_connected(&self) -> bool {
        self.peers().all(|peer| {
            self.run
                .first_state(peer, "connection", "connected")
                .is_some()
        })
    }

    /// Since when a peer has looked for a path: ICE begins with the other side's description (RFC 8839).
    pub(crate) fn checked_at(&self, peer: &str) -> Option<f64> {
        self.run.first_state(peer, "ice-connection", "checking")
    }

    /// Since when both have.
    pub(crate) fn all_checked_at(&self) -> Option<f64> {
        let all: Option<Vec<f64>> = self.peers().map(|peer| self.checked_at(peer)).collect();
        all?.into_iter().max_by(f64::total_cmp)
    }

    /// Whether signalling goes over the network.
    pub(crate) fn has_signalling(&self) -> bool {
        !self.run.declared.expect.signalling.is_empty()
    }

    /// Whether a peer's signalling opened at some time.
    pub(crate) fn has_opened(&self, peer: &str) -> bool {
        matches!(
            self.run.signalling(peer),
            Some(SignallingEvent::Open { .. })
        )
    }

    /// The TURN URLs of the configuration.
    pub(crate) fn turn_urls(&self) -> impl Iterator<Item = &'a IceUrl> {
        let servers = self.run.declared.call.ice_servers.iter();
        servers
            .map(|server| &server.url)
            .filter(|url| url.scheme != Scheme::Stun)
    }

    /// Whether the configuration has a TURN URL of this meaning.
    pub(crate) fn is_configured(&self, text: &str) -> bool {
        let wanted = text.parse::<IceUrl>();
        wanted.is_ok_and(|wanted| self.turn_urls().any(|url| url.is_same_as(&wanted)))
    }

    /// What came of each URL at a peer, in the order of the configuration.
    pub(crate) fn attempts(&self, peer: &'a str) -> Vec<Attempt<'a>> {
        let reports = self.run.servers(peer);
        let expected = self.run.declared.expect.ice_servers.get(peer);
        let servers = self.run.declared.call.ice_servers.iter();
        servers
            .filter_map(|server| {
                let report = reports.get(server.url.text.as_str()).copied()?;
                let mut planned = expected.into_iter().flatten();
                let planned = planned.find(|one| one.url == server.url.text);
                Some(Attempt {
                    peer,
                    server,
                    report,
                    blocked_by: planned.and_then(|one| one.blocked_by.as_ref()),
                })
            })
            .collect()
    }

    /// The time stamp of the TURN credentials that a peer fetched last, if it fetched any.
    pub(crate) fn fetched_time_stamp(&self, peer: &str) -> Option<u64> {
        let mut events = self.run.of(peer).iter().rev();
        events.find_map(|(_, event)| match event {
            Event::CredentialsFetched { time_stamp } => Some(*time_stamp),
            _ => None,
        })
    }

    /// What came of each TURN URL at a peer.
    pub(crate) fn turn_attempts(&self, peer: &'a str) -> Vec<Attempt<'a>> {
        let mut attempts = self.attempts(peer);
        attempts.retain(Attempt::is_turn);
        attempts
    }

    /// Peers of a call that never connected to which no TURN server allocated anything.
    pub(crate) fn stranded(&self) -> Vec<&'a str> {
        if self.has_connected() {
            return Vec::new();
        }
        let is_stranded = |peer: &&str| {
            let mut events = self.run.of(peer).iter();
            !events.any(|(_, event)| {
                matches!(event, Event::IceServer(report) if report.outcome == IceServerOutcome::Allocated)
            })
        };
        self.peers().filter(is_stranded).collect()
    }

    /// Attempts that came to one of these outcomes and made a difference: their peer has no other TURN server, or they
    /// are what failed although the network lets them through.
    pub(crate) fn culprits(&self, outcomes: &[IceServerOutcome]) -> Vec<Attempt<'a>> {
        let stranded = self.stranded();
        let attempts = self.peers().flat_map(|peer| self.attempts(peer));
        attempts
            .filter(|attempt| attempt.came_to(outcomes))
            .filter(|attempt| {
                let check = format!("ice-server/{}/{}", attempt.peer, attempt.url().text);
                stranded.contains(&attempt.peer) || self.has_failed(&check)
            })
            .collect()
    }

    /// As [`culprits`](Self::culprits), for what only a server or a resolver can have answered: also attempts of a call that
    /// was lost and could not be made anew, since no TURN server was there for it any more.
    pub(crate) fn refusals(&self, outcomes: &[IceServerOutcome]) -> Vec<Attempt<'a>> {
        let mut found = self.culprits(outcomes);
        if self.is_lost() {
            for peer in self.peers() {
                let mut attempts = self.turn_attempts(peer);
                if attempts
                    .iter()
                    .all(|one| one.report.outcome != IceServerOutcome::Allocated)
                {
                    attempts.retain(|one| one.came_to(outcomes));
                    found.append(&mut attempts);
                }
            }
        }
        found
    }

    /// What is declared of the lab as a node sees it, each with what was measured.
    pub(crate) fn facts(&self, node: &'a str) -> impl Iterator<Item = (&'a Fact, &'a Measured)> {
        let declared = self.run.declared.attestation.iter();
        let declared = declared.filter(move |one| one.node == node);
        declared.filter_map(move |one| {
            let what = one.fact.what();
            let mut measured = self.judgement.attestation.iter();
            let measured = measured.find(|found| found.node == node && found.what == what)?;
            Some((&one.fact, measured))
        })
    }

    /// Whether what is sent like this from a peer's network was measured to pass: straight, or through the proxy that the
    /// peer uses.
    pub(crate) fn passes(
        &self,
        peer: &'a str,
        wanted: (ProbeProtocol, u16, Payload),
        wanted_name: Option<&str>,
    ) -> bool {
        let used = self.run.declared.call.proxies.get(peer);
        self.facts(peer).any(|(fact, measured)| match fact {
            Fact::Passage {
                protocol,
                port,
                payload,
                server_name,
                proxy,
                passage: Passage::Passes,
            } => {
                measured.holds
                    && (*protocol, *port, *payload) == wanted
                    && server_name.as_deref() == wanted_name
                    && (proxy.is_none() || proxy.as_ref() == used)
            }
            _ => false,
        })
    }

    /// The faults that took effect, in order.
    pub(crate) fn broken(&self) -> Vec<Broken<'a>> {
        let faults = self.run.declared.expect.faults.iter();
        let numbered = (1..).zip(faults);
        numbered
            .filter_map(|(number, fault)| {
                let edge = |edge| {
                    let mut all = self.run.all();
                    all.find_map(|(_, at_ms, event)| match event {
                        Event::Fault(found) if found.number == number && found.edge == edge => {
                            Some((at_ms, found))
                        }
                        _ => None,
                    })
                };
                let mended: Option<(f64, &FaultEvent)> = edge(FaultEdge::Mended);
                Some(Broken {
                    number,
                    fault,
                    begun_ms: edge(FaultEdge::Begun)?.0,
                    mended_ms: mended.map(|(at_ms, _)| at_ms),
                    dropped: mended.and_then(|(_, event)| event.dropped_packets),
                })
            })
            .collect()
    }

    /// The fault of one of these kinds, if there was one that did something.
    pub(crate) fn broken_by(&self, kinds: &[FaultKind]) -> Option<Broken<'a>> {
        let did = |one: &Broken<'_>| !one.fault.drops || one.dropped.is_some_and(|many| many > 0);
        let mut broken = self.broken().into_iter();
        broken.find(|one| kinds.contains(&one.fault.kind) && did(one))
    }

    /// Audio and video that did not arrive as they must.
    pub(crate) fn missing(&self) -> Vec<Missing<'a>> {
        let kinds = [MediaKind::Audio, MediaKind::Video];
        let all = self
            .run
            .directions()
            .flat_map(|(from, to)| kinds.map(|kind| Missing { kind, from, to }));
        all.filter(|Missing { kind, from, to }| {
            let way = format!("media/{kind}/{from}-to-{to}");
            self.has_failed(&way)
                || self.has_failed(&format!("recovery/{way}"))
                || self.is_not_flowing(&format!("flow/{kind}/{from}-to-{to}"))
        })
        .collect()
    }

    /// Whether a check of what becomes of media saw that they do not flow, expected or not.
    fn is_not_flowing(&self, name: &str) -> bool {
        let mut checks = self.judgement.checks.iter();
        let check = checks.find(|check| check.name == name);
        check.is_some_and(|check| check.observed != Flow::Flows.to_string())
    }

    /// When a total of a peer's stream grew for the last time, and to what.
    pub(crate) fn last_growth(
        &self,
        peer: &str,
        kind: MediaKind,
        total: fn(&MediaStats) -> u64,
    ) -> Option<(f64, u64)> {
        let ended_ms = self.run.ended_ms();
        let mut last: Option<(f64, u64)> = None;
        for (at_ms, stats) in self.run.media_reports(peer, kind) {
            let now = total(stats);
            if at_ms <= ended_ms && now > last.map_or(0, |(_, before)| before) {
                last = Some((at_ms, now));
            }
        }
        last
    }

    /// The steps of all recoveries, in order.
    pub(crate) fn recovery(&self) -> Vec<(&'a str, f64, &'a RecoveryEvent)> {
        let mut steps: Vec<_> = self
            .run
            .all()
            .filter_map(|(peer, at_ms, event)| match event {
                Event::Recovery(step) => Some((peer, at_ms, step)),
                _ => None,
            })
            .collect();
        steps.sort_by(|left, right| left.1.total_cmp(&right.1).then(left.0.cmp(right.0)));
        steps
    }

    /// The first loss of a connection that had been up: the peer, when, and the state.
    pub(crate) fn first_loss(&self) -> Option<(&'a str, f64, &'a str)> {
        let losses = self.peers().filter_map(|peer| {
            let up_ms = self.run.first_state(peer, "connection", "connected")?;
            let mut events = self.run.of(peer).iter();
            events.find_map(|(at_ms, event)| match event {
                Event::State(state)
                    if *at_ms >= up_ms
                        && state.machine == "connection"
                        && matches!(state.state.as_str(), "disconnected" | "failed") =>
                {
                    Some((peer, *at_ms, state.state.as_str()))
                }
                _ => None,
            })
        });
        losses.min_by(|left, right| left.1.total_cmp(&right.1))
    }

    /// Whether the call was not what it had been when it ended.
    pub(crate) fn is_lost(&self) -> bool {
        let ended_ms = self.run.ended_ms();
        let is_down = |peer: &str| {
            let state = self.run.state_at(peer, "connection", ended_ms);
            state.is_some_and(|state| state != "connected")
        };
        self.has_connected() && self.peers().any(is_down)
    }
}
