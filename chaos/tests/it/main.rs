//! A few faults that are cheap and tell much, on real processes, as a part of every run of the tests. All of them, often:
//! `cargo xtask chaos`.
//!
//! What a machine lacks for a fault is said, and that test is skipped; with `DOCKET_REQUIRE_SERVERS=1` it fails.

use std::path::Path;
use std::process::{Command, Output};

use test_servers::{NATS_VARIABLE, REQUIRED_VARIABLE};

/// A machine that builds and tests beside this is slow.
const PATIENCE: &str = "4";
/// How `chaos` ends when it had to leave out everything.
const NOTHING_RAN: i32 = 3;

/// Plays a fault with a seed that was seen to draw what the test is named after.
fn survives(fault: &str, seed: u64) {
    survives_with(&[], fault, seed);
}

/// The same with more words.
fn survives_with(words: &[&str], fault: &str, seed: u64) {
    let chaos = Path::new(env!("CARGO_BIN_EXE_chaos"));
    let docket = chaos.with_file_name("docket");
    if !docket.is_file() {
        let missing = "`docket` is not built: `cargo build --package docket`";
        return test_servers::skipped(&anyhow::anyhow!(missing));
    }
    let report = tempfile::tempdir().expect("a folder for the report");
    let mut run = Command::new(chaos);
    run.args(["--fault", fault, "--seed", &seed.to_string()]).args(words);
    run.arg("--docket").arg(docket).arg("--report").arg(report.path());
    let output = run.env("DOCKET_CHAOS_PATIENCE", PATIENCE).output().expect("chaos starts");
    let said = said(&output);
    if output.status.code() == Some(NOTHING_RAN) {
        return test_servers::skipped(&anyhow::anyhow!(said));
    }
    assert!(output.status.success(), "{said}");
    assert!(said.contains(&format!("{fault} seed {seed}: clean")), "{said}");
    println!("{said}");
}

/// All that it printed.
fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
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

#[test]
fn a_batch_of_which_nothing_can_run_is_no_success() {
    let without_a_broker = |required: &str| {
        let mut run = Command::new(env!("CARGO_BIN_EXE_chaos"));
        run.args(["--fault", "F12", "--seed", "1"]);
        run.env(NATS_VARIABLE, "").env(REQUIRED_VARIABLE, required).output().expect("chaos starts")
    };
    let left_out = without_a_broker("0");
    assert_eq!(left_out.status.code(), Some(NOTHING_RAN), "{}", said(&left_out));
    assert!(said(&left_out).contains("F12 is left out: "), "{}", said(&left_out));
    let required = without_a_broker("1");
    assert_eq!(required.status.code(), Some(2), "{}", said(&required));
    assert!(said(&required).contains("F12 can't run"), "{}", said(&required));
}
