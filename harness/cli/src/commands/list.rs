//! `farcall list`: the scenarios.

use crate::exit::{Exit, Failure};
use crate::output;
use farcall_scenario::Scenario;
use serde::Serialize;
use std::path::Path;

/// A row of `farcall list --json`.
#[derive(Serialize)]
struct Row<'a> {
    name: &'a str,
    description: &'a str,
    tags: &'a [String],
}

pub(crate) fn list(json: bool, scenarios: Option<&Path>) -> Result<Exit, Failure> {
    let all = Scenario::all(scenarios).map_err(|error| Failure::Usage(error.into()))?;
    if json {
        let rows: Vec<Row<'_>> = all
            .iter()
            .map(|scenario| Row {
                name: &scenario.name,
                description: &scenario.description,
                tags: &scenario.tags,
            })
            .collect();
        let text = serde_json::to_string_pretty(&rows).map_err(Failure::infrastructure)?;
        output::line(&text)?;
        return Ok(Exit::Passed);
    }
    let width = all.iter().map(|scenario| scenario.name.len()).max();
    let width = width.unwrap_or_default();
    for scenario in &all {
        output::line(format_args!(
            "{:width$}  {}",
            scenario.name, scenario.description
        ))?;
    }
    Ok(Exit::Passed)
}
