//! Many runs, several at a time, each in a thread and on a platform of its own.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::Result;

use crate::fault::Fault;
use crate::run::{self, Outcome};
use crate::setting::Setting;
use crate::stack::Programs;

/// What is to be run, and how.
#[derive(Debug)]
pub(crate) struct Batch<'b> {
    pub(crate) runs: Vec<(&'static Fault, u64)>,
    pub(crate) programs: &'b Programs,
    pub(crate) setting: &'b Setting,
    /// Where what is left of runs goes that went wrong.
    pub(crate) keep: &'b Path,
    /// Runs at the same time.
    pub(crate) jobs: u64,
}

/// Plays every run of a batch, and tells of each as it ends.
pub(crate) fn play(batch: Batch<'_>, mut tell: impl FnMut(Outcome) -> Result<()>) -> Result<()> {
    let Batch { runs, programs, setting, keep, jobs } = batch;
    let runs = Mutex::new(VecDeque::from(runs));
    let next = || runs.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let (ended, outcomes) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs {
            let (ended, next) = (ended.clone(), &next);
            scope.spawn(move || {
                while let Some((fault, seed)) = next() {
                    if ended.send(one(fault, seed, programs, setting, keep)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(ended);
        outcomes.into_iter().try_for_each(|outcome| tell(outcome?))
    })
}

fn one(
    fault: &'static Fault,
    seed: u64,
    programs: &Programs,
    setting: &Setting,
    keep: &Path,
) -> Result<Outcome> {
    // What starts and stops servers waits in place, beside clients and probes.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(3).enable_all().build()?;
    Ok(runtime.block_on(run::run(fault, seed, programs, setting, keep)))
}
