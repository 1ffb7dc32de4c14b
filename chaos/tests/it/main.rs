//! A few faults that are cheap and tell much, on real processes, as a part of every run of the tests. All of them, often:
//! `cargo xtask chaos`.
//!
//! What a machine lacks for a fault is said, and that fault is left out.

use std::path::Path;
use std::process::Command;

/// A machine that builds and tests beside this is slow.
const PATIENCE: &str = "4";

/// Plays a fault with a seed that was seen to draw what the test is named after.
fn survives(fault: &str, seed: u64) {
    survives_with(&[], fault, seed);
}

/// The same with more words.
fn survives_with(words: &[&str], fault: &str, seed: u64) {
    let chaos = Path::new(env!("CARGO_BIN_EXE_chaos"));
    let docket = chaos.with_file_name("docket");
    if !docket.is_file() {
        eprintln!("SKIPPED: {} is not built: `cargo build --package docket`", docket.display());
        return;
    }
    let report = tempfile::tempdir().expect("a folder for the report");
    let mut run = Command::new(chaos);
    run.args(["--fault", fault, "--seed", &seed.to_string()]).args(words);
    run.arg("--docket").arg(docket).arg("--report").arg(report.path());
    let output = run.env("DOCKET_CHAOS_PATIENCE", PATIENCE).output().expect("chaos starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    println!("{said}");
}

#[test]
fn kills_of_what_takes_commands_lose_nothing_that_was_acknowledged() {
    survives("F1", 1);
}

#[test]
fn a_killed_postgresql_makes_no_commit_doubtful_for_good() {
    survives("F6", 1);
}

#[test]
fn p9_a_broker_that_forgets_everything_is_filled_again_also_where_everybody_shows_a_token() {
    survives_with(&["--tokens"], "F12", 1);
}

#[test]
fn p7_a_provider_that_loses_answers_charges_nobody_twice() {
    survives("F21", 1);
}

#[test]
fn what_this_version_cannot_read_stops_one_model_and_no_other() {
    survives("F24", 1);
}
