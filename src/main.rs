//! The `portreeve` command.

use std::process::ExitCode;

use clap::Parser;

/// Gives memory back after a storm; see `.cargo/config.toml` for how.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match portreeve::cli::Command::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("portreeve: {error:#}");
            ExitCode::FAILURE
        }
    }
}
