//! The pages of the documentation.

use super::of;
use super::produced::each;
use std::path::Path;

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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut wrong = Vec::new();
    for (cause, sample) in each() {
        let path = root.join(cause.page());
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
        if std::env::var_os("FARCALL_UPDATE").is_some() {
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
