//! `cargo xtask simulate`: runs seeds, tells what broke, and the smallest run that breaks it too.

mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, Write};
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use simulation::{Kept, Report, Settings, run};

/// Runs of a batch from which on everything of interest must have happened.
const A_BATCH: u64 = 200;

/// The platform in one thread, on a virtual clock, under faults that a seed draws.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask simulate")]
struct Args {
    /// The first seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Orders that are placed in each run
    #[arg(long, default_value_t = 6)]
    orders: usize,
    /// Print everything that happens
    #[arg(long)]
    trace: bool,
    /// Only these of what clients ask, such as `0,4`; `-` for none
    #[arg(long, value_parser = numbers)]
    keep_operations: Option<Numbers>,
    /// Only these of the faults, such as `2`; `-` for none
    #[arg(long, value_parser = numbers)]
    keep_faults: Option<Numbers>,
    /// No call goes wrong by itself
    #[arg(long)]
    calm: bool,
    /// End with the first seed that finds something
    #[arg(long)]
    first: bool,
    /// Runs that looking for a smaller one may take; 0 to leave it
    #[arg(long, default_value_t = 150)]
    shrink: u32,
}

/// Numbers of parts of a plan.
#[derive(Debug, Clone)]
struct Numbers(BTreeSet<usize>);

fn main() -> ExitCode {
    match simulate(&Args::parse(), &mut io::stdout()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            drop(writeln!(io::stderr(), "{error}"));
            ExitCode::from(2)
        }
    }
}

/// Runs the seeds; true when nothing was found.
///
/// **Invariant:** a reader that has seen enough (`… | head -1`) is no error: it ends the batch, and what was found until then counts.
fn simulate(args: &Args, out: &mut impl Write) -> io::Result<bool> {
    let mut batch = Batch::default();
    match batch.run(args, out) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(batch.failed == 0),
        ended => ended,
    }
}

/// What several runs came to.
#[derive(Debug, Default)]
struct Batch {
    happened: BTreeMap<&'static str, u64>,
    failed: u64,
    events: u64,
}

impl Batch {
    fn run(&mut self, args: &Args, out: &mut impl Write) -> io::Result<bool> {
        let seeds = seeds(args.seed, args.seeds)?;
        let kept = Kept {
            operations: args.keep_operations.clone().map(|Numbers(kept)| kept),
            faults: args.keep_faults.clone().map(|Numbers(kept)| kept),
            calm: args.calm,
        };
        let began = Instant::now();
        for seed in seeds {
            let settings =
                Settings { seed, orders: args.orders, kept: kept.clone(), lines: args.trace };
            let report = run(&settings)?;
            self.add(&report);
            for line in &report.lines {
                writeln!(out, "{line}")?;
            }
            if args.seeds == 1 {
                told::one(out, seed, &report)?;
            }
            if !report.violations.is_empty() {
                told::failure(out, args.shrink, &settings, &report)?;
                if args.first {
                    return Ok(false);
                }
            }
        }
        let Self { happened, failed, events } = self;
        let (seeds, seconds) = (args.seeds, began.elapsed().as_secs_f64());
        writeln!(out, "{seeds} seeds, {failed} with violations, {events} events, {seconds:.1} s")?;
        let is_batch = args.seeds >= A_BATCH;
        let never = if is_batch { told::sometimes(out, happened)? } else { Vec::new() };
        Ok(*failed == 0 && never.is_empty())
    }

    fn add(&mut self, report: &Report) {
        for (what, times) in &report.happened {
            *self.happened.entry(what).or_default() += times;
        }
        self.events += report.events;
        self.failed += u64::from(!report.violations.is_empty());
    }
}

/// So many from the first on.
fn seeds(first: u64, count: u64) -> std::io::Result<RangeInclusive<u64>> {
    let last = count.checked_sub(1).and_then(|more| first.checked_add(more));
    let beyond = || std::io::Error::other(format!("there are no {count} seeds from {first} on"));
    last.map(|last| first..=last).ok_or_else(beyond)
}

/// Reads what [`told::list`] writes.
fn numbers(list: &str) -> Result<Numbers, String> {
    if list == "-" {
        return Ok(Numbers(BTreeSet::new()));
    }
    let number = |text: &str| {
        let text = text.trim();
        text.parse().map_err(|_| format!("`{text}` is not a number; `-` is for none"))
    };
    list.split(',').map(number).collect::<Result<_, _>>().map(Numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_no_number_is_refused() {
        for list in ["x,y", "1,", "", "1,-", "-1"] {
            assert!(numbers(list).is_err(), "{list}");
        }
        assert_eq!(numbers("4, 0").unwrap().0, BTreeSet::from([0, 4]));
        assert_eq!(numbers("-").unwrap().0, BTreeSet::new());
        assert_eq!(told::list(&numbers("7,3").unwrap().0), "3,7");
    }

    #[test]
    fn a_batch_has_a_seed_and_none_beyond_the_last() {
        assert_eq!(seeds(7, 1).unwrap(), 7..=7);
        assert_eq!(seeds(u64::MAX, 1).unwrap(), u64::MAX..=u64::MAX);
        let beyond = seeds(u64::MAX, 2).unwrap_err().to_string();
        assert_eq!(beyond, "there are no 2 seeds from 18446744073709551615 on");
        let none = Args::try_parse_from(["simulate", "--seeds", "0"]).unwrap_err().to_string();
        assert!(none.contains("0 is not in 1.."), "{none}");
    }
}
