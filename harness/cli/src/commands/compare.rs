//! `farcall compare`: what changed from stored runs to others, without Docker.

use super::report::stored_runs;
use super::run::is_coloured;
use crate::args::{CompareArgs, CompareFormat};
use crate::exit::{Exit, Failure};
use crate::output;
use farcall_report::{Comparison, ComparisonText, comparison_markdown};

pub(crate) fn compare(args: &CompareArgs) -> Result<Exit, Failure> {
    let before = stored_runs(std::slice::from_ref(&args.before))?;
    let after = stored_runs(std::slice::from_ref(&args.after))?;
    let comparison = farcall_report::compare(&before, &after);
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

#[cfg(test)]
mod tests {
    use super::*;
    use farcall_report::{Change, Direction, Group, Kind, Runs, Side, Subject, compare};
    use farcall_scenario::IceTransportPolicy;

    fn side() -> Side {
        Side::Words {
            runs_by_word: [("PASS".to_owned(), 1)].into(),
        }
    }

    /// A scenario of which so many runs are known after, with a change.
    fn group(known: usize, direction: Option<Direction>) -> Group {
        let passed = |pass| Runs {
            pass,
            ..Runs::default()
        };
        let change = direction.map(|direction| Change {
            direction,
            kind: Kind::Verdict,
            what: String::new(),
            before: side(),
            after: side(),
        });
        Group {
            subject: Subject {
                scenario: "home-to-home".to_owned(),
                ice_configuration: "production".to_owned(),
                policy: IceTransportPolicy::All,
            },
            before: passed(1),
            after: passed(known),
            changes: change.into_iter().collect(),
        }
    }

    fn exit_of(groups: &[Group]) -> Exit {
        exit(&Comparison {
            groups: groups.to_vec(),
            ..compare(&[], &[])
        })
    }

    #[test]
    fn only_what_got_worse_fails() {
        for direction in [None, Some(Direction::Better), Some(Direction::Other)] {
            assert_eq!(exit_of(&[group(1, direction)]), Exit::Passed);
        }
        assert_eq!(exit_of(&[group(1, Some(Direction::Worse))]), Exit::Failed);
    }

    #[test]
    fn what_is_not_known_is_no_pass_and_no_failure() {
        let unknown = group(0, None);
        assert_eq!(
            exit_of(&[group(1, None), unknown.clone()]),
            Exit::Infrastructure
        );
        let worse = group(1, Some(Direction::Worse));
        assert_eq!(exit_of(&[unknown, worse]), Exit::Failed);
    }
}
