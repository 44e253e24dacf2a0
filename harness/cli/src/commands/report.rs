//! `farcall report`: a report of stored runs.

mod outlet;

pub(crate) use outlet::Outlet;

use crate::args::ReportArgs;
use crate::exit::{Exit, Failure};
use farcall_report::{StoredRun, run_directories};

pub(crate) fn report(args: &ReportArgs) -> Result<Exit, Failure> {
    // A path that cannot be written fails before anything is read.
    let outlet = Outlet::open(args.format, args.out.as_deref())?;
    let directories = run_directories(&args.directories).map_err(Failure::usage)?;
    let runs = directories
        .iter()
        .map(|directory| StoredRun::load(directory));
    let runs = runs.collect::<Result<Vec<_>, _>>();
    outlet.write(&runs.map_err(Failure::usage)?, args.peer.as_deref())?;
    Ok(Exit::Passed)
}
