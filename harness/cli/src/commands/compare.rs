//! `farcall compare`: what changed from stored runs to others, without Docker.

use super::report::stored_runs;
use super::run::is_coloured;
use crate::args::{CompareArgs, CompareFormat};
use crate::exit::{Exit, Failure};
use crate::output;
use farcall_report::{Comparison, ComparisonText, comparison_markdown};

pub(crate) fn compare(args: &CompareArgs) -> Result<Exit, Failure> {
    let [before, after] = [&args.before, &args.after].map(|path| stored_runs(&[path.clone()]));
    let comparison = farcall_report::compare(&before?, &after?);
    if comparison.groups.is_empty() {
        return Err(Failure::Usage(miette::miette!(
            help = "name two directories of runs of the same scenario with the same ICE configuration; `farcall report \
                    DIR` says what is in one",
            "there is nothing to compare: no scenario was run with the same ICE configuration in {} and in {}",
            args.before.display(),
            args.after.display()
        )));
    }
    output::with(|out| match args.format {
        CompareFormat::Text => {
            let colour = is_coloured();
            ComparisonText { colour }.render(&comparison, out)
        }
        CompareFormat::Markdown => comparison_markdown(&comparison, out),
        CompareFormat::Json => {
            serde_json::to_writer_pretty(&mut *out, &comparison)?;
            out.write_all(b"\n")
        }
    })?;
    Ok(exit(&comparison))
}

/// What got worse is told by 1, even where something else is not known.
fn exit(comparison: &Comparison) -> Exit {
    match (comparison.is_worse(), comparison.is_known()) {
        (true, _) => Exit::Failed,
        (false, true) => Exit::Passed,
        (false, false) => Exit::Infrastructure,
    }
}
