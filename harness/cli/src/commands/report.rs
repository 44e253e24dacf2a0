//! `farcall report`: a report of stored runs.

mod outlet;

pub(crate) use outlet::Outlet;

use crate::args::ReportArgs;
use crate::exit::{Exit, Failure};
use farcall_report::{Call, StoredRun, run_directories};
use std::path::PathBuf;

pub(crate) fn report(args: &ReportArgs) -> Result<Exit, Failure> {
    // A path that cannot be written fails before anything is read.
    let outlet = Outlet::open(args.format, args.out.as_deref())?;
    let runs = stored_runs(&args.directories)?;
    let calls: Vec<Call> = runs.into_iter().map(Call::from).collect();
    outlet.write(&calls, args.peer.as_deref())?;
    Ok(Exit::Passed)
}

/// The runs in these directories, each a run's own or one that holds several.
pub(crate) fn stored_runs(named: &[PathBuf]) -> Result<Vec<StoredRun>, Failure> {
    let directories = run_directories(named).map_err(Failure::usage)?;
    let runs = directories
        .iter()
        .map(|directory| StoredRun::load(directory));
    runs.collect::<Result<_, _>>().map_err(Failure::usage)
}
