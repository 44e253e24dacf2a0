//! `farcall merge`: the shards of a gate as one.

use super::{exit_of, print, write_reports};
use crate::args::MergeArgs;
use crate::commands::report::Outlet;
use crate::exit::{Exit, Failure};
use farcall_gate::{GateResult, store};
use std::path::Path;

pub(crate) fn merge(args: &MergeArgs) -> Result<Exit, Failure> {
    let reports = Outlet::open_all(&args.reports)?;
    let parts = store::read_all(&args.directories).map_err(Failure::usage)?;
    let merged = farcall_gate::merge(parts).map_err(Failure::usage)?;
    print(&merged, Path::new(""), args.json)?;
    if let Some(out) = &args.out {
        let moved = relative_to(&merged, out);
        store::write(out, &moved).map_err(Failure::usage)?;
    }
    write_reports(reports, &merged, Path::new(""), Failure::usage)?;
    Ok(exit_of(merged.answer))
}

/// The same with the directories of runs as they are from where it is written. Those that are not below that, or not
/// there, are told by their whole path.
fn relative_to(merged: &GateResult, out: &Path) -> GateResult {
    let base = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let base = std::path::absolute(base).unwrap_or_else(|_| base.to_owned());
    let base = base.canonicalize().unwrap_or(base);
    let mut moved = merged.clone();
    for run in moved.entries.iter_mut().flat_map(|entry| &mut entry.runs) {
        let path = Path::new(&run.directory);
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let path = path.strip_prefix(&base).unwrap_or(&path);
        run.directory = path.display().to_string();
    }
    moved
}
