//! `docket digest`: what all read models come to, without what differs between two runs of the same business.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use event_store::EventLog as _;
use projection_service::sqlite::digest::{TableDigest, digest_stable};

use crate::data_dir::{DataDir, DataDirArg};
use crate::models;
use crate::numbers::grouped;

/// One line a table: two imports that ended alike print the same, whatever happened meanwhile
#[derive(Debug, clap::Args)]
#[command(after_help = "Times, positions, versions and generated ids are left out. \
    A model that is behind the log is built up to its end first, in a temporary folder.")]
pub(crate) struct DigestArgs {
    #[command(flatten)]
    data: DataDirArg,
}

pub(crate) async fn run(args: DigestArgs) -> Result<ExitCode> {
    let data = DataDir::existing(&args.data.data_dir)?;
    let log = Arc::new(data.open_log().await?);
    let head = *log.head().borrow();
    let mut behind = Vec::new();
    let mut digests: Vec<(usize, Vec<TableDigest>)> = Vec::new();
    let live = models::live(&data.projections()).await?;
    let projectors = projection_service::Projector::ALL.iter().enumerate();
    for (place, &projector) in projectors {
        let found = live.iter().find(|model| model.projector == projector);
        let snapshot = match found {
            Some(model) => Some(model.snapshot().await?),
            None => None,
        };
        match snapshot {
            Some(mut snapshot) if snapshot.position == head => {
                let found = digest_stable(&mut snapshot.rows, projector.definition()).await?;
                digests.push((place, found));
            }
            Some(_) | None => behind.push((place, projector)),
        }
    }
    if !behind.is_empty() {
        let scratch = tempfile::tempdir().context("no temporary folder can be made")?;
        let wanted: Vec<_> = behind.iter().map(|(_, projector)| (*projector, 1, head)).collect();
        let feed = models::feed(&log);
        let built = models::build_anew(&feed, scratch.path(), &wanted, models::quietly()).await?;
        for model in built {
            let place = behind.iter().find(|(_, projector)| *projector == model.projector);
            let mut rows = model.applier.generation().database.reader().acquire().await?;
            let found = digest_stable(&mut rows, model.projector.definition()).await?;
            drop(rows);
            digests.push((place.map_or(usize::MAX, |(place, _)| *place), found));
            model.close().await;
        }
    }
    digests.sort_by_key(|(place, _)| *place);
    for table in digests.iter().flat_map(|(_, tables)| tables) {
        println!("{:<24} {:>12} rows  {}", table.table, grouped(table.rows), table.digest);
    }
    log.close().await;
    Ok(ExitCode::SUCCESS)
}
