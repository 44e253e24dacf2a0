//! What a caller can choose about a matrix.

use crate::EventSink;
use farcall_report::CellResult;
use farcall_timeline::Phase;
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What a matrix has come to.
#[derive(Debug, Clone, PartialEq)]
pub enum MatrixProgress {
    /// A phase began.
    Began(Phase),
    /// So many parts of the lab are attested.
    Attested {
        /// How many.
        done: usize,
        /// Of how many.
        of: usize,
    },
    /// A call begins.
    Calls {
        /// The network of the peer that offers.
        offerer: String,
        /// The network of the peer that answers.
        answerer: String,
    },
    /// A call is over.
    Called(Box<CellResult>),
}

/// Receives what a matrix has come to; called from the task that runs it, so it must not block.
pub type OnMatrixProgress = Arc<dyn Fn(MatrixProgress) + Send + Sync>;

/// How a matrix is run.
#[derive(Clone)]
pub struct MatrixOptions {
    /// The directory in which the matrix's own directory is created.
    pub out: PathBuf,
    /// How many calls are placed at the same time, at least one.
    pub jobs: usize,
    /// Shows events as they come.
    pub on_event: Option<EventSink>,
    /// Shows what the matrix has come to.
    pub on_progress: Option<OnMatrixProgress>,
    /// Cancelled by the caller to interrupt; the lab is removed and what was seen is written.
    pub stop: CancellationToken,
}
