//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use farcall_gate::Shard;
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
    /// Run the networks that must work, as a baseline has them, and say yes or no.
    Gate(GateArgs),
    /// Join the shards of a gate into one answer.
    Merge(MergeArgs),
    /// List the scenarios.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say what can be said of an ICE configuration without any network: what happens where, and what to write
    /// instead.
    Lint(LintArgs),
    /// Place a call from each of several networks to each, in one lab, and print what connected by which
    /// path.
    Matrix(MatrixArgs),
    /// Write a report of stored runs.
    Report(ReportArgs),
    /// Say what changed from stored runs to others: what got worse, what got better. Needs no Docker.
    Compare(CompareArgs),
    /// Raise each scenario's lab without a call, and print what it was found to be beside what is declared.
    Attest(AttestArgs),
    /// Judge stored runs again and say why their calls fell short. Needs no Docker.
    Judge(JudgeArgs),
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

/// How labs are run, whatever for.
#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    /// How many labs are up at the same time [default: two for each processor, as far as memory allows].
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub jobs: Option<usize>,
    /// Also write a report of all runs when they have ended; may be given several times.
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = requested_report)]
    pub reports: Vec<RequestedReport>,
    /// Decides what emulated links lose and delay, and random ports; printed with the result [default: random].
    #[arg(long)]
    pub seed: Option<u64>,
    /// Show the peers' logs on standard error.
    #[arg(long, short)]
    pub verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub ice: EachIceArgs,
    #[command(flatten)]
    pub runs: RunsArgs,
    /// Where results go, one directory a run.
    #[arg(long, value_name = "DIR", default_value = "target/farcall")]
    pub out: PathBuf,
    /// Print `result.json` of each run, one a line, instead of text.
    #[arg(long)]
    pub json: bool,
    /// Run each scenario so many times, and tell at the end which came to different verdicts.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub repeat: u32,
    /// Leave each lab standing for `farcall exec` and `farcall down`.
    #[arg(long)]
    pub keep: bool,
}

#[derive(Debug, Args)]
pub(crate) struct GateArgs {
    /// With --bless: networks to add to the baseline, by name or file.
    #[arg(value_name = "NAME|FILE", requires = "bless")]
    pub scenarios: Vec<String>,
    /// The networks that must work, and what they must come to.
    #[arg(long, value_name = "FILE", default_value = "farcall-baseline.toml")]
    pub baseline: PathBuf,
    #[command(flatten)]
    pub ice: EachIceArgs,
    /// Write the baseline from this run instead of judging by it.
    #[arg(long)]
    pub bless: bool,
    /// With --bless: measure each network so many times; the slowest counts, and every path [default: 1].
    #[arg(long, value_name = "N", requires = "bless", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub repeat: Option<u32>,
    /// Only the part K of N, for several workers; `farcall merge` joins them.
    #[arg(long, value_name = "K/N", conflicts_with = "bless")]
    pub shard: Option<Shard>,
    /// Run what is INVALID so many times again, at most.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10))]
    pub retries: u32,
    #[command(flatten)]
    pub runs: RunsArgs,
    /// Where the result goes, in a directory of its own.
    #[arg(long, value_name = "DIR", default_value = "target/farcall")]
    pub out: PathBuf,
    /// Print `gate.json`, on one line, instead of text.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MergeArgs {
    /// Directories that `farcall gate --shard` left, or that hold them, wherever they were moved to.
    #[arg(value_name = "DIR", required = true)]
    pub directories: Vec<PathBuf>,
    /// Also write the joined `gate.json` to this file.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print it, on one line, instead of text.
    #[arg(long)]
    pub json: bool,
    /// Also write a report of all runs; may be given several times.
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = requested_report)]
    pub reports: Vec<RequestedReport>,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Directories of runs, as `farcall run` printed them, or directories that hold several.
    #[arg(value_name = "DIR", required = true)]
    pub directories: Vec<PathBuf>,
    /// What to write.
    #[arg(long, value_enum, default_value_t = ReportKind::Markdown)]
    pub format: ReportKind,
    /// Where to [default: standard output]. With html, the pages of several runs go to a directory beside it.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// With dump: only the connections of this peer.
    #[arg(long, value_name = "NAME")]
    pub peer: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The directory of a run, or one that holds several, as it was before.
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,
    /// As it is after. Runs of the same scenario and ICE configuration are compared, all with all.
    #[arg(value_name = "AFTER")]
    pub after: PathBuf,
    /// How it is printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: CompareFormat,
}

