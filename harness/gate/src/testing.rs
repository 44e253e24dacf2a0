//! Baselines, runs and results for tests.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use crate::{Answer, Entry, Fingerprint, GATE_SCHEMA_VERSION, GateResult, Seen, judge};
use farcall_report::{About, Environment, Explanation, RunDirectory, StoredRun};
use farcall_scenario::{Baseline, BaselineNetwork, IceTransportPolicy, Scenario};
use farcall_timeline::{Candidate, CandidateType, IceTransport, SelectedPair};
use farcall_verdict::sample::Sample;
use farcall_verdict::{Figures, Verdict};
use std::collections::BTreeMap;
use std::path::Path;
use time::Date;
use time::macros::{date, datetime};

pub(crate) const TODAY: Date = date!(2026 - 06 - 15);

pub(crate) fn baseline(text: &str) -> Baseline {
    let find = |name: &str| Scenario::find(name, None);
    Baseline::parse("baseline.toml", text, &find).unwrap()
}

/// A network with these keys, of a scenario that allows them.
pub(crate) fn network(keys: &str) -> BaselineNetwork {
    let scenario = match keys.contains("recover") {
        true => "recovery-attempt-1",
        false => "corporate-firewall",
    };
    let text = format!("[[networks]]\nscenario = \"{scenario}\"\n{keys}\n");
    baseline(&text).networks.remove(0)
}

/// A run that connected through a TURN server in 2.4 s, whatever it came to.
pub(crate) fn seen(verdict: Verdict) -> Seen {
    let candidate = |candidate_type, relay_protocol| Candidate {
        candidate_type,
        protocol: "udp".to_owned(),
        address: "203.0.113.1:1".to_owned(),
        relay_protocol,
        url: Some("turn:t.example".to_owned()),
    };
    let pair = SelectedPair {
        local: candidate(CandidateType::Relay, Some(IceTransport::Tcp)),
        remote: candidate(CandidateType::Prflx, None),
    };
    let explanation = (verdict != Verdict::Pass).then(|| Explanation {
        cause: "tcp-443-not-tls".to_owned(),
        sentence: "The firewall lets only TLS through.".to_owned(),
        evidence: Vec::new(),
        next_step: Some("Add it.".to_owned()),
    });
    Seen {
        directory: "/gate/run".into(),
        verdict,
        pairs: BTreeMap::from([("alice".to_owned(), pair)]),
        figures: Figures {
            connected_after_ms: Some(2_400.0),
            ..Figures::default()
        },
        failed_checks: 2,
        explanation,
    }
}

/// A sample as a run on disk.
pub(crate) fn stored(out: &tempfile::TempDir, sample: &Sample) -> StoredRun {
    let about = About {
        scenario: "corporate-firewall".to_owned(),
        written: None,
        ice_configuration: "production".to_owned(),
        policy: IceTransportPolicy::All,
        seed: 1,
        session: "a1b2c3".to_owned(),
        started_at: datetime!(2026-06-15 10:00 UTC),
        environment: Environment::default(),
    };
    let directory = RunDirectory::create(out.path(), &about).unwrap();
    directory
        .write_plan(&about, &sample.declared, None)
        .unwrap();
    let mut events = directory.events().unwrap();
    for entry in &sample.entries {
        events.append(entry).unwrap();
    }
    directory.finish().unwrap()
}

/// A yes of a scenario.
pub(crate) fn entry(scenario: &str) -> Entry {
    let text = format!("[[networks]]\nscenario = \"{scenario}\"\n");
    let runs = [seen(Verdict::Pass)];
    judge(
        &baseline(&text).networks[0],
        "production",
        &runs,
        Path::new("/gate"),
        TODAY,
    )
}

/// A gate with one call, which says yes.
pub(crate) fn result() -> GateResult {
    let entry = entry("home-to-home");
    let fingerprint = |name: &str| Fingerprint {
        name: name.to_owned(),
        sha256: "00".to_owned(),
    };
    GateResult {
        schema_version: GATE_SCHEMA_VERSION,
        id: "gate".to_owned(),
        farcall: "0.1.0".to_owned(),
        answer: Answer::Yes,
        started_at: datetime!(2026-06-15 10:00 UTC),
        today: TODAY,
        seed: Some(1),
        baseline: fingerprint("farcall-baseline.toml"),
        ice_configurations: vec![fingerprint("production")],
        shard: None,
        missing_shards: Vec::new(),
        retries: 0,
        calls: vec![entry.call.clone()],
        entries: vec![entry],
    }
}
