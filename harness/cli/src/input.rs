//! Scenarios and ICE configurations as the command line names them.

use crate::args::{EachIceArgs, IceArgs, SelectionArgs, ShippedConfiguration};
use crate::exit::Failure;
use farcall_scenario::{IceConfiguration, InputError, Scenario};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A scenario by name or path.
pub(crate) fn scenario(name: &str, scenarios: Option<&Path>) -> Result<Scenario, Failure> {
    Scenario::find(name, scenarios).map_err(|error| Failure::Usage(error.into()))
}

/// Where an ICE configuration is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IceSource {
    /// In a file of the user's.
    File {
        /// The file.
        path: PathBuf,
        /// What the configuration is called in it, where that is said.
        chosen: Option<String>,
    },
    /// In farcall itself.
    Shipped(ShippedConfiguration),
}

impl IceSource {
    /// A file, or `FILE#NAME`: the configuration of that name in it. A file that is really called so comes first.
    fn file(named: &Path) -> Self {
        let text = named.to_str().filter(|_| !named.exists());
        match text.and_then(|text| text.rsplit_once('#')) {
            Some((path, name)) if !path.is_empty() && !name.is_empty() => Self::File {
                path: path.into(),
                chosen: Some(name.to_owned()),
            },
            _ => Self::File {
                path: named.to_owned(),
                chosen: None,
            },
        }
    }

    /// Reads it as runs do.
    fn load(&self) -> Result<IceConfiguration, Failure> {
        match self {
            Self::File { path, chosen } => match chosen {
                None => IceConfiguration::load(path),
                Some(chosen) => IceConfiguration::load_named(path, chosen),
            }
            .map_err(|error| Failure::Usage(error.into())),
            Self::Shipped(configuration) => Ok(shipped(*configuration)),
        }
    }

    /// What it is called in messages.
    pub fn name(&self) -> String {
        match self {
            Self::File { path, .. } => path.display().to_string(),
            Self::Shipped(configuration) => shipped(*configuration).name,
        }
    }

    /// Its text, whether a run can read it or not.
    pub fn text(&self) -> Result<String, InputError> {
        match self {
            Self::File { path, .. } => farcall_scenario::read_text(path),
            Self::Shipped(_) => {
                let json = IceConfiguration::shipped_json(&self.name());
                Ok(json.unwrap_or_default().to_owned())
            }
        }
    }
}

/// The ICE configuration that the arguments choose, by default that of the production guide.
pub(crate) fn ice(args: &IceArgs) -> Result<IceConfiguration, Failure> {
    ice_source(args, ShippedConfiguration::Production).load()
}

/// The ICE configuration that the arguments choose, and where it is.
pub(crate) fn ice_or(
    args: &IceArgs,
    default: ShippedConfiguration,
) -> Result<(IceConfiguration, IceSource), Failure> {
    let source = ice_source(args, default);
    Ok((source.load()?, source))
}

fn ice_source(args: &IceArgs, default: ShippedConfiguration) -> IceSource {
    match &args.file {
        Some(path) => IceSource::file(path),
        None => IceSource::Shipped(args.config.unwrap_or(default)),
    }
}

/// Where the ICE configurations are that the arguments choose: files, then those that ship.
pub(crate) fn ice_sources(files: &[PathBuf], configs: &[ShippedConfiguration]) -> Vec<IceSource> {
    let files = files.iter().map(|path| IceSource::file(path));
    files
        .chain(configs.iter().copied().map(IceSource::Shipped))
        .collect()
}

/// The ICE configurations that the arguments choose, and where each is.
pub(crate) fn each_ice(
    args: &EachIceArgs,
) -> Result<(Vec<IceConfiguration>, Vec<IceSource>), Failure> {
    let mut sources = ice_sources(&args.files, &args.shipped.configs);
    if sources.is_empty() {
        sources.push(IceSource::Shipped(ShippedConfiguration::default()));
    }
    let all = sources.iter().map(IceSource::load);
    let all = all.collect::<Result<Vec<_>, _>>()?;
    let mut names = BTreeSet::new();
    match all.iter().find(|one| !names.insert(one.name.as_str())) {
        Some(twice) => Err(Failure::Usage(miette::miette!(
            help = "results tell configurations apart by name: rename a file, or name each once",
            "two ICE configurations are called {}",
            twice.name
        ))),
        None => Ok((all, sources)),
    }
}

/// Whether a scenario can be planned with each configuration, but for what no lab can have of it: a run tells of that.
pub(crate) fn plan_each(
    scenario: &Scenario,
    configurations: &[IceConfiguration],
    seed: u64,
) -> Result<(), Failure> {
    configurations.iter().try_for_each(|ice| {
        let unsupported = farcall_plan::unsupported(ice);
        let possible = unsupported.as_ref().map_or(ice, |found| &found.rest);
        let plan = farcall_plan::plan(scenario, possible, seed);
        plan.map(|_| ()).map_err(Failure::usage)
    })
}

fn shipped(configuration: ShippedConfiguration) -> IceConfiguration {
    match configuration {
        ShippedConfiguration::Production => IceConfiguration::production(),
        ShippedConfiguration::Development => IceConfiguration::development(),
        ShippedConfiguration::UdpOnly => IceConfiguration::udp_only(),
        ShippedConfiguration::WithTls => IceConfiguration::with_tls(),
        ShippedConfiguration::Libwebrtc => IceConfiguration::libwebrtc(),
    }
}

