//! What can keep a run from having a result at all.

/// A run could not be made. Whatever goes wrong inside the lab is an INVALID result instead.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The scenario and the ICE configuration do not make a lab.
    #[error(transparent)]
    Plan(#[from] farcall_plan::PlanError),
    /// The results could not be written.
    #[error(transparent)]
    Report(#[from] farcall_report::ReportError),
    /// Docker is not usable.
    #[error(transparent)]
    Engine(#[from] farcall_lab::EngineError),
    /// The images could not be made.
    #[error(transparent)]
    Image(#[from] farcall_lab::images::ImageError),
    /// What earlier runs left could not be removed.
    #[error(transparent)]
    Reap(#[from] farcall_lab::RemoveError),
}
