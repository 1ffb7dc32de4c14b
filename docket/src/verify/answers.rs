//! I2 and I14: the answers that are remembered, read for the appends of the log as they come.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use event_store::{KnownCommand, LoadRequest, StoreError};
use invariants::{Append, Checker, Finding, Journal, Rule};

use crate::data_dir::ReadLog;

/// Answers that are read at once.
const MOST: usize = 1_000;

/// Compares these appends, whose events are all read, with what is remembered of their commands.
pub(super) async fn compare(
    appends: &[Append],
    log: &ReadLog,
    checker: &mut Checker,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    for some in appends.chunks(MOST) {
        match load(log, ids_of(some)).await {
            Err(error) if error.is_undecodable() => {
                for one in some {
                    compare_one(one, log, checker, findings).await?;
                }
            }
            known => {
                let known = known.context("the answers in the log can't be read")?;
                for append in some {
                    let answer = known.get(&append.command_id).map(|known| &known.answer);
                    checker.compare_answer(append, answer);
                }
            }
        }
    }
    Ok(())
}

/// Of one whose answer may be unreadable.
async fn compare_one(
    append: &Append,
    log: &ReadLog,
    checker: &mut Checker,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    match load(log, vec![Arc::clone(&append.command_id)]).await {
        Err(error) if error.is_undecodable() => {
            let (id, why) = (&append.command_id, anyhow::Error::from(error));
            let statement = format!("The answer of command `{id}` can't be read: {why:#}.");
            findings.push(Finding::at(Rule::SameAnswer, vec![append.first], statement));
            Ok(())
        }
        known => {
            let known = known.context("the answers in the log can't be read")?;
            let answer = known.get(&append.command_id).map(|known| &known.answer);
            checker.compare_answer(append, answer);
            Ok(())
        }
    }
}

/// Compares what is remembered with what clients wrote down that they were told. Their journals have seen the whole log.
pub(super) async fn compare_told(journals: &mut [Journal], log: &ReadLog) -> Result<()> {
    for journal in journals {
        let told: Vec<Arc<str>> = journal.acknowledged().map(Arc::from).collect();
        for some in told.chunks(MOST) {
            for (id, known) in load_readable(log, some).await? {
                journal.compare_answer(&id, &known.answer);
            }
        }
    }
    Ok(())
}

/// Those that can be read: the others were found with their events.
async fn load_readable(log: &ReadLog, ids: &[Arc<str>]) -> Result<Known> {
    let unreadable = "the answers in the log can't be read";
    match load(log, ids.to_vec()).await {
        Err(error) if error.is_undecodable() => {}
        known => return known.context(unreadable),
    }
    let mut all = Known::new();
    for id in ids {
        match load(log, vec![Arc::clone(id)]).await {
            Err(error) if error.is_undecodable() => {}
            known => all.extend(known.context(unreadable)?),
        }
    }
    Ok(all)
}

fn ids_of(appends: &[Append]) -> Vec<Arc<str>> {
    appends.iter().map(|append| Arc::clone(&append.command_id)).collect()
}

type Known = BTreeMap<Arc<str>, KnownCommand>;

async fn load(log: &ReadLog, commands: Vec<Arc<str>>) -> Result<Known, StoreError> {
    let request = LoadRequest { commands, ..LoadRequest::default() };
    Ok(log.load(request).await?.commands.into_iter().collect())
}
