//! The scenarios that come with farcall, and finding one by name.

use crate::model::Scenario;
use crate::problem::{InputError, Problems};
use crate::read::did_you_mean;
use crate::scenario::scenario_name;
use include_dir::{Dir, include_dir};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where the scenarios that come with farcall are in its repository.
const DIRECTORY: &str = "scenarios";

static SCENARIOS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../scenarios");

impl Scenario {
    /// A scenario that comes with farcall.
    #[must_use]
    pub fn builtin(name: &str) -> Option<Self> {
        builtin(name)?.ok()
    }

    /// The names of the scenarios that come with farcall, in alphabetical order.
    #[must_use]
    pub fn builtin_names() -> Vec<&'static str> {
        let paths = SCENARIOS.files().filter_map(|file| file.path().to_str());
        let mut names: Vec<_> = paths
            .filter_map(|path| path.strip_suffix(".toml"))
            .collect();
        names.sort_unstable();
        names
    }

    /// A scenario by name or path. What ends in `.toml` or has a directory in it is a path. A name is
    /// looked for in `scenarios_dir` first, then among those that come with farcall.
    ///
    /// # Errors
    /// When there is none, or its file cannot be read or is wrong.
    pub fn find(name_or_path: &str, scenarios_dir: Option<&Path>) -> Result<Self, InputError> {
        if Self::is_path(name_or_path) {
            return Self::load(Path::new(name_or_path));
        }
        let own = own_files(scenarios_dir)?;
        if let Some(path) = own.get(name_or_path) {
            return Self::load(path);
        }
        if let Some(scenario) = builtin(name_or_path) {
            return Ok(scenario?);
        }
        let names = own.keys().map(String::as_str).chain(Self::builtin_names());
        let names: Vec<&str> = names.collect();
        Err(InputError::UnknownScenario {
            name: name_or_path.to_owned(),
            hint: did_you_mean(name_or_path, names.iter().copied()),
        })
    }

    /// Whether a scenario is named by its path: it ends in `.toml` or has a directory in it.
    #[must_use]
    pub fn is_path(name_or_path: &str) -> bool {
        name_or_path.ends_with(".toml") || Path::new(name_or_path).components().count() > 1
    }

    /// All scenarios of `scenarios_dir` and those that come with farcall, in alphabetical order. One
    /// of the directory stands in for one of the same name that comes with farcall.
    ///
    /// # Errors
    /// When the directory or any of its files cannot be read or is wrong; with all of them.
    pub fn all(scenarios_dir: Option<&Path>) -> Result<Vec<Self>, InputError> {
        let own = own_files(scenarios_dir)?;
        let mut all = BTreeMap::new();
        let mut errors = Vec::new();
        let builtin = Self::builtin_names()
            .into_iter()
            .filter(|name| !own.contains_key(*name));
        let builtin = builtin.filter_map(builtin_scenario);
        let own = own.values().map(|path| Self::load(path));
        for scenario in builtin.chain(own) {
            match scenario {
                Ok(scenario) => {
                    all.insert(scenario.name.clone(), scenario);
                }
                Err(error) => errors.push(error),
            }
        }
        match errors.pop() {
            None => Ok(all.into_values().collect()),
            Some(only) if errors.is_empty() => Err(only),
            Some(last) => {
                errors.push(last);
                Err(InputError::Several(errors))
            }
        }
    }
}

fn builtin(name: &str) -> Option<Result<Scenario, Problems>> {
    let file = SCENARIOS.get_file(format!("{name}.toml"))?;
    let parsed = Scenario::parse(name, file.contents_utf8()?);
    Some(parsed.map(|mut scenario| {
        if let Some(written) = &mut scenario.written {
            written.file = format!("{DIRECTORY}/{name}.toml");
        }
        scenario
    }))
}

fn builtin_scenario(name: &str) -> Option<Result<Scenario, InputError>> {
    builtin(name).map(|scenario| scenario.map_err(InputError::from))
}

/// The scenario files of a directory, by name.
fn own_files(directory: Option<&Path>) -> Result<BTreeMap<String, PathBuf>, InputError> {
    let Some(directory) = directory else {
        return Ok(BTreeMap::new());
    };
    let unreadable = |source| InputError::Unreadable {
        path: directory.to_owned(),
        source,
    };
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            files.insert(scenario_name(&path.to_string_lossy()), path);
        }
    }
    Ok(files)
}
