//! What can be said of an ICE configuration without any network: each finding with its place in the
//! file, what happens in which network, and what to write instead.
//!
//! A configuration is read as `farcall-literal` finds it, in JSON or in the literals of a JavaScript or
//! TypeScript file, more tolerantly than a run reads it, so that what a run refuses can be explained here. No credential is shown, in findings or in the lines beside them.

mod configuration;
mod excerpt;
mod finding;
mod lint;
mod mask;
mod place;
mod read;
mod report;
mod rule;
mod rules;
mod url;

pub use finding::Finding;
pub use lint::{LintedConfiguration, LintedFile, lint};
pub use place::Place;
pub use read::ReadError;
pub use report::{
    FileReport, LintReport, Look, SCHEMA_VERSION, Totals, brief, human, json, sarif, schema,
};
pub use rule::{About, Rule, Severity};
