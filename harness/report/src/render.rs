//! Every format in which calls can be written, by one door.

use crate::format::{Json, Report, dump, github, junit, markdown, mermaid, pcapng, trace};
use crate::{Call, ReportError, StoredRun, html};
use std::io::Write;

/// A format in which calls can be written. The same calls give the same bytes. Those formats that tell of verdicts have all
/// calls; the others have their runs, so that a call without one is not in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    /// A page that needs nothing beside itself. Of one run; [`html_index`](crate::html_index) is of several.
    Html,
    /// JUnit XML: a suite for each scenario, a test for each call.
    Junit,
    /// What GitHub Actions shows in a step's summary: as [`Markdown`](Self::Markdown).
    GithubSummary,
    /// GitHub's workflow commands: an annotation for each scenario that did not pass.
    GithubAnnotations,
    /// Markdown.
    Markdown,
    /// `result.json` of each run on a line of its own.
    Json,
    /// As chrome://webrtc-internals dumps connections.
    Dump,
    /// Chrome's trace event format, for Perfetto.
    Trace,
    /// All packets that were captured.
    Pcapng,
    /// A Mermaid sequence diagram. Of one run.
    Mermaid,
}

impl ReportFormat {
    /// Writes calls in this format.
    ///
    /// # Errors
    /// When `out` fails, the format is of one run and these are several or none, or a run lacks what the format shows.
    pub fn render(self, calls: &[Call], out: &mut dyn Write) -> Result<(), ReportError> {
        let written = match self {
            Self::Html => {
                let (call, run) = one(calls, "html")?;
                html::page(call, run, out)
            }
            Self::Junit => junit::junit(calls, out),
            Self::GithubSummary | Self::Markdown => markdown::markdown(calls, out),
            Self::GithubAnnotations => github::annotations(calls, out),
            Self::Json => runs(calls)
                .into_iter()
                .try_for_each(|run| Json.render(run, out)),
            Self::Dump => dump::dump(&runs(calls), None, out),
            Self::Trace => trace::trace(&runs(calls), out),
            Self::Pcapng => return pcapng::pcapng(&runs(calls), out),
            Self::Mermaid => mermaid::mermaid(one(calls, "mermaid")?.1, out),
        };
        written.map_err(|source| ReportError::Render {
            format: self.name(),
            source,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Junit => "junit",
            Self::GithubSummary | Self::GithubAnnotations => "github",
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::Dump => "dump",
            Self::Trace => "trace",
            Self::Pcapng => "pcapng",
            Self::Mermaid => "mermaid",
        }
    }
}

/// Writes the connections of one peer as chrome://webrtc-internals dumps them.
///
/// # Errors
/// When no run has a peer of that name, or `out` fails.
pub fn dump_of_peer(calls: &[Call], peer: &str, out: &mut dyn Write) -> Result<(), ReportError> {
    let runs = runs(calls);
    if !runs.iter().any(|run| run.result.peers.contains_key(peer)) {
        let peers = runs.iter().flat_map(|run| run.result.peers.keys());
        let known: std::collections::BTreeSet<&str> = peers.map(String::as_str).collect();
        return Err(ReportError::UnknownPeer {
            peer: peer.to_owned(),
            known: known.into_iter().collect::<Vec<_>>().join(", "),
        });
    }
    dump::dump(&runs, Some(peer), out).map_err(|source| ReportError::Render {
        format: "dump",
        source,
    })
}

/// The runs of those calls that have one.
fn runs(calls: &[Call]) -> Vec<&StoredRun> {
    let runs = calls.iter().filter_map(|call| call.run.as_ref().ok());
    runs.collect()
}

/// The only call, and its run.
fn one<'a>(
    calls: &'a [Call],
    format: &'static str,
) -> Result<(&'a Call, &'a StoredRun), ReportError> {
    match (calls, runs(calls).as_slice()) {
        ([call], [run]) => Ok((call, run)),
        (_, runs) => Err(ReportError::OneRunOnly {
            format,
            found: runs.len(),
        }),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::stored::tests::{about, stored};
    use farcall_timeline::Event;
    use farcall_verdict::sample::Sample;

    /// All that are made of `result.json` and the log alone.
    const FORMATS: [ReportFormat; 9] = [
        ReportFormat::Html,
        ReportFormat::Junit,
        ReportFormat::GithubSummary,
        ReportFormat::GithubAnnotations,
        ReportFormat::Markdown,
        ReportFormat::Json,
        ReportFormat::Dump,
        ReportFormat::Trace,
        ReportFormat::Mermaid,
    ];

    #[test]
    fn a_run_without_a_lab_is_reported_in_every_format() {
        let mut sample = Sample::good();
        sample.remove(|_| true);
        let reason = "turn:[2001:db8::7]: write a host name".to_owned();
        sample.add(0.0, "harness", Event::ConfigurationUnsupported { reason });
        let out = tempfile::tempdir().unwrap();
        let calls = [Call::from(stored(&out, &about(), &sample))];
        for format in FORMATS {
            let mut bytes = Vec::new();
            format.render(&calls, &mut bytes).unwrap();
            let text = String::from_utf8(bytes).unwrap();
            // What a browser's dump and a diagram of messages can have nothing of.
            let is_of_the_call = matches!(format, ReportFormat::Dump | ReportFormat::Mermaid);
            assert!(
                is_of_the_call || text.contains("2001:db8::7"),
                "{format:?}: {text}"
            );
        }
    }

    #[test]
    fn the_same_run_gives_the_same_bytes() {
        let out = tempfile::tempdir().unwrap();
        let directory = stored(&out, &about(), &Sample::not_connected()).directory;
        for format in FORMATS {
            let render = || {
                let mut bytes = Vec::new();
                let run = StoredRun::load(&directory).unwrap();
                format.render(&[run.into()], &mut bytes).unwrap();
                bytes
            };
            let first = render();
            assert!(!first.is_empty(), "{format:?}");
            assert!(first == render(), "{format:?}");
        }
    }

    #[test]
    fn a_diagram_of_several_runs_is_refused() {
        let out = tempfile::tempdir().unwrap();
        let call = Call::from(stored(&out, &about(), &Sample::good()));
        let calls = [call.clone(), call];
        let error = ReportFormat::Mermaid.render(&calls, &mut Vec::new());
        assert!(matches!(
            error,
            Err(ReportError::OneRunOnly { found: 2, .. })
        ));
    }

    #[test]
    fn a_peer_that_nobody_has_is_named_with_those_that_there_are() {
        let out = tempfile::tempdir().unwrap();
        let run = stored(&out, &about(), &Sample::good());
        let error = dump_of_peer(&[run.into()], "carol", &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("alice, bob"), "{error}");
    }
}
