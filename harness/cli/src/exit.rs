//! Exit codes, and failures that end a command.

use crate::output;
use farcall_plan::PlanError;
use farcall_verdict::Verdict;
use std::process::ExitCode;

/// What the process says when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: everything passed.
    Passed,
    /// 1: at least one scenario failed.
    Failed,
    /// 2: wrong usage, or an invalid scenario or ICE file.
    Usage,
    /// 3: at least one INVALID or UNSUPPORTED run and none that failed, or no lab can have what the ICE configuration
    /// asks for, or Docker is not usable.
    Infrastructure,
    /// 130: interrupted by a signal.
    Interrupted,
    /// The exit status of a command that was run in a node.
    Other(u8),
}

impl Exit {
    /// The exit of several runs together: that of the gravest.
    pub(crate) fn of_verdicts(verdicts: &[Verdict]) -> Self {
        let gravest = verdicts.iter().max_by_key(|verdict| match verdict {
            Verdict::Pass => 0,
            Verdict::Invalid | Verdict::Unsupported => 1,
            Verdict::Fail => 2,
        });
        match gravest {
            None | Some(Verdict::Pass) => Self::Passed,
            Some(Verdict::Invalid | Verdict::Unsupported) => Self::Infrastructure,
            Some(Verdict::Fail) => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Passed => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Infrastructure => 3,
            Exit::Interrupted => 130,
            Exit::Other(code) => code,
        })
    }
}

/// Why a command ended without doing what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The user's files or arguments.
    Usage(miette::Report),
    /// Docker, the images, the disk.
    Infrastructure(miette::Report),
    /// A signal, of which nothing needs to be said.
    Interrupted,
}

impl Failure {
    pub(crate) fn usage(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Usage(miette::Report::msg(describe(&error)))
    }

    pub(crate) fn infrastructure(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Infrastructure(miette::Report::msg(describe(&error)))
    }

    /// A lab cannot be planned. That no lab can have what the ICE configuration asks for is nobody's mistake.
    pub(crate) fn plan(error: PlanError) -> Self {
        match error {
            PlanError::Unsupported { .. } => Self::infrastructure(error),
            _ => Self::usage(error),
        }
    }

    pub(crate) fn print(&self) {
        match self {
            Self::Usage(report) | Self::Infrastructure(report) => {
                output::note(format_args!("{report:?}"));
            }
            Self::Interrupted => {}
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Infrastructure(_) => Exit::Infrastructure,
            Self::Interrupted => Exit::Interrupted,
        }
    }
}

/// Standard output that cannot be written, or another file that the command itself writes.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::infrastructure(error)
    }
}

/// An error with all its causes, each said once.
fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_outranks_an_invalid_run() {
        let exit = Exit::of_verdicts(&[Verdict::Pass, Verdict::Invalid, Verdict::Fail]);
        assert_eq!(exit, Exit::Failed);
    }

    #[test]
    fn an_invalid_run_is_no_pass() {
        assert_eq!(
            Exit::of_verdicts(&[Verdict::Pass, Verdict::Invalid]),
            Exit::Infrastructure
        );
    }

    #[test]
    fn a_network_that_cannot_be_built_here_is_no_pass() {
        for others in [[Verdict::Pass; 2], [Verdict::Invalid; 2]] {
            let verdicts = [others[0], Verdict::Unsupported, others[1]];
            assert_eq!(Exit::of_verdicts(&verdicts), Exit::Infrastructure);
        }
        assert_eq!(
            Exit::of_verdicts(&[Verdict::Unsupported, Verdict::Fail, Verdict::Unsupported]),
            Exit::Failed
        );
    }

    #[test]
    fn what_no_lab_can_have_exits_as_an_unsupported_run_does() {
        let unsupported = PlanError::Unsupported {
            configuration: "ice".to_owned(),
            reason: "turn:[2001:db8::7]: write a host name".to_owned(),
        };
        let exit = Failure::plan(unsupported).exit();
        assert_eq!(exit, Exit::of_verdicts(&[Verdict::Unsupported]));
        let mistake = Failure::plan(PlanError::PeerCount { found: 1 });
        assert_eq!(mistake.exit(), Exit::Usage);
    }

    #[test]
    fn an_interruption_exits_with_130() {
        assert_eq!(Failure::Interrupted.exit(), Exit::Interrupted);
    }

    #[test]
    fn runs_that_all_pass_pass() {
        assert_eq!(Exit::of_verdicts(&[Verdict::Pass]), Exit::Passed);
    }
}
