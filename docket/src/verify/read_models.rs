//! I11: every read model against one built anew from the log, row for row, at the live one's position.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use event_store::{EventLog as _, Position};
use invariants::{Finding, Rule};
use projection_service::offline::{ModelSnapshot, Wanted, build_as_of};
use projection_service::storage::digest::Difference;
use serde::Serialize;

use crate::data_dir::ReadLog;
use crate::numbers::grouped;

/// Rows of a model that are shown when they differ.
const SHOWN: usize = 5;
/// Characters of a row that are shown.
const SHOWN_CHARACTERS: usize = 240;

/// A read model that was compared.
#[derive(Debug, Serialize)]
pub(super) struct Checked {
    name: &'static str,
    position: Position,
    rows: u64,
    equal: bool,
    #[serde(skip)]
    findings: Vec<Finding>,
}

impl Checked {
    pub(super) fn as_text(&self) -> String {
        let Self { name, position, rows, equal, .. } = self;
        let word = if *equal { "as the log says" } else { "differs from the log" };
        format!("{name}: {} rows at position {}, {word}", grouped(*rows), grouped(*position))
    }

    pub(super) fn take_findings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.findings)
    }
}

/// Compares what the snapshots show with the fold of the log, which was opened after they were taken.
pub(super) async fn check(snapshots: Vec<ModelSnapshot>, log: &ReadLog) -> Result<Vec<Checked>> {
    let head = *log.head().borrow();
    let (ahead, within): (Vec<_>, Vec<_>) =
        snapshots.into_iter().partition(|snapshot| snapshot.position > head);
    let mut checked: Vec<Checked> =
        ahead.iter().map(|snapshot| ahead_of_the_log(snapshot, head)).collect();
    if within.is_empty() {
        return Ok(checked);
    }
    let scratch = tempfile::tempdir().context("no temporary folder can be made")?;
    let wanted = within.iter().map(|live| Wanted {
        projector: live.projector,
        generation: 1,
        to: live.position,
    });
    let quietly = Arc::new(|_: &'static str, _: Position| {});
    let built = build_as_of(&log.feed(), scratch.path(), wanted.collect(), quietly).await?;
    for mut live in within {
        let Some(anew) = built.iter().find(|built| built.projector == live.projector) else {
            continue;
        };
        let mut anew = anew.snapshot().await?;
        checked.push(compare(&mut live, &mut anew).await?);
    }
    for model in built {
        model.close().await;
    }
    Ok(checked)
}

async fn compare(live: &mut ModelSnapshot, anew: &mut ModelSnapshot) -> Result<Checked> {
    let name = live.projector.name();
    let ours = live.digest().await?;
    let equal = ours == anew.digest().await?;
    let mut findings = Vec::new();
    if !equal {
        let found = live.differences(anew, SHOWN).await?;
        findings.extend(found.iter().map(|difference| differs(name, difference)));
    }
    let rows = ours.iter().map(|table| table.rows).sum();
    Ok(Checked { name, position: live.position, rows, equal, findings })
}

fn differs(model: &str, difference: &Difference) -> Finding {
    let Difference { table, key, left, right } = difference;
    let row = |row: &Option<String>| match row {
        Some(text) => text.chars().take(SHOWN_CHARACTERS).collect(),
        None => "no row".to_owned(),
    };
    let statement = format!(
        "Read model `{model}`, table `{table}`, key `{key}` has {}; the log makes it {}.",
        row(left),
        row(right),
    );
    Finding::elsewhere(Rule::ReadModels, statement, rebuild(model))
}

fn ahead_of_the_log(snapshot: &ModelSnapshot, head: Position) -> Checked {
    let (name, position) = (snapshot.projector.name(), snapshot.position);
    let statement =
        format!("Read model `{name}` stands at position {position}, but the log ends at {head}.");
    let findings = vec![Finding::elsewhere(Rule::ReadModels, statement, rebuild(name))];
    Checked { name, position, rows: 0, equal: false, findings }
}

fn rebuild(model: &str) -> String {
    format!("docket replay --projection {model}")
}
