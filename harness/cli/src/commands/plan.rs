//! `farcall plan`: everything the lab would be.

use crate::args::LabArgs;
use crate::exit::{Exit, Failure};
use crate::input;
use crate::output;
use std::path::Path;

pub(crate) fn plan(args: &LabArgs, scenarios: Option<&Path>) -> Result<Exit, Failure> {
    let scenario = input::scenario(&args.scenario, scenarios)?;
    let ice = input::ice(&args.ice)?;
    let plan = farcall_plan::plan(&scenario, &ice, args.seed).map_err(Failure::plan)?;
    output::line(&plan)?;
    Ok(Exit::Passed)
}
