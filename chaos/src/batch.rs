//! Many runs, several at a time, each in a thread and on a platform of its own.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc;
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::Result;

use crate::fault::Fault;
use crate::run::{self, Outcome};
use crate::stack::Programs;

/// Plays every run of the plan, and tells of each as it ends.
pub(crate) fn play(
    plan: Vec<(&'static Fault, u64)>,
    programs: &Programs,
    keep: &Path,
    jobs: usize,
    mut tell: impl FnMut(Outcome) -> Result<()>,
) -> Result<()> {
    let plan = Mutex::new(VecDeque::from(plan));
    let next = || plan.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let (ended, outcomes) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            let (ended, next) = (ended.clone(), &next);
            scope.spawn(move || {
                while let Some((fault, seed)) = next() {
                    if ended.send(one(fault, seed, programs, keep)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(ended);
        outcomes.into_iter().try_for_each(|outcome| tell(outcome?))
    })
}

fn one(fault: &'static Fault, seed: u64, programs: &Programs, keep: &Path) -> Result<Outcome> {
    // What starts and stops servers waits in place, beside clients and probes.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(3).enable_all().build()?;
    Ok(runtime.block_on(run::run(fault, seed, programs, keep)))
}