/// The scenarios that were named, then those that all of `--all`, `--tag` and `--filter` choose; each once.
pub(crate) fn selected(
    args: &SelectionArgs,
    directory: Option<&Path>,
) -> Result<Vec<Scenario>, Failure> {
    let mut selected = scenarios(&args.scenarios, directory)?;
    if args.all || !args.tags.is_empty() || args.filter.is_some() {
        let all = Scenario::all(directory).map_err(|error| Failure::Usage(error.into()))?;
        let chosen = choose(all, &args.tags, args.filter.as_deref());
        if chosen.is_empty() {
            return Err(Failure::Usage(miette::miette!(
                help = "see the names with `farcall list`, and the tags with `farcall list --json`",
                "no scenario has the tag and name that were asked for"
            )));
        }
        let is_new = |scenario: &Scenario| selected.iter().all(|one| one.name != scenario.name);
        let new: Vec<Scenario> = chosen.into_iter().filter(is_new).collect();
        selected.extend(new);
    }
    Ok(selected)
}

/// Those with any of the tags, if there are any, and with the text in their name.
fn choose(all: Vec<Scenario>, tags: &[String], filter: Option<&str>) -> Vec<Scenario> {
    let is_chosen = |scenario: &Scenario| {
        let is_tagged = tags.is_empty() || scenario.tags.iter().any(|tag| tags.contains(tag));
        is_tagged && filter.is_none_or(|text| scenario.name.contains(text))
    };
    all.into_iter().filter(is_chosen).collect()
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::args::ShippedArgs;
    use clap::ValueEnum;

    fn names(scenarios: &[Scenario]) -> Vec<&str> {
        scenarios.iter().map(|one| one.name.as_str()).collect()
    }

    #[test]
    fn tags_choose_any_of_them_and_the_text_narrows() {
        let all = Scenario::all(None).unwrap();
        let tags = ["corporate".to_owned(), "direct".to_owned()];
        let tagged = choose(all.clone(), &tags, None);
        assert!(names(&tagged).contains(&"home-to-home"));
        assert!(names(&tagged).contains(&"corporate-firewall"));
        assert!(!names(&tagged).contains(&"mobile-hotspot"));
        let narrowed = choose(all.clone(), &tags, Some("home"));
        assert!(names(&narrowed).contains(&"home-to-home"));
        assert!(!names(&narrowed).contains(&"corporate-firewall"));
        assert_eq!(choose(all.clone(), &[], None).len(), all.len());
    }

    #[test]
    fn what_is_named_comes_first_and_once() {
        let args = SelectionArgs {
            scenarios: vec!["same-network".to_owned()],
            all: true,
            tags: Vec::new(),
            filter: Some("network".to_owned()),
        };
        let selected = selected(&args, None).unwrap();
        let names = names(&selected);
        assert_eq!(names.first(), Some(&"same-network"));
        assert_eq!(
            names.iter().filter(|name| **name == "same-network").count(),
            1
        );
    }

    #[test]
    fn without_a_choice_the_configuration_is_the_guides() {
        let chosen = |configs: &[ShippedConfiguration]| {
            let args = EachIceArgs {
                files: Vec::new(),
                shipped: ShippedArgs {
                    configs: configs.to_vec(),
                },
            };
            let all = each_ice(&args).map_err(|_| "a usage error");
            all.map(|(all, _)| all.into_iter().map(|one| one.name).collect::<Vec<_>>())
        };
        use ShippedConfiguration::{Production, WithTls};
        assert_eq!(chosen(&[]), Ok(vec!["production".to_owned()]));
        let both = Ok(vec!["with-tls".to_owned(), "production".to_owned()]);
        assert_eq!(chosen(&[WithTls, Production]), both);
        assert_eq!(chosen(&[WithTls, WithTls]), Err("a usage error"));
    }

    #[test]
    fn a_configuration_is_chosen_after_the_files_name() {
        let chosen = |named: &str| match IceSource::file(Path::new(named)) {
            IceSource::File { path, chosen } => (path.display().to_string(), chosen),
            IceSource::Shipped(_) => panic!("no file"),
        };
        let of = |path: &str, name: Option<&str>| (path.to_owned(), name.map(str::to_owned));
        assert_eq!(
            chosen("a/ice.ts#getConfig"),
            of("a/ice.ts", Some("getConfig"))
        );
        assert_eq!(chosen("ice.json"), of("ice.json", None));
        assert_eq!(chosen("ice.json#"), of("ice.json#", None));
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ice#1.json");
        std::fs::write(&path, "{}").unwrap();
        let named = path.to_str().unwrap();
        assert_eq!(chosen(named), of(named, None));
    }

    #[test]
    fn what_no_lab_can_have_is_for_the_run_to_tell_and_a_mistake_is_not() {
        let text = r#"[{ "urls": ["turn:[2001:db8::7]", "turn:HOST"], "username": "u", "credential": "c" }]"#;
        let scenario = Scenario::builtin("same-network").unwrap();
        let planned = |host: &str| {
            let text = text.replace("HOST", host);
            let ice = IceConfiguration::parse("ice.json", &text).unwrap();
            plan_each(&scenario, &[ice], 1)
        };
        assert!(planned("turn.example.net").is_ok());
        // The probe has it.
        assert!(matches!(planned("203.0.113.3"), Err(Failure::Usage(_))));
    }

    #[test]
    fn each_configuration_that_ships_has_a_text() {
        for configuration in ShippedConfiguration::value_variants() {
            let text = IceSource::Shipped(*configuration).text().unwrap();
            assert!(text.contains("iceServers"), "{configuration:?}");
        }
    }

    #[test]
    fn a_choice_of_nothing_is_an_error() {
        let args = SelectionArgs {
            scenarios: Vec::new(),
            all: false,
            tags: vec!["no-such-tag".to_owned()],
            filter: None,
        };
        assert!(matches!(selected(&args, None), Err(Failure::Usage(_))));
    }
}
