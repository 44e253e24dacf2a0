//! Findings in the Static Analysis Results Interchange Format 2.1.0, for code scanners.

use super::json::{FileReport, LintReport};
use crate::finding::Finding;
use crate::rule::{Rule, Severity};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_sarif::sarif::{
    ArtifactLocation, Invocation, Location, LogicalLocation, Message, MultiformatMessageString,
    Notification, PhysicalLocation, Region, ReportingConfiguration, ReportingDescriptor,
    Result as Finding_, ResultLevel, Run, Sarif, Tool, ToolComponent, Version,
};
use std::io::Write;

/// Where the schema of the format is.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// What a path of a URI has to escape (RFC 3986 section 3.3).
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Writes a report as SARIF. `version` is the program's.
///
/// # Errors
/// When `out` cannot be written.
pub fn sarif(report: &LintReport, version: &str, out: &mut dyn Write) -> std::io::Result<()> {
    let results: Vec<Finding_> = report.files.iter().flat_map(results).collect();
    let rules: Vec<ReportingDescriptor> = Rule::ALL.into_iter().map(descriptor).collect();
    let driver = ToolComponent::builder()
        .name("farcall")
        .version(version)
        .rules(rules)
        .build();
    let run = Run::builder()
        .tool(Tool::builder().driver(driver).build())
        .column_kind("unicodeCodePoints")
        .invocations(vec![invocation(report)])
        .results(results)
        .build();
    let log = Sarif::builder()
        .version(Version::V2_1_0.to_string())
        .schema(SCHEMA)
        .runs(vec![run])
        .build();
    serde_json::to_writer_pretty(&mut *out, &log)?;
    out.write_all(b"\n")
}

fn descriptor(rule: Rule) -> ReportingDescriptor {
    let about = rule.about();
    let level = level(about.severity).to_string();
    ReportingDescriptor::builder()
        .id(rule.name())
        .short_description(text(about.says))
        .full_description(text(about.says))
        .help(text(about.why))
        .default_configuration(ReportingConfiguration::builder().level(level).build())
        .build()
}

fn text(text: &str) -> MultiformatMessageString {
    MultiformatMessageString::builder().text(text).build()
}

fn results(file: &FileReport) -> impl Iterator<Item = Finding_> {
    let findings = file
        .configurations
        .iter()
        .flat_map(|configuration| &configuration.findings);
    findings.map(|finding| result(&file.file, finding))
}

fn result(file: &str, finding: &Finding) -> Finding_ {
    let Finding {
        message,
        consequence,
        replacement,
        ..
    } = finding;
    let index = Rule::ALL.iter().position(|rule| *rule == finding.rule);
    let entry = LogicalLocation::builder()
        .fully_qualified_name(finding.entry.as_str())
        .build();
    let location = Location::builder()
        .physical_location(physical(file, finding))
        .logical_locations(vec![entry])
        .build();
    Finding_::builder()
        .rule_id(finding.rule.name())
        .rule_index(integer(index.unwrap_or_default()))
        .level(level(finding.severity))
        .message(said(format!("{message}. {consequence}. {replacement}.")))
        .locations(vec![location])
        .build()
}

fn physical(file: &str, finding: &Finding) -> PhysicalLocation {
    let place = &finding.place;
    let region = Region::builder()
        .start_line(integer(place.line))
        .start_column(integer(place.column))
        .end_line(integer(place.end_line))
        .end_column(integer(place.end_column))
        .byte_offset(integer(place.byte_offset))
        .byte_length(integer(place.byte_length))
        .build();
    PhysicalLocation::builder()
        .artifact_location(artifact(file))
        .region(region)
        .build()
}

fn artifact(file: &str) -> ArtifactLocation {
    let uri = utf8_percent_encode(file, PATH).to_string();
    ArtifactLocation::builder().uri(uri).build()
}

/// Whether all files could be examined, and which could not.
fn invocation(report: &LintReport) -> Invocation {
    let failed = report.files.iter().filter_map(|file| {
        let problem = file.problem.as_ref()?;
        let location = PhysicalLocation::builder()
            .artifact_location(artifact(&file.file))
            .build();
        let location = Location::builder().physical_location(location).build();
        let notification = Notification::builder()
            .level("error")
            .message(said(problem.clone()))
            .locations(vec![location]);
        Some(notification.build())
    });
    let failed: Vec<Notification> = failed.collect();
    Invocation::builder()
        .execution_successful(failed.is_empty())
        .tool_execution_notifications(failed)
        .build()
}

fn said(text: String) -> Message {
    Message::builder().text(text).build()
}

fn level(severity: Severity) -> ResultLevel {
    match severity {
        Severity::Note => ResultLevel::Note,
        Severity::Warning => ResultLevel::Warning,
        Severity::Error => ResultLevel::Error,
    }
}

/// Nothing that is counted here comes near the bound.
fn integer(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
