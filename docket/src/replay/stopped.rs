//! Models of a stopped platform: built as a new generation, compared with the old one, and made the live one.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use event_store::{EventLog as _, Position};
use projection_service::Projector;
use projection_service::sqlite::catalog::Catalog;
use projection_service::sqlite::digest::digest;
use projection_service::sqlite::generation;

use super::bars::Bars;
use crate::data_dir::DataDir;
use crate::dev::DataLock;
use crate::models::{self, BuiltModel, LiveModel};
use crate::numbers::grouped;

pub(super) async fn run(data: &DataDir, projectors: &[Projector]) -> Result<ExitCode> {
    // While a platform runs over the folder, its models are rebuilt by it: name its --url.
    let _lock = DataLock::take(data.path())?;
    let log = Arc::new(data.open_log().await?);
    let head = *log.head().borrow();
    let folder = data.projections();
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("the folder {} can't be made", folder.display()))?;
    let live = models::live(&folder).await?;
    let mut wanted: Vec<(Projector, u32, Position)> = Vec::new();
    for &projector in projectors {
        let old = live.iter().find(|model| model.projector == projector);
        let number = old.map_or(1, |old| old.number + 1);
        generation::remove(&generation::path(&folder, projector.name(), number));
        wanted.push((projector, number, head));
    }
    let bars = Bars::new(projectors, head);
    let told = bars.clone();
    let progress = Arc::new(move |name: &'static str, at| told.at(name, at));
    let built = models::build_anew(&models::feed(&log), &folder, &wanted, progress).await?;
    bars.done();
    let catalog = Catalog::open(&folder).await.context("the catalog can't be opened")?;
    for model in built {
        let old = live.iter().find(|old| old.projector == model.projector);
        println!("{}", switch(&catalog, model, old, head).await?);
    }
    catalog.close().await;
    for old in live {
        let rebuilt = projectors.contains(&old.projector);
        let path = generation::path(&folder, old.projector.name(), old.number);
        old.close().await;
        if rebuilt {
            generation::remove(&path);
        }
    }
    log.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Makes it the live one, and says what came of it.
async fn switch(
    catalog: &Catalog,
    model: BuiltModel,
    old: Option<&LiveModel>,
    head: Position,
) -> Result<String> {
    let definition = model.projector.definition();
    let digests = model.digests().await?;
    let rows: u64 = digests.iter().map(|table| table.rows).sum();
    let how = match old {
        None => "there was none before".to_owned(),
        Some(old) => {
            let mut snapshot = old.snapshot().await?;
            if snapshot.position != head {
                format!("the old one stood at position {}", grouped(snapshot.position))
            } else if digest(&mut snapshot.rows, definition).await? == digests {
                "the same as before, row for row".to_owned()
            } else {
                "it DIFFERS from the old one".to_owned()
            }
        }
    };
    let number = model.applier.generation().number;
    model.close().await;
    let name = definition.name;
    let registered = catalog.register(name, definition.version, number).await;
    registered.with_context(|| format!("the model `{name}` can't be made the live one"))?;
    Ok(format!("{name}: {} rows as of position {}; {how}", grouped(rows), grouped(head)))
}
