//! Every cause is found where it is, and no other.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod links;
mod pages;
mod produced;
mod samples;

use crate::{Cause, Diagnosis, diagnose};
use farcall_verdict::sample::Sample;

/// When the samples' runs began, in seconds since 1970.
const BEGAN_AT_S: i64 = 1_767_323_045;

/// What is said of a sample.
fn of(sample: &Sample) -> Option<Diagnosis> {
    let timeline = sample.timeline();
    diagnose(&timeline, &sample.declared, BEGAN_AT_S, &sample.judge())
}

/// The cause of a sample.
fn cause(sample: &Sample) -> Option<Cause> {
    of(sample).map(|diagnosis| diagnosis.cause)
}
