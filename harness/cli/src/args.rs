//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Mobile hotspots and corporate firewalls on one machine: does our call connect and carry media
/// there?
#[derive(Debug, Parser)]
#[command(name = "farcall", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Also look for scenarios in this directory, before the built-in ones.
    #[arg(
        long = "scenarios",
        global = true,
        value_name = "DIR",
        env = "FARCALL_SCENARIOS"
    )]
    pub scenarios_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Place a call in each scenario and judge it.
    Run(RunArgs),
    /// List the scenarios.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print everything the lab would be: nodes, addresses, routes, rules, servers. Needs no Docker.
    Plan(LabArgs),
    /// Raise a lab without a call and leave it standing.
    Up(LabArgs),
    /// Run a command in a node of the lab that is up.
    Exec {
        /// The session of the lab, where several are up.
        #[arg(long)]
        session: Option<String>,
        /// The node, as `farcall plan` names it.
        node: String,
        /// The command and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Remove the labs that are up.
    Down {
        /// Only the lab of this session.
        #[arg(long)]
        session: Option<String>,
    },
    /// List, then remove, whatever any earlier run left in Docker.
    Clean,
    /// Examine whether this machine can run labs, and say what to do where it cannot.
    Doctor {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Run inside a container of a lab.
    #[command(hide = true)]
    Agent,
    /// Measure the harness itself.
    #[command(hide = true)]
    Bench(crate::commands::bench::BenchArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Names of scenarios (see `farcall list`) or paths of scenario files.
    #[arg(required = true, value_name = "NAME|FILE")]
    pub scenarios: Vec<String>,
    #[command(flatten)]
    pub ice: IceArgs,
    /// Where results go, one directory a run.
    #[arg(long, value_name = "DIR", default_value = "target/farcall")]
    pub out: PathBuf,
    /// Print `result.json` of each run, one a line, instead of text.
    #[arg(long)]
    pub json: bool,
    /// Recorded and printed with each result [default: random]. Nothing of a lab depends on it yet;
    /// emulated loss and jitter will.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Run each scenario so many times.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub repeat: u32,
    /// Leave each lab standing for `farcall exec` and `farcall down`.
    #[arg(long)]
    pub keep: bool,
    /// Show the peers' logs on standard error.
    #[arg(long, short)]
    pub verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LabArgs {
    /// The name of a scenario (see `farcall list`) or the path of a scenario file.
    #[arg(value_name = "NAME|FILE")]
    pub scenario: String,
    #[command(flatten)]
    pub ice: IceArgs,
    /// Recorded in the plan. Nothing of a lab depends on it yet; emulated loss and jitter will.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct IceArgs {
    /// The application's own ICE configuration, as JSON.
    #[arg(long = "ice", value_name = "FILE", conflicts_with = "config")]
    pub file: Option<PathBuf>,
    /// A configuration that ships with farcall.
    #[arg(long, value_enum, default_value_t)]
    pub config: ShippedConfiguration,
}

/// The two configurations that the production guide speaks of.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(crate) enum ShippedConfiguration {
    /// TURN over UDP and TCP, then STUN.
    #[default]
    Production,
    /// STUN only: the state before the fix.
    Development,
}
