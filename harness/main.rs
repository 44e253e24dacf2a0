//! The one binary: `farcall ...` on the host and `farcall agent` inside the containers.

use std::process::ExitCode;

fn main() -> ExitCode {
    farcall_cli::main()
}
