//! `cargo xtask simulate`: runs seeds, tells what broke, and the smallest run that breaks it too.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use simulation::{Kept, Report, SOMETIMES, Settings, run, shrink};

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
    match simulate(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn simulate(args: &Args) -> std::io::Result<bool> {
    let seeds = seeds(args.seed, args.seeds)?;
    let kept = Kept {
        operations: args.keep_operations.clone().map(|Numbers(kept)| kept),
        faults: args.keep_faults.clone().map(|Numbers(kept)| kept),
        calm: args.calm,
    };
    let began = Instant::now();
    let mut happened: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut failed, mut events) = (0, 0);
    for seed in seeds {
        let settings =
            Settings { seed, orders: args.orders, kept: kept.clone(), lines: args.trace };
        let report = run(&settings)?;
        report.lines.iter().for_each(|line| println!("{line}"));
        if args.seeds == 1 {
            tell_one(seed, &report);
        }
        for (what, times) in &report.happened {
            *happened.entry(what).or_default() += times;
        }
        events += report.events;
        if !report.violations.is_empty() {
            failed += 1;
            tell_failure(args, &settings, &report)?;
            if args.first {
                return Ok(false);
            }
        }
    }
    println!(
        "{} seeds, {failed} with violations, {events} events, {:.1} s",
        args.seeds,
        began.elapsed().as_secs_f64()
    );
    let never = if args.seeds < A_BATCH { Vec::new() } else { tell_sometimes(&happened) };
    Ok(failed == 0 && never.is_empty())
}

fn tell_one(seed: u64, report: &Report) {
    println!(
        "seed {seed}: trace {:016x}, {} steps, {} events, {:.0} s of its own clock",
        report.hash,
        report.steps,
        report.events,
        report.lasted.as_secs_f64()
    );
    for (what, times) in &report.happened {
        println!("  {times:>5} x {what}");
    }
}

fn tell_failure(args: &Args, settings: &Settings, report: &Report) -> std::io::Result<()> {
    println!("seed {}: trace {:016x}", settings.seed, report.hash);
    for violation in &report.violations {
        println!("  {}: {}", violation.rule, violation.statement);
        if !violation.positions.is_empty() {
            println!("     positions {:?}", violation.positions);
        }
    }
    println!("  again: {}", command(settings, &settings.kept));
    if args.shrink > 0 {
        let kept = shrink(settings, report, args.shrink)?;
        println!("  small: {}", command(settings, &kept));
    }
    Ok(())
}

/// What never happened though the batch is large enough.
fn tell_sometimes(happened: &BTreeMap<&str, u64>) -> Vec<&'static str> {
    let never: Vec<_> = SOMETIMES.into_iter().filter(|what| !happened.contains_key(what)).collect();
    for what in SOMETIMES {
        println!("  {:>8} x {what}", happened.get(what).copied().unwrap_or_default());
    }
    for what in &never {
        println!("never happened, so nothing is tested of it: {what}");
    }
    never
}

fn command(settings: &Settings, kept: &Kept) -> String {
    let mut words = vec![format!("cargo xtask simulate --seed {}", settings.seed)];
    if settings.orders != Settings::of(settings.seed).orders {
        words.push(format!("--orders {}", settings.orders));
    }
    if kept.calm {
        words.push("--calm".to_owned());
    }
    if let Some(operations) = &kept.operations {
        words.push(format!("--keep-operations {}", list(operations)));
    }
    if let Some(faults) = &kept.faults {
        words.push(format!("--keep-faults {}", list(faults)));
    }
    words.join(" ")
}

fn list(numbers: &BTreeSet<usize>) -> String {
    if numbers.is_empty() {
        return "-".to_owned();
    }
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// So many from the first on.
fn seeds(first: u64, count: u64) -> std::io::Result<RangeInclusive<u64>> {
    let last = count.checked_sub(1).and_then(|more| first.checked_add(more));
    let beyond = || std::io::Error::other(format!("there are no {count} seeds from {first} on"));
    last.map(|last| first..=last).ok_or_else(beyond)
}

/// Reads what [`list`] writes.
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
        assert_eq!(list(&numbers("7,3").unwrap().0), "3,7");
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
