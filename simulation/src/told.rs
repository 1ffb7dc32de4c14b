//! What runs came to, in words.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use simulation::{Kept, Report, SOMETIMES, Settings, shrink};

/// What came of the only run.
pub(crate) fn one(out: &mut impl Write, seed: u64, report: &Report) -> io::Result<()> {
    writeln!(
        out,
        "seed {seed}: trace {:016x}, {} steps, {} events, {:.0} s of its own clock",
        report.hash,
        report.steps,
        report.events,
        report.lasted.as_secs_f64()
    )?;
    for (what, times) in &report.happened {
        writeln!(out, "  {times:>5} x {what}")?;
    }
    Ok(())
}

/// What a run broke, and how to see it again, whole and as small as so many runs can make it.
pub(crate) fn failure(
    out: &mut impl Write,
    most_runs: u32,
    settings: &Settings,
    report: &Report,
) -> io::Result<()> {
    writeln!(out, "seed {}: trace {:016x}", settings.seed, report.hash)?;
    for violation in &report.violations {
        writeln!(out, "  {}: {}", violation.rule, violation.statement)?;
        if !violation.positions.is_empty() {
            writeln!(out, "     positions {:?}", violation.positions)?;
        }
    }
    writeln!(out, "  again: {}", command(settings, &settings.kept))?;
    if most_runs > 0 {
        let kept = shrink(settings, report, most_runs)?;
        writeln!(out, "  small: {}", command(settings, &kept))?;
    }
    Ok(())
}

/// What never happened though the batch is large enough.
pub(crate) fn sometimes(
    out: &mut impl Write,
    happened: &BTreeMap<&'static str, u64>,
) -> io::Result<Vec<&'static str>> {
    let never: Vec<_> = SOMETIMES.into_iter().filter(|what| !happened.contains_key(what)).collect();
    for what in SOMETIMES {
        writeln!(out, "  {:>8} x {what}", happened.get(what).copied().unwrap_or_default())?;
    }
    for what in &never {
        writeln!(out, "never happened, so nothing is tested of it: {what}")?;
    }
    Ok(never)
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

/// Numbers of parts of a plan, in one word.
pub(crate) fn list(numbers: &BTreeSet<usize>) -> String {
    if numbers.is_empty() {
        return "-".to_owned();
    }
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}
