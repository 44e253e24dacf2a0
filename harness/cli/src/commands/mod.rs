//! One file for each command.

pub(crate) mod attest;
pub(crate) mod bench;
pub(crate) mod clean;
pub(crate) mod compare;
pub(crate) mod doctor;
pub(crate) mod down;
pub(crate) mod exec;
pub(crate) mod judge;
pub(crate) mod lint;
pub(crate) mod list;
pub(crate) mod matrix;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod up;
