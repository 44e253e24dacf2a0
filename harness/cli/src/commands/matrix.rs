//! `farcall matrix`: every network calls every other.

use super::lint;
use super::run::is_coloured;
use crate::args::{MatrixArgs, ShippedConfiguration};
use crate::board::{Board, Line};
use crate::exit::{Exit, Failure};
use crate::input::IceSource;
use crate::progress::log_line;
use crate::{docker, input, jobs, output, signals};
use farcall_plan::{MatrixCall, MatrixPlan, plan_matrix};
use farcall_report::{Grid, MatrixResult};
use farcall_run::{EventSink, MatrixOptions, MatrixProgress, OnMatrixProgress};
use farcall_scenario::Matrix;
use farcall_verdict::Verdict;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

pub(crate) async fn matrix(args: MatrixArgs) -> Result<Exit, Failure> {
    let stop = signals::stop_token().map_err(Failure::infrastructure)?;
    let (plan, source) = plan(&args)?;
    lint::tell(&[source]);
    if let Some(reason) = &plan.unsupported {
        output::note(format_args!("UNSUPPORTED: {reason}"));
    }

    let harness = docker::prepare_unless(&stop).await?;

    let board = Board::new("calls", plan.cells.len());
    let options = MatrixOptions {
        out: args.out.clone(),
        jobs: args.jobs.unwrap_or_else(jobs::calls),
        on_event: args.verbose.then(|| event_printer(&board)),
        on_progress: Some(progress_printer(&board)),
        stop: stop.clone(),
    };
    let run = harness.run_matrix(&plan, &options).await;
    // The last live line goes with them.
    drop(options);
    board.close();
    let run = run.map_err(Failure::infrastructure)?;
    print(&run.result, args.json)?;
    output::note(format_args!("files   {}", run.directory.display()));
    if stop.is_cancelled() {
        return Err(Failure::Interrupted);
    }
    let verdicts: Vec<Verdict> = run.result.cells.iter().map(|cell| cell.verdict).collect();
    Ok(Exit::of_verdicts(&verdicts))
}

/// The networks that were asked for, all calls of all of them, and where the ICE configuration is.
fn plan(args: &MatrixArgs) -> Result<(MatrixPlan, IceSource), Failure> {
    let (matrix, ice) = match (&args.matrix_file, args.libwebrtc) {
        (Some(path), _) => (
            Matrix::load(path).map_err(|error| Failure::Usage(error.into()))?,
            ShippedConfiguration::Production,
        ),
        (None, true) => (Matrix::libwebrtc(), ShippedConfiguration::Libwebrtc),
        (None, false) => (Matrix::catalogue(), ShippedConfiguration::Production),
    };
    let matrix = match args.networks.as_slice() {
        [] => matrix.unasked(),
        some => matrix.only(some).map_err(Failure::usage)?,
    };
    let (ice, source) = input::ice_or(&args.ice, ice)?;
    let call = MatrixCall {
        media_ms: args.media_ms,
        within_ms: args.within_ms,
        ..MatrixCall::default()
    };
    let seed = args.seed.unwrap_or_else(rand::random);
    let plan = plan_matrix(&matrix, &ice, call, seed).map_err(Failure::usage)?;
    Ok((plan, source))
}

fn print(result: &MatrixResult, json: bool) -> Result<(), Failure> {
    if json {
        let text = serde_json::to_string(result).map_err(Failure::infrastructure)?;
        return Ok(output::line(text)?);
    }
    let colour = is_coloured();
    Ok(output::with(|out| Grid { colour }.render(result, out))?)
}

/// A line for the lab, and one for each call.
fn progress_printer(board: &Board) -> OnMatrixProgress {
    let board = board.clone();
    let lab: Mutex<Option<Line>> = Mutex::default();
    let calls: Mutex<BTreeMap<(String, String), Line>> = Mutex::default();
    Arc::new(move |progress| match progress {
        MatrixProgress::Began(phase) => {
            let mut lab = lab.lock().unwrap_or_else(PoisonError::into_inner);
            let line = lab.get_or_insert_with(|| board.open("the lab".to_owned()));
            line.say(&phase.to_string());
            board.keep_if_plain(&format!("the lab: {phase}"));
        }
        MatrixProgress::Attested { done, of } => {
            let lab = lab.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(line) = lab.as_ref() {
                line.say(&format!("attest, {done} of {of} parts"));
            }
        }
        MatrixProgress::Calls { offerer, answerer } => {
            let line = board.open(format!("{offerer} calls {answerer}"));
            let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
            calls.insert((offerer, answerer), line);
        }
        MatrixProgress::Called(cell) => {
            let key = (cell.offerer.clone(), cell.answerer.clone());
            let line = {
                let mut calls = calls.lock().unwrap_or_else(PoisonError::into_inner);
                calls.remove(&key)
            };
            let line = line.unwrap_or_else(|| board.open(String::new()));
            let path = cell
                .path
                .map_or_else(|| "-".to_owned(), |path| path.to_string());
            board.keep(&format!(
                "{} {} calls {}: {path}",
                cell.verdict, cell.offerer, cell.answerer
            ));
            board.end(&line, cell.verdict == Verdict::Pass);
        }
    })
}

fn event_printer(board: &Board) -> EventSink {
    let board = board.clone();
    Arc::new(move |entry| {
        if let Some(line) = log_line(entry) {
            board.keep(&line);
        }
    })
}
