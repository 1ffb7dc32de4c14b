//! I11: every read model against one built anew from the log, row for row with all columns, at the live one's position.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use event_store::Position;
use invariants::{Finding, Rule};
use projection_service::Projector;
use projection_service::offline::{ModelSnapshot, OfflineError, Survey, Wanted, build_as_of};
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
}

/// What is there and is not compared.
#[derive(Debug, Default)]
pub(super) struct Unused {
    /// Whether there is anything.
    pub(super) any: bool,
    /// Of what can't be read.
    pub(super) findings: Vec<Finding>,
    /// Of what another version built, which is as it should be until the next start.
    pub(super) notes: Vec<String>,
}

/// Says of every model of a folder that can't be compared why not.
pub(super) fn unused(survey: &Survey) -> Unused {
    let findings = survey.unreadable.iter().map(|one| {
        let what = one.projector.map_or_else(
            || "The catalog of the read models".to_owned(),
            |projector| format!("Read model `{}`", projector.name()),
        );
        let (location, error) = (&one.location, &one.error);
        let statement = format!(
            "{what} can't be read: {location}: {error}. It holds nothing that the log can't give back: the next start sets \
             the file aside and builds it anew."
        );
        let look = one.projector.map_or("docket replay".to_owned(), |one| rebuild(one.name()));
        Finding::elsewhere(Rule::ReadModels, statement, look)
    });
    let notes = survey.other_versions.iter().map(|other| {
        let (name, now) = (other.projector.name(), other.projector.definition().version);
        format!(
            "Read model `{name}` was built by version {} of its definition, and this Docket has version {now}: it was not \
             compared, and the next start builds it anew.",
            other.version
        )
    });
    let any = !survey.unreadable.is_empty() || !survey.other_versions.is_empty();
    Unused { any, findings: findings.collect(), notes: notes.collect() }
}

/// What a comparison came to.
#[derive(Debug, Default)]
pub(super) struct Compared {
    pub(super) checked: Vec<Checked>,
    pub(super) findings: Vec<Finding>,
    /// Why nothing was compared, if nothing could be.
    pub(super) note: Option<String>,
}

/// Compares what the snapshots show with the fold of the log, which was opened after they were taken. A log that is not whole
/// has no fold. A failure that says nothing of the data, such as a disk that is full, is an error.
pub(super) async fn check(
    snapshots: Vec<ModelSnapshot>,
    log: &ReadLog,
    log_is_whole: bool,
) -> Result<Compared> {
    if !log_is_whole && !snapshots.is_empty() {
        let note = "The read models were not compared: the log that they are made of is not whole.";
        return Ok(Compared { note: Some(note.to_owned()), ..Compared::default() });
    }
    match compare_all(snapshots, log).await {
        Ok(mut checked) => {
            let findings = checked.iter_mut().flat_map(|one| std::mem::take(&mut one.findings));
            let findings = findings.collect();
            Ok(Compared { checked, findings, note: None })
        }
        Err(error) if error.downcast_ref().is_some_and(OfflineError::is_fault) => {
            // Which event it is, the checker found too.
            let statement = format!("The read models can't be built from the log: {error:#}.");
            let look = "docket status".to_owned();
            let findings = vec![Finding::elsewhere(Rule::ReadModels, statement, look)];
            Ok(Compared { findings, ..Compared::default() })
        }
        Err(error) => Err(error.context("the read models can't be compared")),
    }
}

async fn compare_all(snapshots: Vec<ModelSnapshot>, log: &ReadLog) -> Result<Vec<Checked>> {
    let head = log.head_when_opened();
    let (ahead, within): (Vec<_>, Vec<_>) =
        snapshots.into_iter().partition(|snapshot| snapshot.position > head);
    let mut checked: Vec<Checked> = ahead.iter().map(ahead_of_the_log).collect();
    if within.is_empty() {
        return Ok(checked);
    }
    let scratch = tempfile::tempdir().context("no temporary folder can be made")?;
    let wanted = within.iter().map(|live| Wanted {
        projector: live.projector,
        generation: 1,
        to: live.position,
        // What is parked waits in both: the rest has to be the same.
        parked: live.parked.all(),
    });
    let quietly = Arc::new(|_: &'static str, _: Position| {});
    let built = build_as_of(&log.feed(), scratch.path(), wanted.collect(), quietly).await?;
    for mut live in within {
        let Some(anew) = built.iter().find(|built| built.projector == live.projector) else {
            continue;
        };
        let mut anew = anew.snapshot().await?;
        let compared = compare(&mut live, &mut anew).await;
        checked.push(compared.or_else(|error| broken_off(live.projector, live.position, error))?);
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

/// A live model whose file turned out to be damaged half way; any other failure is no matter of the model.
fn broken_off(projector: Projector, position: Position, error: anyhow::Error) -> Result<Checked> {
    if !error.downcast_ref().is_some_and(storage::is_damaged) {
        return Err(error);
    }
    let name = projector.name();
    let statement = format!(
        "Read model `{name}` can't be read to its end: its file under projections/ is damaged: {error:#}."
    );
    let findings = vec![Finding::elsewhere(Rule::ReadModels, statement, rebuild(name))];
    Ok(Checked { name, position, rows: 0, equal: false, findings })
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

/// That it stands there is found with all others that follow the log.
fn ahead_of_the_log(snapshot: &ModelSnapshot) -> Checked {
    let (name, position) = (snapshot.projector.name(), snapshot.position);
    Checked { name, position, rows: 0, equal: false, findings: Vec::new() }
}

fn rebuild(model: &str) -> String {
    format!("docket replay --projection {model}")
}

#[cfg(test)]
mod tests {
    use projection_service::offline::{OtherVersion, survey};

    use super::*;

    #[tokio::test]
    async fn a_file_that_cant_be_read_is_named_with_what_becomes_of_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("catalog.db"), [0x5a; 9_000]).unwrap();
        let unused = unused(&survey(folder.path()).await.unwrap());
        let [found] = unused.findings.as_slice() else { unreachable!("one finding") };
        assert_eq!(found.rule, Rule::ReadModels);
        for part in ["catalog.db", "the next start sets the file aside"] {
            assert!(found.statement.contains(part), "{found:?}");
        }
        assert_eq!(unused.notes, [""; 0]);
    }

    #[test]
    fn a_model_of_another_version_is_a_note_and_no_finding() {
        let other = OtherVersion { projector: Projector::Orders, version: 0 };
        let unused = unused(&Survey { other_versions: vec![other], ..Survey::default() });
        assert_eq!(unused.findings, []);
        assert!(unused.any && unused.notes[0].contains("the next start builds it anew"));
    }

    #[test]
    fn a_row_that_differs_is_shown_as_it_is_and_as_the_log_makes_it() {
        let difference = Difference {
            table: "orders".to_owned(),
            key: "o1".to_owned(),
            left: Some("{}".to_owned()),
            right: None,
        };
        let found = differs("orders", &difference);
        assert_eq!(found.rule, Rule::ReadModels);
        assert!(
            found.statement.ends_with("key `o1` has {}; the log makes it no row."),
            "{found:?}"
        );
        assert_eq!(found.look, "docket replay --projection orders");
    }
}
