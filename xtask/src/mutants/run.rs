//! The command: the tree as it is must be clean, and every mutant found.

use std::path::Path;
use std::time::Instant;

use anyhow::bail;

use super::copy;
use super::hunt::{self, Found};
use super::patch::{self, Mutant};
use super::table::{HEAD, Row};
use crate::bench::target;

/// Hunts the mutants of these names, or all.
pub(crate) fn mutants(root: &Path, names: &[&str]) -> anyhow::Result<()> {
    let began = Instant::now();
    let mutants = patch::read_all(root, names)?;
    for mutant in &mutants {
        mutant.check(root)?;
    }
    let folder = target(root).join("mutants");
    let (copy, build) = (folder.join("tree"), folder.join("build"));
    std::fs::create_dir_all(&copy)?;
    copy::refresh(root, &copy)?;
    println!("-- the tree as it is: the first build takes minutes, later ones seconds");
    hunt::build(&copy, &build)?;
    let most = mutants.iter().map(|mutant| mutant.seeds).max().unwrap_or_default();
    if let Found::At { seed, rules, statement } = hunt::run(&build, most)? {
        bail!(
            "without any mutant seed {seed} finds something, so nothing would be proven: {rules}: {statement}"
        );
    }
    println!(
        "-- {most} seeds of it are clean, in {:.0} s\n\n{HEAD}",
        began.elapsed().as_secs_f64()
    );
    let mut survivors = Vec::new();
    for mutant in mutants {
        let found = hunted(root, &copy, &build, &mutant);
        let row = Row { mutant, found };
        println!("{}", row.line());
        match &row.found {
            Err(error) => eprintln!("{}: {error:#}", row.mutant.name),
            Ok(Found::At { statement, .. }) => eprintln!("   {statement}"),
            Ok(Found::Nothing) => {}
        }
        if !row.is_found() {
            survivors.push(row.mutant.name);
        }
    }
    println!("\n{:.0} s", began.elapsed().as_secs_f64());
    if survivors.is_empty() {
        return Ok(());
    }
    bail!("not found: {}", survivors.join(", "))
}

/// Puts it in, looks for it, and takes it out again.
fn hunted(root: &Path, copy: &Path, build: &Path, mutant: &Mutant) -> anyhow::Result<Found> {
    mutant.apply(copy)?;
    let found = hunt::build(copy, build).and_then(|()| hunt::run(build, mutant.seeds));
    for file in &mutant.changes {
        copy::put_back(root, copy, file)?;
    }
    found
}
