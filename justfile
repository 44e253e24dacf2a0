# The recipes. `just` alone lists them.

_default:
    @just --list --unsorted

# Place a call in a scenario and judge it, for example `just scenario corporate-firewall`
scenario name *options:
    cargo run --release --quiet -- run {{ name }} {{ options }}

# Do the networks of farcall-baseline.toml work? Yes or no, and why: what a pipeline asks before a deploy
predeploy *options:
    cargo run --release --quiet -- gate {{ options }}

# All tests, unit and end to end (needs Docker)
test *options:
    cargo test {{ options }}

# The end-to-end tests that `just test` leaves out, since they take long (needs Docker)
test-long *options:
    cargo test --test e2e {{ options }} -- --ignored

# List, then remove, whatever earlier runs left in Docker
clean:
    cargo run --release --quiet -- clean

# Measure the harness itself, and write target/farcall/bench.json
bench *options:
    cargo run --release --quiet -- bench {{ options }}

# Can this machine run labs? What to do where it cannot
doctor:
    cargo run --release --quiet -- doctor

# What must be clean before a commit: formatting, lints, documentation
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
