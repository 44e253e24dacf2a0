//! The command line: arguments, progress, exit codes. Data goes to standard output, everything else
//! to standard error.

mod args;
mod board;
mod commands;
mod docker;
mod exit;
mod input;
mod jobs;
mod output;
mod progress;
mod signals;

use args::{Cli, Command};
use clap::Parser;
use exit::Exit;
use std::process::ExitCode;

/// Runs the command that the process was started with.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if matches!(cli.command, Command::Agent) {
        return farcall_agent::main();
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::note(format_args!(
                "error: failed to start the asynchronous runtime: {error}"
            ));
            return Exit::Infrastructure.into();
        }
    };
    let exit = runtime.block_on(dispatch(cli)).unwrap_or_else(|failure| {
        failure.print();
        failure.exit()
    });
    exit.into()
}

async fn dispatch(cli: Cli) -> Result<Exit, exit::Failure> {
    let scenarios = cli.scenarios_dir.as_deref();
    match cli.command {
        Command::Run(args) => commands::run::run(args, scenarios).await,
        Command::List { json } => commands::list::list(json, scenarios),
        Command::Lint(args) => commands::lint::lint(&args),
        Command::Matrix(args) => commands::matrix::matrix(args).await,
        Command::Attest(args) => commands::attest::attest(args, scenarios).await,
        Command::Judge(args) => commands::judge::judge(&args),
        Command::Compare(args) => commands::compare::compare(&args),
        Command::Report(args) => commands::report::report(&args),
        Command::Plan(args) => commands::plan::plan(&args, scenarios),
        Command::Up(args) => commands::up::up(&args, scenarios).await,
        Command::Exec {
            session,
            node,
            command,
        } => commands::exec::exec(session.as_deref(), &node, &command).await,
        Command::Down { session } => commands::down::down(session.as_deref()).await,
        Command::Clean => commands::clean::clean().await,
        Command::Doctor { json } => commands::doctor::doctor(json).await,
        Command::Agent => Ok(Exit::Passed),
        Command::Bench(args) => commands::bench::bench(&args, scenarios).await,
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
