//! From a run that breaks a rule to a small one that breaks it too.

use std::collections::BTreeSet;

use crate::plan::Kept;
use crate::run::{Report, Settings, run};

/// Leaves out what is not needed for the same rule to be broken, in at most so many runs.
pub fn shrink(settings: &Settings, report: &Report, mut runs: u32) -> std::io::Result<Kept> {
    let (operations, faults) = report.size;
    let Some(rule) = report.violations.first().map(|violation| violation.rule.clone()) else {
        return Ok(settings.kept.clone());
    };
    let mut kept = Kept {
        operations: Some(settings.kept.operations.clone().unwrap_or((0..operations).collect())),
        faults: Some(settings.kept.faults.clone().unwrap_or((0..faults).collect())),
        calm: settings.kept.calm,
    };
    let mut breaks = |kept: &Kept| -> std::io::Result<bool> {
        if runs == 0 {
            return Ok(false);
        }
        runs -= 1;
        let tried = run(&Settings { kept: kept.clone(), lines: false, ..settings.clone() })?;
        Ok(tried.violations.iter().any(|violation| violation.rule == rule))
    };
    let calm = Kept { calm: true, ..kept.clone() };
    if breaks(&calm)? {
        kept = calm;
    }
    for part in [faults_of as Part, operations_of] {
        let mut size = part(&mut kept).len().div_ceil(2);
        while size > 0 {
            let all: Vec<usize> = part(&mut kept).iter().copied().collect();
            for some in all.chunks(size) {
                let mut without = kept.clone();
                part(&mut without).retain(|number| !some.contains(number));
                if breaks(&without)? {
                    kept = without;
                }
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
    }
    Ok(kept)
}

type Part = fn(&mut Kept) -> &mut BTreeSet<usize>;

fn operations_of(kept: &mut Kept) -> &mut BTreeSet<usize> {
    kept.operations.get_or_insert_default()
}

fn faults_of(kept: &mut Kept) -> &mut BTreeSet<usize> {
    kept.faults.get_or_insert_default()
}
