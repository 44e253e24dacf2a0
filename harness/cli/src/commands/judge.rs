//! `farcall judge`: judge stored runs again, without Docker.

use super::run::is_coloured;
use crate::args::JudgeArgs;
use crate::exit::{Exit, Failure};
use crate::output;
use farcall_report::{Json, Report, StoredRun, Terminal};

pub(crate) fn judge(args: &JudgeArgs) -> Result<Exit, Failure> {
    // Every directory is read before anything is said, so that a wrong one spoils no output.
    let loaded: Result<Vec<StoredRun>, _> =
        args.runs.iter().map(|path| StoredRun::load(path)).collect();
    let runs = loaded.map_err(Failure::usage)?;
    for run in &runs {
        output::with(|out| {
            if args.json {
                return Json.render(run, out);
            }
            let colour = is_coloured();
            Terminal { colour }.render(run, out)
        })?;
        if !run.is_as_stored().map_err(Failure::usage)? {
            output::note(format_args!(
                "{} was judged otherwise when it ran, or its directory was changed since; its result.json is as it was",
                run.directory.display()
            ));
        }
    }
    let verdicts: Vec<_> = runs.iter().map(|run| run.result.verdict).collect();
    Ok(Exit::of_verdicts(&verdicts))
}
