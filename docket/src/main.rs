//! `docket`: the platform in one process, and the operator's commands.
//!
//! **Invariant:** no rule of the domain and no SQL lives here; each command parses its words, calls, and prints.

#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

mod api;
mod backup;
mod cli;
mod config;
mod connect;
mod data_dir;
mod dead_letters;
mod dev;
mod digest;
mod entrance;
mod events;
mod health;
mod import;
mod listening;
mod mails;
mod numbers;
mod open_files;
mod output;
mod parked;
mod payments;
mod platform_args;
mod projections;
mod replay;
mod sagas;
mod serve;
mod shown;
mod status;
mod target;
mod token;
mod usage;
mod verify;
mod webhooks;

use std::process::ExitCode;

/// A flood of commands is a flood of small allocations, made on one thread and freed on another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    open_files::as_many_as_there_may_be();
    let understood = match config::understand(std::env::args_os().collect()) {
        Ok(understood) => understood,
        Err(error) => return usage::explain(&error),
    };
    match cli::run(understood) {
        Ok(code) => code,
        Err(error) => {
            output::complain(&error);
            let wrong_settings = error.is::<config::WrongSettings>();
            if wrong_settings { ExitCode::from(usage::WRONG) } else { ExitCode::FAILURE }
        }
    }
}
