//! What programs read.

use crate::support::{NOW, linted};
use farcall_lint::{FileReport, LintReport, Totals, json, lint, sarif, schema};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

const MISTAKES: &str = include_str!("files/mistakes.json");
const SERVICE: &str = include_str!("files/call-service.ts");

fn report() -> LintReport {
    LintReport::new(vec![
        FileReport::examined(linted("my ice/ü.json", MISTAKES)),
        FileReport::examined(linted("call-service.ts", SERVICE)),
        FileReport::of("empty.json", lint("empty.json", "", NOW)),
    ])
}

fn written(write: impl FnOnce(&LintReport, &mut Vec<u8>)) -> Value {
    let mut out = Vec::new();
    write(&report(), &mut out);
    serde_json::from_slice(&out).unwrap()
}

fn as_json() -> Value {
    written(|report, out| json(report, out).unwrap())
}

fn as_sarif() -> Value {
    written(|report, out| sarif(report, "1.2.3", out).unwrap())
}

fn errors(schema: &Value, value: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors = validator.iter_errors(value);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn json_validates_against_its_schema() {
    assert_eq!(errors(&schema(), &as_json()), Vec::<String>::new());
    let mut wrong = as_json();
    wrong["files"][0]["configurations"][0]["findings"][0]["severity"] = "fatal".into();
    assert_ne!(errors(&schema(), &wrong), Vec::<String>::new());
}

#[test]
fn json_reads_as_people_were_promised() {
    let json = as_json();
    assert_eq!(json["schema_version"], 1);
    assert_eq!(
        json["files"][2]["problem"]
            .as_str()
            .map(|text| text.contains("empty")),
        Some(true)
    );
    let finding = &json["files"][0]["configurations"][0]["findings"][0];
    for key in [
        "rule",
        "severity",
        "entry",
        "message",
        "consequence",
        "replacement",
    ] {
        assert!(finding[key].is_string(), "{key} of {finding}");
    }
    assert!(finding["place"]["line"].is_u64(), "{finding}");
    assert_eq!(
        json["files"][1]["configurations"][1]["name"],
        "getProductionConfig"
    );
}

#[test]
fn findings_are_counted() {
    let report = report();
    let all = report.files.iter().flat_map(|file| &file.configurations);
    let all = all
        .flat_map(|configuration| &configuration.findings)
        .count();
    let Totals {
        errors,
        warnings,
        notes,
    } = report.totals;
    assert_eq!(errors + warnings + notes, all);
    assert!(errors > 0 && warnings > 0 && notes > 0);
}

/// The schema that OASIS publishes, as the crate that writes SARIF was generated from it.
fn sarif_schema() -> Value {
    let metadata = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--filter-platform",
            "host-tuple",
            "--manifest-path",
        ])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages
        .iter()
        .find(|package| package["name"] == "serde-sarif")
        .unwrap();
    let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
    let schema = manifest.with_file_name("src").join("schema.json");
    let mut schema: Value = serde_json::from_slice(&std::fs::read(schema).unwrap()).unwrap();
    // As published, the pattern of this property has an unmatched bracket and is no regular expression.
    for part in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][part]["properties"]["language"];
        language.as_object_mut().unwrap().remove("pattern");
    }
    schema
}

#[test]
fn sarif_validates_against_the_schema_of_sarif() {
    let schema = sarif_schema();
    assert_eq!(errors(&schema, &as_sarif()), Vec::<String>::new());
    let mut wrong = as_sarif();
    wrong["runs"][0]["results"][0]["level"] = "fatal".into();
    assert_ne!(errors(&schema, &wrong), Vec::<String>::new());
}

#[test]
fn sarif_has_what_code_scanners_show() {
    let sarif = as_sarif();
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    assert_eq!(run["tool"]["driver"]["version"], "1.2.3");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(result["ruleId"], rules[index]["id"]);
    }
    let location = &run["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(location["artifactLocation"]["uri"], "my%20ice/%C3%BC.json");
    assert!(location["region"]["startLine"].is_u64(), "{location}");
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(
        invocation["toolExecutionNotifications"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
