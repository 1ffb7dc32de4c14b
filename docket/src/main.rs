//! `docket`: the platform in one process, and the operator's commands.
//!
//! **Invariant:** no rule of the domain and no SQL lives here; each command parses its words, calls, and prints.

mod api;
mod cli;
mod config;
mod data_dir;
mod dev;
mod digest;
mod events;
mod import;
mod numbers;
mod replay;
mod status;
mod target;
mod verify;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("docket: {error:#}");
            ExitCode::FAILURE
        }
    }
}
