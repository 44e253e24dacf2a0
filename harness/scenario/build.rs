//! Compiles the crate anew when a scenario file is added or removed; changes inside files are seen anyway.

fn main() {
    println!("cargo::rerun-if-changed=../../scenarios");
}
