//! What runs inside each container as its first process: it makes the container the node that the
//! plan has, keeps its services, measures the lab, and is a peer in the call.

mod capture;
mod collect;
mod counters;
mod datapath;
mod dns;
mod fault;
mod gateway;
mod handover;
pub mod ice_transport;
mod logs;
mod mappings;
pub mod media;
mod nat64;
mod node;
mod outlet;
pub mod peer;
mod probe;
mod reaper;
mod requests;
mod rest;
mod serve;
mod service;
mod services;
mod setup;
mod signalling;
mod tool;
mod turn;

use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;

use farcall_timeline::Event;
use tokio::io::AsyncWrite;
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::util::SubscriberInitExt as _;

pub use outlet::{Outlet, Said};
pub use requests::Requests;

/// Who inherits orphans (pid_namespaces(7)).
const FIRST_PROCESS: u32 = 1;

/// Runs the agent on standard input and output until the host closes the input or a signal comes.
///
/// Everything runs on the calling thread: capabilities are each thread's own, and set-up gives them
/// up. Call it from no async runtime.
#[must_use]
pub fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => {
            let result = runtime.block_on(on_standard_streams());
            // Standard input may be read by a thread that nothing ends.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed to run the agent: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn on_standard_streams() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (outlet, said) = Outlet::new();
    // Without it there are no log lines, which the host can do without.
    let _ = logs::subscriber(outlet.clone()).try_init();
    report_panics(outlet.clone());
    // As pipes, which they are in a container, they need no threads.
    let requests = match pipe_in() {
        Ok((stdin, input)) => Requests::new(stdin).with_input(input),
        Err(_) => Requests::new(tokio::io::stdin()),
    };
    let stdout: Box<dyn AsyncWrite + Unpin> = match pipe_out() {
        Ok(stdout) => Box::new(stdout),
        Err(_) => Box::new(tokio::io::stdout()),
    };
    if std::process::id() == FIRST_PROCESS {
        tokio::spawn(reaper::reap());
    }
    tokio::select! {
        () = run(requests, stdout, outlet, said) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

fn pipe_in() -> std::io::Result<(pipe::Receiver, OwnedFd)> {
    let stdin = pipe::Receiver::from_owned_fd(std::io::stdin().as_fd().try_clone_to_owned()?)?;
    let input = stdin.as_fd().try_clone_to_owned()?;
    Ok((stdin, input))
}

fn pipe_out() -> std::io::Result<pipe::Sender> {
    pipe::Sender::from_owned_fd(std::io::stdout().as_fd().try_clone_to_owned()?)
}

/// Answers the requests of a host until it closes its end, and writes what the outlet's clones say.
/// A node that was set up as detached outlives its host.
pub async fn run(
    requests: Requests,
    messages: impl AsyncWrite + Unpin,
    outlet: Outlet,
    said: Said,
) {
    let mut serving = std::pin::pin!(serve::serve(requests, &outlet));
    tokio::select! {
        () = &mut serving => return,
        written = said.write_to(messages) => if let Err(error) = written {
            eprintln!("failed to write to the host: {error}");
        },
    }
    // A host that is gone has closed the requests too.
    serving.await;
}

/// A panic anywhere makes the run INVALID, also where nobody waits for the task.
fn report_panics(outlet: Outlet) {
    std::panic::set_hook(Box::new(move |panic| {
        let location = panic.location().map(ToString::to_string);
        let payload = panic.payload();
        let what = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        outlet.event(Event::HarnessFault {
            message: format!(
                "failed: the agent panicked at {}: {what}; please report this as a bug",
                location.unwrap_or_default()
            ),
        });
    }));
}
