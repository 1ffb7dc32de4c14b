//! I2 and I14: the answers that are remembered, read for the appends of the log as they come.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use event_store::{KnownCommand, LoadRequest, StoreError};
use invariants::{Append, Checker, Finding, Rule};

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
        match load(log, some).await {
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
    match load(log, std::slice::from_ref(append)).await {
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

type Known = std::collections::HashMap<Arc<str>, KnownCommand>;

async fn load(log: &ReadLog, appends: &[Append]) -> Result<Known, StoreError> {
    let commands = appends.iter().map(|append| Arc::clone(&append.command_id)).collect();
    let request = LoadRequest { commands, ..LoadRequest::default() };
    Ok(log.load(request).await?.commands)
}
