//! `docs/lint.md` and the schema are generated from the code, so that they cannot differ.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{ContentArrangement, Table};
use farcall_lint::{Rule, schema};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/lint.md");
const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/lint.schema.json");

/// With `FARCALL_UPDATE=1` in the environment, writes the file instead.
fn assert_is_up_to_date(file: &str, text: &str) {
    if std::env::var_os("FARCALL_UPDATE").is_some() {
        std::fs::write(file, text).unwrap();
    }
    let written = std::fs::read_to_string(file).unwrap_or_default();
    assert!(
        written == text,
        "{file} is out of date: FARCALL_UPDATE=1 cargo test -p farcall-lint"
    );
}

#[test]
fn the_page_of_rules_is_what_the_rules_say() {
    let mut table = Table::new();
    table
        .load_style(ASCII_MARKDOWN)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(["rule", "severity", "what it says", "why"]);
    for rule in Rule::ALL {
        let about = rule.about();
        let severity = about.severity.to_string();
        table.add_row([&format!("`{rule}`"), &severity, about.says, about.why]);
    }
    let page = format!(
        "# Rules of `farcall lint`\n\n\
         What can be said of an ICE configuration without any network. An error: browsers refuse the \
         configuration, or it relays nothing. A warning: there is a network in which calls fail for it. A \
         note: worth knowing. The names are stable. This page is generated from the code and tested against \
         it.\n\n{table}\n"
    );
    assert_is_up_to_date(PAGE, &page);
}

#[test]
fn the_schema_in_the_repository_is_up_to_date() {
    let text = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    assert_is_up_to_date(SCHEMA, &text);
}
