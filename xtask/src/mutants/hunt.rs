//! Builds the simulation from the copy of the tree and runs seeds until one of them finds something.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// The profile of these builds: not optimised, because each is run for seconds only.
const PROFILE: &str = "mutants";
/// A run that takes longer goes round in circles: no seed takes a second.
const ENDS_WITHIN: Duration = Duration::from_mins(10);

/// What running seeds came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// This seed breaks these rules.
    At {
        /// The first seed that does.
        seed: u64,
        /// Their names.
        rules: String,
        /// What is wrong first.
        statement: String,
    },
    /// A run broke off; of which seed it was, nothing tells.
    BrokenOff {
        /// A panic, or no end.
        how: &'static str,
        /// What was said of it.
        statement: String,
    },
    /// No seed breaks any.
    Nothing,
}

/// Builds it; `build` is the folder of all such builds, so that each begins where the last ended.
pub(super) fn build(copy: &Path, build: &Path) -> anyhow::Result<()> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(copy).args(["build", "--quiet", "--locked", "--package", "simulation"]);
    cargo.args(["--profile", PROFILE, "--target-dir"]).arg(build);

    let output = cargo.output().context("`cargo build` can't be started")?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        let errors: Vec<&str> = why.lines().filter(|line| line.starts_with("error")).collect();
        bail!("the simulation can't be built: {}", errors.join("; "));
    }
    Ok(())
}

/// Puts what was built aside under this name, so that it can be run while the next is built.
pub(super) fn put_aside(build: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let aside = build.join("built");
    fs::create_dir_all(&aside)?;
    let aside = aside.join(name);
    fs::copy(build.join(PROFILE).join("simulation"), &aside)
        .with_context(|| format!("{} can't be written", aside.display()))?;
    Ok(aside)
}

/// Runs so many seeds with what was put aside, up to the first that finds something; it is removed then.
pub(super) fn run(aside: &Path, seeds: u64) -> anyhow::Result<Found> {
    let found = run_seeds(aside, seeds);
    fs::remove_file(aside).with_context(|| format!("{} can't be removed", aside.display()))?;
    found
}

fn run_seeds(aside: &Path, seeds: u64) -> anyhow::Result<Found> {
    let mut simulation = Command::new(aside);
    simulation.args(["--seed", "1", "--seeds", &seeds.to_string(), "--first", "--shrink", "0"]);
    simulation.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = simulation.spawn().context("the simulation can't be started")?;
    let (said, complaints) = hear(&mut running)?;
    Ok(understand(&said, &complaints))
}

/// What it says until it ends, or is ended.
fn hear(running: &mut Child) -> anyhow::Result<(Vec<String>, String)> {
    let output = running.stdout.take().context("no standard output")?;
    let mut errors = running.stderr.take().context("no standard error")?;
    let (tell, told) = mpsc::channel();
    let reader = thread::spawn(move || {
        BufReader::new(output).lines().map_while(Result::ok).for_each(|line| drop(tell.send(line)));
    });
    let complaints = thread::spawn(move || {
        let mut text = String::new();
        // Bytes that are no text say nothing to anybody.
        drop(errors.read_to_string(&mut text));
        text
    });
    let ends = Instant::now() + ENDS_WITHIN;
    let mut said = Vec::new();
    loop {
        match told.recv_timeout(ends.saturating_duration_since(Instant::now())) {
            Ok(line) => said.push(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                running.kill().context("the simulation can't be ended")?;
                break;
            }
        }
    }
    running.wait().context("the simulation does not end")?;
    drop(reader.join());
    Ok((said, complaints.join().unwrap_or_default()))
}

/// From what the simulation prints: `seed N: …`, then a line `  RULE: statement` for each rule that was broken, then `  again: …`.
fn understand(said: &[String], complaints: &str) -> Found {
    let mut lines = said.iter().skip_while(|line| !line.starts_with("seed "));
    let seed = lines.next().and_then(|line| line.strip_prefix("seed ")?.split(':').next());
    let broken: Vec<(&str, &str)> = lines
        .take_while(|line| !line.starts_with("  again: "))
        .filter_map(|line| line.strip_prefix("  ")?.split_once(": "))
        .filter(|(rule, _)| !rule.starts_with(' '))
        .collect();
    if let (Some(Ok(seed)), Some((_, statement))) = (seed.map(str::parse), broken.first()) {
        let mut rules: Vec<&str> = broken.iter().map(|(rule, _)| *rule).collect();
        let mut once = HashSet::new();
        rules.retain(|rule| once.insert(*rule));
        return Found::At { seed, rules: rules.join(", "), statement: (*statement).to_owned() };
    }
    let panic = complaints.lines().find(|line| line.contains("panicked"));
    if let Some(panic) = panic {
        return Found::BrokenOff { how: "a panic", statement: panic.to_owned() };
    }
    if said.iter().any(|line| line.contains(" with violations, ")) {
        return Found::Nothing;
    }
    let statement = "it did not come to an end".to_owned();
    Found::BrokenOff { how: "no end", statement }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(said: &str, complaints: &str) -> Found {
        let said: Vec<String> = said.lines().map(str::to_owned).collect();
        understand(&said, complaints)
    }

    #[test]
    fn the_rules_that_the_first_seed_breaks_are_told_each_once() {
        let said = "seed 12: trace 00ff\n  I7: Twice: a.\n     positions [3]\n  I7: b.\n  I8: c.\n  again: …\n";
        let (rules, statement) = ("I7, I8".to_owned(), "Twice: a.".to_owned());
        assert_eq!(found(said, ""), Found::At { seed: 12, rules, statement });
    }

    #[test]
    fn a_batch_that_ends_clean_found_nothing() {
        let said = "40 seeds, 0 with violations, 4000 events, 0.3 s\n";
        assert_eq!(found(said, ""), Found::Nothing);
    }

    #[test]
    fn a_panic_and_a_run_without_an_end_are_findings() {
        let how = |found| match found {
            Found::BrokenOff { how, .. } => how,
            Found::At { .. } | Found::Nothing => "",
        };
        assert_eq!(how(found("", "thread 'main' panicked at a.rs:1:1:\nboom\n")), "a panic");
        assert_eq!(how(found("", "")), "no end");
    }
}
