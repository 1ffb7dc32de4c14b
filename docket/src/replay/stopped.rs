//! Models of a stopped platform: built as a new generation, compared with the old one, and made the live one.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use event_store::EventLog as _;
use projection_service::Projector;
use projection_service::offline::{self, BuiltModel, StoredModel, Wanted};

use super::bars::Bars;
use crate::data_dir::DataDir;
use crate::dev::DataLock;
use crate::numbers::grouped;
use crate::output;

pub(super) async fn run(data: &DataDir, projectors: &[Projector]) -> Result<ExitCode> {
    // While a platform runs over the folder, its models are rebuilt by it: name its --url.
    let _lock = DataLock::take(data)?;
    let log = data.open_log().await?;
    let head = *log.head().borrow();
    let folder = data.projections();
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("the folder {} can't be made", folder.display()))?;
    let mut live = offline::stored(&folder).await?;
    let wanted = projectors.iter().map(|&projector| {
        let old = live.iter().find(|model| model.projector == projector);
        Wanted { projector, generation: old.map_or(1, |old| old.generation + 1), to: head }
    });
    let bars = Bars::new(projectors, head);
    let told = bars.clone();
    let progress = Arc::new(move |name: &'static str, at| told.at(name, at));
    let built = offline::build_as_of(&log.feed(), &folder, wanted.collect(), progress).await?;
    bars.done();
    for model in built {
        let name = model.projector.name();
        let old = live.iter().position(|old| old.projector == model.projector);
        let old = old.map(|index| live.swap_remove(index));
        let compared = compared(&model, old.as_ref()).await?;
        output::line(format_args!("{name}: {compared}"))?;
        offline::make_live(&folder, model, old)
            .await
            .with_context(|| format!("the model `{name}` can't be made the live one"))?;
    }
    for model in live {
        model.close().await;
    }
    log.close().await;
    Ok(ExitCode::SUCCESS)
}

/// What was built, and whether it is what was there before.
async fn compared(model: &BuiltModel, old: Option<&StoredModel>) -> Result<String> {
    let mut new = model.snapshot().await?;
    let digests = new.digest().await?;
    let rows: u64 = digests.iter().map(|table| table.rows).sum();
    let how = match old {
        None => "there was none before".to_owned(),
        Some(old) => {
            let mut old = old.snapshot().await?;
            if old.position != new.position {
                format!("the old one stood at position {}", grouped(old.position))
            } else if old.digest().await? == digests {
                "the same as before, row for row".to_owned()
            } else {
                "it DIFFERS from the old one".to_owned()
            }
        }
    };
    Ok(format!("{} rows as of position {}; {how}", grouped(rows), grouped(new.position)))
}
