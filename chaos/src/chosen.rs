//! Which runs are to be made, and which faults this machine has to leave out.
//!
//! **Invariant:** what is left out is said, and a batch of which nothing is left is no success.

use anyhow::{Context as _, Result, bail};
use test_servers::REQUIRED_VARIABLE;

use crate::args::Args;
use crate::catalogue::{ELSEWHERE, FAULTS};
use crate::fault::Fault;

/// Seeds that are drawn are below this, so that they are easily typed.
const DRAWN_BELOW: u64 = 1_000_000;

/// The runs of a batch.
#[derive(Debug, Default)]
pub(crate) struct Chosen {
    /// Each fault with a seed.
    pub(crate) runs: Vec<(&'static Fault, u64)>,
    /// What this machine lacks, by the fault that needs it.
    pub(crate) left_out: Vec<(&'static str, String)>,
}

impl Chosen {
    /// What was asked for.
    ///
    /// # Errors
    /// When there is no such fault, when the seeds go beyond the last, or when something would be left out though
    /// `DOCKET_REQUIRE_SERVERS=1` says that nothing may.
    pub(crate) fn of(args: &Args) -> Result<Self> {
        let first = args.seed.unwrap_or_else(|| fastrand::u64(..DRAWN_BELOW));
        let last = first.checked_add(args.runs - 1);
        let last =
            last.with_context(|| format!("there are no {} seeds from {first} on", args.runs))?;
        let mut chosen = Self::default();
        for fault in faults(args)? {
            for seed in first..=last {
                match fault.lacks(seed) {
                    None => chosen.runs.push((fault, seed)),
                    Some(lacking) => chosen.leave_out(fault.id, lacking)?,
                }
            }
        }
        Ok(chosen)
    }

    fn leave_out(&mut self, fault: &'static str, lacking: String) -> Result<()> {
        if test_servers::is_required() {
            bail!("{fault} can't run, and {REQUIRED_VARIABLE}=1 says that it has to: {lacking}");
        }
        if self.left_out.iter().all(|(of, _)| *of != fault) {
            println!("{fault} is left out: {lacking}");
            self.left_out.push((fault, lacking));
        }
        Ok(())
    }
}

fn faults(args: &Args) -> Result<Vec<&'static Fault>> {
    if args.all {
        return Ok(FAULTS.clone());
    }
    args.fault.iter().map(|id| named(id)).collect()
}

fn named(id: &str) -> Result<&'static Fault> {
    if let Some(fault) = FAULTS.iter().find(|fault| fault.id.eq_ignore_ascii_case(id)) {
        return Ok(fault);
    }
    if let Some(other) = ELSEWHERE.iter().find(|other| other.id.eq_ignore_ascii_case(id)) {
        bail!("{} ({}) is not caused here: `{}`", other.id, other.name, other.tests);
    }
    bail!("there is no fault `{id}`; --list says which there are")
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn refusal(words: &[&str]) -> String {
        let args = Args::try_parse_from([&["chaos"], words].concat());
        let chosen = args.map_err(anyhow::Error::from).and_then(|args| Chosen::of(&args));
        format!("{:#}", chosen.unwrap_err())
    }

    #[test]
    fn a_batch_without_a_run_or_a_seed_is_refused() {
        assert!(refusal(&["--fault", "F1", "--runs", "0"]).contains("0 is not in 1.."));
        let beyond = refusal(&["--fault", "F1", "--seed", "18446744073709551615", "--runs", "2"]);
        assert_eq!(beyond, "there are no 2 seeds from 18446744073709551615 on");
        assert!(refusal(&["--fault", "F99"]).contains("there is no fault `F99`"));
    }

    #[test]
    fn of_a_fault_that_tests_cause_the_tests_are_named() {
        assert!(refusal(&["--fault", "f23"]).contains("cargo nextest run -p docket --test system"));
        assert!(refusal(&["--fault", "F31"]).contains("f31"));
    }
}
