//! Models of a stopped platform: built as a new generation, compared with the old one, and made the live one.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use projection_service::Projector;
use projection_service::offline::{
    self, BuiltModel, Decision, StoredModel, Survey, Unreadable, Wanted,
};
use projection_service::storage::digest::Difference;

use super::bars::Bars;
use super::decision;
use crate::data_dir::DataDir;
use crate::dev::DataLock;
use crate::numbers::grouped;
use crate::output;
use crate::parked::ParkedIn;

/// What to do while a platform runs over the folder.
const THROUGH_IT: &str = "replay through it with --url URL";
/// Rows that are shown when two generations differ.
const SHOWN: usize = 20;

pub(super) async fn run(data: &DataDir, projectors: &[Projector]) -> Result<ExitCode> {
    // While a platform runs over the folder, its models are rebuilt by it: name its --url.
    let _lock = DataLock::take_or(data, THROUGH_IT)?;
    let log = data.open_log().await?;
    let head = *log.head().borrow();
    let folder = data.projections();
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("the folder {} can't be made", folder.display()))?;
    let Survey { models: mut live, unreadable, other_versions } = offline::survey(&folder).await?;
    if let Some(catalog) = unreadable.iter().find(|one| one.projector.is_none()) {
        bail!(
            "{} can't be read ({}); delete the folder {}: the next start builds all models anew from the log",
            catalog.location,
            catalog.error,
            folder.display()
        );
    }
    let (mut wanted, parked) = (Vec::new(), parked_in(&live).await?);
    for &projector in projectors {
        let generation = offline::next_generation(&folder, projector).await?;
        wanted.push(Wanted { projector, generation, to: head, parked: parked.of(projector) });
    }
    let bars = Bars::new(projectors, head);
    let told = bars.clone();
    let progress = Arc::new(move |name: &'static str, at| told.at(name, at));
    let built = offline::build_as_of(&log.feed(), &folder, wanted, progress).await?;
    bars.done();
    let mut differing = false;
    for model in built {
        let name = model.projector.name();
        let old = live.iter().position(|old| old.projector == model.projector);
        let old = old.map(|index| live.swap_remove(index));
        let missing = if let Some(one) = of(&unreadable, model.projector) {
            format!("the old one, {}, could not be read: {}", one.location, one.error)
        } else if other_versions.iter().any(|one| one.projector == model.projector) {
            "the old one was built by another version".to_owned()
        } else {
            "there was none before".to_owned()
        };
        let (old, (differs, compared)) = match compared(&model, old.as_ref(), missing).await {
            Err(error) if is_damaged(&error) => {
                if let Some(old) = old {
                    old.close().await;
                }
                let damaged = format!("the old one could not be read: {error:#}");
                (None, self::compared(&model, None, damaged).await?)
            }
            found => (old, found?),
        };
        output::line(format_args!("{name}: {compared}"))?;
        let noted = if differs {
            offline::keep_candidate(&folder, model).await
        } else {
            offline::make_live(&folder, model, old).await
        };
        noted.with_context(|| format!("what was built of `{name}` can't be noted"))?;
        differing |= differs;
    }
    for model in live {
        model.close().await;
    }
    parked.notes().into_iter().for_each(output::note);
    log.close().await;
    Ok(if differing { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What is parked in these models. One that is damaged is built anew from the log, which is what it needs; what was parked in it is
/// met again.
async fn parked_in(models: &[StoredModel]) -> Result<ParkedIn> {
    let mut parked = ParkedIn::default();
    for model in models {
        match model.snapshot().await.map_err(anyhow::Error::from) {
            Ok(snapshot) => parked.add(&snapshot),
            Err(error) if is_damaged(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(parked)
}

fn is_damaged(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref().is_some_and(storage::is_damaged))
}

fn of(unreadable: &[Unreadable], projector: Projector) -> Option<&Unreadable> {
    unreadable.iter().find(|one| one.projector == Some(projector))
}

/// What an operator decides about the generations that are kept beside these models.
pub(super) async fn decide(
    data: &DataDir,
    projectors: &[Projector],
    decision: Decision,
) -> Result<ExitCode> {
    let _lock = DataLock::take_or(data, THROUGH_IT)?;
    let mut decided = 0;
    for &projector in projectors {
        if offline::decide(&data.projections(), projector, decision).await? {
            output::line(format_args!("{}: {}", projector.name(), decision::done(decision)))?;
            decided += 1;
        }
    }
    if decided == 0 {
        bail!("{}", decision::nothing(decision));
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether what was built differs from what was there before, and how, in words.
async fn compared(
    model: &BuiltModel,
    old: Option<&StoredModel>,
    missing: String,
) -> Result<(bool, String)> {
    let mut new = model.snapshot().await?;
    let digests = new.digest().await?;
    let rows: u64 = digests.iter().map(|table| table.rows).sum();
    let mut differing = Vec::new();
    let how = match old {
        None => missing,
        Some(old) => {
            let mut old = old.snapshot().await?;
            if old.position != new.position {
                format!("the old one stood at position {}", grouped(old.position))
            } else if old.digest().await? == digests {
                "the same as before, row for row".to_owned()
            } else {
                differing = old.differences(&mut new, SHOWN).await?;
                format!("it {}", decision::DIFFERS)
            }
        }
    };
    let mut text =
        format!("{} rows as of position {}; {how}", grouped(rows), grouped(new.position));
    for Difference { table, key, left, right } in &differing {
        text.push_str(&decision::difference(table, key, left.as_deref(), right.as_deref()));
    }
    Ok((!differing.is_empty(), text))
}