/// How `farcall compare` prints what changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum CompareFormat {
    /// Tables for people.
    #[default]
    Text,
    /// Markdown, for a comment or a ticket.
    Markdown,
    /// One object, for programs.
    Json,
}

/// The formats of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportKind {
    /// A page that needs nothing beside itself; of several runs an index that leads to the page of each.
    Html,
    /// JUnit XML: a failure for a broken expectation, an error for INVALID.
    Junit,
    /// GitHub Actions: a step summary, and an annotation for each scenario that did not pass.
    Github,
    /// Markdown.
    Markdown,
    /// `result.json` of each run, one a line.
    Json,
    /// As chrome://webrtc-internals dumps connections.
    Dump,
    /// Chrome trace JSON, for Perfetto.
    Trace,
    /// All captured packets, one interface for each place where they were captured.
    Pcapng,
    /// A Mermaid sequence diagram.
    Mermaid,
}

/// A report that a run is to write.
#[derive(Debug, Clone)]
pub(crate) struct RequestedReport {
    pub format: ReportKind,
    pub file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct SelectionArgs {
    /// Names of scenarios (see `farcall list`) or paths of scenario files.
    #[arg(value_name = "NAME|FILE", required_unless_present_any = ["all", "tags", "filter"])]
    pub scenarios: Vec<String>,
    /// All scenarios.
    #[arg(long)]
    pub all: bool,
    /// All scenarios with this tag; with any of them, if given several times.
    #[arg(long = "tag", value_name = "TAG")]
    pub tags: Vec<String>,
    /// All scenarios with this in their name, among those with the tags.
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct LintArgs {
    /// JSON, with comments or without, or a JavaScript or TypeScript file in which configurations are written.
    #[arg(value_name = "FILE", required_unless_present = "configs")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub shipped: ShippedArgs,
    /// How findings are printed.
    #[arg(long, value_enum, default_value_t)]
    pub format: LintFormat,
    /// Exit with 1 not for errors alone.
    #[arg(long, value_enum, value_name = "WHAT")]
    pub deny: Option<Deny>,
}

/// How `farcall lint` prints what it finds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LintFormat {
    /// Each finding beside its line.
    #[default]
    Human,
    /// One object, for programs.
    Json,
    /// SARIF 2.1.0, for code scanners.
    Sarif,
}

/// What counts as an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deny {
    /// Warnings too.
    Warnings,
    /// Whatever is found.
    Notes,
}

