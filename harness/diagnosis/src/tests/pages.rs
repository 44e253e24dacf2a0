//! The pages of the documentation.

use super::of;
use super::produced::each;
use crate::Cause;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Nobody reads a page while it is written.
static PAGES: Mutex<()> = Mutex::new(());

/// Begins the table of all causes in the index.
const INDEX_HEADING: &str = "| cause | what is the matter |\n|---|---|\n";

/// What each page has, in this order.
const SECTIONS: [&str; 4] = [
    "## What it means",
    "## How it looks",
    "## What to do",
    "## In Chrome",
];

/// With `FARCALL_UPDATE=1` in the environment, writes the examples into the pages instead.
#[test]
fn every_cause_has_a_page_with_what_is_printed_of_it() {
    let _alone = PAGES.lock();
    let mut wrong = Vec::new();
    for (cause, sample) in each() {
        let path = repository().join(cause.page());
        let page = std::fs::read_to_string(&path).unwrap_or_default();
        let diagnosis = of(&sample).unwrap();
        let mut example = format!("cause   {cause}\n        {}\n", diagnosis.summary);
        for (index, evidence) in diagnosis.evidence.iter().enumerate() {
            let heading = if index == 0 { "seen    " } else { "        " };
            example += &format!("{heading}{evidence}\n");
        }
        example += &format!("do      {}\n", diagnosis.next_step);
        let begun = page.split_once("```text\n");
        let parts = begun.and_then(|(before, rest)| Some((before, rest.split_once("```\n")?)));
        let Some((before, (printed, after))) = parts else {
            wrong.push(format!("{}: no example", path.display()));
            continue;
        };
        if is_update() {
            let page = format!("{before}```text\n{}```\n{after}", wrapped(&example));
            std::fs::write(&path, page).unwrap();
        } else if printed != wrapped(&example) {
            wrong.push(format!(
                "{}: the example is out of date: FARCALL_UPDATE=1 cargo test -p farcall-diagnosis",
                path.display()
            ));
        }
        let mut place = 0;
        for section in SECTIONS {
            match page[place..].find(section) {
                Some(at) => place += at,
                None => wrong.push(format!(
                    "{}: no section {section} in its place",
                    path.display()
                )),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// In the order of the rules, each with what its page says first. With `FARCALL_UPDATE=1` in the environment, writes the
/// table instead.
#[test]
fn the_index_has_every_cause_in_its_order() {
    let _alone = PAGES.lock();
    let path = repository().join("docs/causes/README.md");
    let index = std::fs::read_to_string(&path).unwrap();
    let rows = Cause::all().map(|cause| {
        let page = std::fs::read_to_string(repository().join(cause.page())).unwrap_or_default();
        let begun = page.strip_prefix(&format!("# `{cause}`\n\n"));
        let matter = begun.and_then(|rest| rest.lines().next());
        let matter = matter.unwrap_or_else(|| panic!("{}: no title and matter", cause.page()));
        format!("| [{cause}]({cause}.md) | {matter} |\n")
    });
    let rows: String = rows.collect();
    let (before, table) = index.split_once(INDEX_HEADING).unwrap();
    if is_update() {
        std::fs::write(&path, format!("{before}{INDEX_HEADING}{rows}")).unwrap();
    } else {
        let stale = "the table is out of date: FARCALL_UPDATE=1 cargo test -p farcall-diagnosis";
        assert!(table == rows, "{}: {stale}", path.display());
    }
}

/// The table of symptoms is written by hand.
#[test]
fn the_index_leads_to_pages_that_there_are_and_from_a_symptom_to_all_but_the_labs_own() {
    let _alone = PAGES.lock();
    let index = std::fs::read_to_string(repository().join("docs/causes/README.md")).unwrap();
    let (symptoms, _) = index.split_once(INDEX_HEADING).unwrap();
    let links = symptoms.split("](").skip(1);
    let links = links.filter_map(|rest| rest.split_once(".md)").map(|(name, _)| name));
    let linked: Vec<&str> = links.collect();
    for name in &linked {
        let is_known = Cause::all().any(|cause| cause.name() == *name);
        assert!(is_known, "{name} is no cause");
    }
    // What is told of the lab, the scenario or the evidence is nothing that a user sees.
    let own = [
        Cause::MachineUnsupported,
        Cause::ConfigurationUnsupported,
        Cause::LabInvalid,
        Cause::ExpectationDiffers,
        Cause::Undecided,
    ];
    for cause in Cause::all().filter(|cause| !own.contains(cause)) {
        assert!(
            linked.contains(&cause.name()),
            "no symptom leads to {cause}"
        );
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Whether files are to be written instead of compared.
fn is_update() -> bool {
    std::env::var_os("FARCALL_UPDATE").is_some()
}

/// Lines of at most 100 columns, as a terminal has them.
fn wrapped(example: &str) -> String {
    let lines = example.lines().map(|line| {
        let heading = line.get(..8).unwrap_or_default();
        let options = textwrap::Options::new(100)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .initial_indent(heading)
            .subsequent_indent("        ");
        textwrap::fill(line.get(8..).unwrap_or_default(), options)
    });
    lines.map(|line| line + "\n").collect()
}
