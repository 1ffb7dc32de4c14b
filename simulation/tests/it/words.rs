//! The command itself: what it takes, and whom it tells.

use std::process::{Command, Output, Stdio};

fn simulation(words: &[&str]) -> Command {
    let mut simulation = Command::new(env!("CARGO_BIN_EXE_simulation"));
    simulation.args(words).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    simulation
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said)).concat()
}

#[test]
fn what_a_seed_has_not_drawn_can_t_be_kept() {
    for what in ["operations", "faults"] {
        let keep = format!("--keep-{what}");
        let output = simulation(&["--seed", "5", &keep, "0,99"]).output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.starts_with(&format!("seed 5 draws the {what} 0 to ")), "{said}");
        assert!(said.contains("there is no 99 to be kept"), "{said}");
    }
    let mut kept = simulation(&["--seed", "5", "--keep-operations", "0", "--keep-faults", "-"]);
    let output = kept.output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    for words in [&["--seed", "5"][..], &["--seed", "5", "--trace"], &["--seeds", "2"]] {
        let mut running = simulation(words).spawn().unwrap();
        drop(running.stdout.take());
        let output = running.wait_with_output().unwrap();
        assert_eq!((output.status.code(), said(&output)), (Some(0), String::new()), "{words:?}");
    }
}