#[derive(Debug, Args)]
pub(crate) struct MatrixArgs {
    /// Only these networks, in this order. The matrix of the catalogue has all networks of its scenarios, most of which
    /// are called only when they are named here, such as corporate-proxy, captive-portal-logged-in or link-lte.
    #[arg(long, value_delimiter = ',', value_name = "A,B,...")]
    pub networks: Vec<String>,
    /// The ten networks of libwebrtc's p2p_transport_channel_unittest.cc, and what that expects of them.
    #[arg(long)]
    pub libwebrtc: bool,
    /// A matrix file with networks of your own, instead of those of the catalogue.
    #[arg(long = "file", value_name = "FILE", conflicts_with = "libwebrtc")]
    pub matrix_file: Option<PathBuf>,
    #[command(flatten)]
    pub ice: IceArgs,
    /// Where the result goes, in a directory of its own.
    #[arg(long, value_name = "DIR", default_value = "target/farcall")]
    pub out: PathBuf,
    /// Print `matrix.json`, on one line, instead of the grid.
    #[arg(long)]
    pub json: bool,
    /// How many calls are placed at the same time [default: four for each processor].
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub jobs: Option<usize>,
    /// How long media flows in each call, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(500..=600_000))]
    pub media_ms: u32,
    /// How long each call may take to connect, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 15_000, value_parser = clap::value_parser!(u32).range(1_000..=120_000))]
    pub within_ms: u32,
    /// From which everything random in the lab follows [default: random].
    #[arg(long)]
    pub seed: Option<u64>,
    /// Show the peers' logs on standard error.
    #[arg(long, short)]
    pub verbose: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AttestArgs {
    #[command(flatten)]
    pub selection: SelectionArgs,
    #[command(flatten)]
    pub ice: IceArgs,
    /// Also measure what takes seconds to minutes: lifetimes of mappings, and loss.
    #[arg(long)]
    pub deep: bool,
    /// Print one object for each lab, one a line, instead of tables.
    #[arg(long)]
    pub json: bool,
    /// From which everything random in a lab follows.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct JudgeArgs {
    /// Directories of runs, as `farcall run` left them.
    #[arg(value_name = "DIR", required = true)]
    pub runs: Vec<PathBuf>,
    /// Print what stands in `result.json` for each, one a line, instead of text.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LabArgs {
    /// The name of a scenario (see `farcall list`) or the path of a scenario file.
    #[arg(value_name = "NAME|FILE")]
    pub scenario: String,
    #[command(flatten)]
    pub ice: IceArgs,
    /// Decides what emulated links lose and delay, and random ports.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct IceArgs {
    /// The application's own ICE configuration: JSON, or a JavaScript or TypeScript file in which it is written; of
    /// several in a file the one in the function, method or variable NAME.
    #[arg(long = "ice", value_name = "FILE[#NAME]", conflicts_with = "config")]
    pub file: Option<PathBuf>,
    /// A configuration that ships with farcall [default: production; of the matrix of libwebrtc: libwebrtc].
    #[arg(long, value_enum)]
    pub config: Option<ShippedConfiguration>,
}

/// One ICE configuration or several, with each of which a call is placed.
#[derive(Debug, Args)]
pub(crate) struct EachIceArgs {
    /// The application's own ICE configuration: JSON, or a JavaScript or TypeScript file in which it is written; of
    /// several in a file the one in the function, method or variable NAME. With several, each scenario's lab is raised
    /// once and called in with each.
    #[arg(long = "ice", value_name = "FILE[#NAME]")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub shipped: ShippedArgs,
}

/// Configurations that ship.
#[derive(Debug, Args)]
pub(crate) struct ShippedArgs {
    /// A configuration that ships with farcall, or several [default of calls: production, where no file is given].
    #[arg(
        long = "config",
        value_enum,
        value_name = "CONFIG,...",
        value_delimiter = ','
    )]
    pub configs: Vec<ShippedConfiguration>,
}

/// The configurations that ship.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShippedConfiguration {
    /// TURN over UDP and TCP, then STUN.
    #[default]
    Production,
    /// STUN only: the state before the fix.
    Development,
    /// TURN over UDP alone.
    UdpOnly,
    /// STUN, and TURN over UDP, TCP and TLS on one server.
    WithTls,
    /// As with-tls, for the networks of libwebrtc's tests.
    Libwebrtc,
}

fn requested_report(text: &str) -> Result<RequestedReport, String> {
    let (format, file) = text
        .split_once('=')
        .filter(|(_, file)| !file.is_empty())
        .ok_or("write FORMAT=FILE, such as junit=farcall.xml")?;
    Ok(RequestedReport {
        format: ReportKind::from_str(format, false).map_err(|_| {
            let all = ReportKind::value_variants().iter();
            let names: Vec<String> = all
                .filter_map(|kind| kind.to_possible_value())
                .map(|value| value.get_name().to_owned())
                .collect();
            format!(
                "no format is called {format}: there are {}",
                names.join(", ")
            )
        })?,
        file: file.into(),
    })
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1 is needed".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(format!("{error}")),
    }
}
