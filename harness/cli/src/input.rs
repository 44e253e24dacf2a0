//! Scenarios and ICE configurations as the command line names them.

use crate::args::{IceArgs, ShippedConfiguration};
use crate::exit::Failure;
use farcall_scenario::{IceConfiguration, Scenario};
use std::path::Path;

/// A scenario by name or path.
pub(crate) fn scenario(name: &str, scenarios: Option<&Path>) -> Result<Scenario, Failure> {
    Scenario::find(name, scenarios).map_err(|error| Failure::Usage(error.into()))
}

/// The ICE configuration that the arguments choose.
pub(crate) fn ice(args: &IceArgs) -> Result<IceConfiguration, Failure> {
    match (&args.file, args.config) {
        (Some(path), _) => {
            IceConfiguration::load(path).map_err(|error| Failure::Usage(error.into()))
        }
        (None, ShippedConfiguration::Production) => Ok(IceConfiguration::production()),
        (None, ShippedConfiguration::Development) => Ok(IceConfiguration::development()),
    }
}

/// All scenarios that were named; every one is read, so that all mistakes show at once.
pub(crate) fn scenarios(
    names: &[String],
    scenarios: Option<&Path>,
) -> Result<Vec<Scenario>, Failure> {
    let mut read = Vec::new();
    let mut failures = Vec::new();
    for name in names {
        match scenario(name, scenarios) {
            Ok(scenario) => read.push(scenario),
            Err(failure) => failures.push(failure),
        }
    }
    let Some(last) = failures.pop() else {
        return Ok(read);
    };
    for failure in failures {
        failure.print();
    }
    Err(last)
}
