//! farcall: mobile hotspots and corporate firewalls on one machine, to know before a deploy whether a
//! WebRTC call connects and carries media across them.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use farcall::{Harness, IceConfiguration, RunOptions, Scenario, Verdict};
//!
//! let harness = Harness::prepare("target/release/farcall".as_ref(), &|_| {}).await?;
//! let scenario = Scenario::find("corporate-firewall", None)?;
//! let ice = IceConfiguration::load("ice.json".as_ref())?;
//! let run = harness.run(&scenario, &ice, &RunOptions::default()).await?;
//! assert_eq!(run.result.verdict, Verdict::Pass, "{run}");
//! # Ok(())
//! # }
//! ```
//!
//! The binary `farcall` is started inside the containers too; [`Harness::prepare`] takes its path.

pub use farcall_cli::main;
pub use farcall_diagnosis::{self as diagnosis, Cause, Diagnosis};
pub use farcall_lab as lab;
pub use farcall_plan as plan;
pub use farcall_report::{self as report, RunResult, StoredRun};
pub use farcall_run::{EventSink, Harness, RunError, RunOptions};
pub use farcall_scenario::{self as scenario, IceConfiguration, Scenario};
pub use farcall_timeline as timeline;
pub use farcall_verdict::{self as verdict, Verdict};
