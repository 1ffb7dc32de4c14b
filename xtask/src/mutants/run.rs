//! The command: the tree as it is must be clean, and every mutant found. While one is hunted, the next is built.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use anyhow::{anyhow, bail};

use super::copy;
use super::hunt::{self, Found};
use super::patch::{self, Mutant};
use super::table::{HEAD, Row};
use crate::bench::target;

/// Hunts the mutants of these names, or all.
pub(crate) fn mutants(root: &Path, names: &[&str]) -> anyhow::Result<()> {
    let began = Instant::now();
    let folder = target(root).join("mutants");
    let lab = Lab { copy: folder.join("tree"), build: folder.join("build") };
    std::fs::create_dir_all(&lab.copy)?;
    copy::refresh(root, &lab.copy)?;
    // Those of the copy: whoever goes on with the tree disturbs no hunt.
    let mut mutants = patch::read_all(&lab.copy, names)?;
    for mutant in &mutants {
        mutant.check(&lab.copy)?;
    }
    // Neighbours change the same crate, so that little else is built anew from one to the next.
    mutants.sort_by(|one, other| one.changes.cmp(&other.changes));
    println!("-- the tree as it is: the first build takes minutes, later ones seconds");
    let mut rows = lab.hunt_all(mutants)?;
    rows.sort_by(|one, other| one.mutant.name.cmp(&other.mutant.name));
    println!("\n{HEAD}");
    for row in &rows {
        println!("{}", row.line());
    }
    println!("\n{:.0} s", began.elapsed().as_secs_f64());
    let survivors = rows.iter().filter(|row| !row.is_found());
    let survivors: Vec<&str> = survivors.map(|row| row.mutant.name.as_str()).collect();
    if survivors.is_empty() {
        return Ok(());
    }
    bail!("not found: {}", survivors.join(", "))
}

/// Where mutants are made.
struct Lab {
    copy: PathBuf,
    build: PathBuf,
}

impl Lab {
    /// First the tree as it is, as far as any of them is hunted, then one after another.
    fn hunt_all(&self, mutants: Vec<Mutant>) -> anyhow::Result<Vec<Row>> {
        hunt::build(&self.copy, &self.build)?;
        let most = mutants.iter().map(|mutant| mutant.seeds).max().unwrap_or_default();
        let clean = hunt::put_aside(&self.build, "clean")?;
        let mut rows = Vec::with_capacity(mutants.len());
        thread::scope(|scope| {
            let mut hunted = scope.spawn(move || (None, hunt::run(&clean, most)));
            for mutant in mutants {
                let built = self.build_mutant(&mutant);
                let before = hunted;
                hunted = scope.spawn(move || {
                    let found = built.and_then(|built| hunt::run(&built, mutant.seeds));
                    (Some(mutant), found)
                });
                rows.extend(told(ended(before)?)?);
            }
            rows.extend(told(ended(hunted)?)?);
            Ok(rows)
        })
    }

    /// Puts it in, builds it, and takes it out again.
    fn build_mutant(&self, mutant: &Mutant) -> anyhow::Result<PathBuf> {
        mutant.apply(&self.copy)?;
        let built = hunt::build(&self.copy, &self.build);
        mutant.take_out(&self.copy)?;
        built.and_then(|()| hunt::put_aside(&self.build, &mutant.name))
    }
}

/// What was hunted, the tree as it is or a mutant, and what came of it.
type Hunted = (Option<Mutant>, anyhow::Result<Found>);

fn ended(hunted: thread::ScopedJoinHandle<'_, Hunted>) -> anyhow::Result<Hunted> {
    hunted.join().map_err(|_| anyhow!("a hunt panicked"))
}

/// Says at once what was found.
fn told((mutant, found): Hunted) -> anyhow::Result<Option<Row>> {
    let Some(mutant) = mutant else {
        return match found? {
            Found::Nothing => Ok(None),
            Found::At { seed, rules, statement } => bail!(
                "without any mutant seed {seed} finds something, so nothing would be proven: {rules}: {statement}"
            ),
            Found::BrokenOff { how, statement } => {
                bail!("without any mutant there is {how}, so nothing would be proven: {statement}")
            }
        };
    };
    let row = Row { mutant, found };
    println!("{}", row.line());
    match &row.found {
        Err(error) => eprintln!("{}: {error:#}", row.mutant.name),
        Ok(Found::At { statement, .. } | Found::BrokenOff { statement, .. }) => {
            eprintln!("   {statement}");
        }
        Ok(Found::Nothing) => {}
    }
    Ok(Some(row))
}
