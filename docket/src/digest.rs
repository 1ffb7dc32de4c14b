//! `docket digest`: what all read models come to, without what differs between two runs of the same business.

use std::collections::HashSet;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use event_store::Position;
use projection_service::offline::{self, ModelSnapshot, Wanted};
use projection_service::{Home, Projector};
use storage::postgres::PostgresSettings;

use crate::data_dir::{DataDir, DataDirArg};
use crate::numbers::grouped;
use crate::output;
use crate::parked::ParkedIn;
use crate::serve::READ_MODELS;

/// One line a table: two imports that ended alike print the same, whatever happened meanwhile
#[derive(Debug, clap::Args)]
#[command(after_help = "Times, positions, versions and generated ids are left out. \
    A model that is behind the log is built up to its end first, in a temporary folder.")]
pub(crate) struct DigestArgs {
    #[command(flatten)]
    data: DataDirArg,
    /// Address of a projection-service's PostgreSQL database: its models are taken as they stand
    #[arg(long, value_name = "URL")]
    postgres_url: Option<String>,
}

/// Where a projection-service keeps its models in its database.
pub(crate) fn read_models(url: &str) -> Result<Home> {
    let settings = PostgresSettings::new(url, "docket read models")
        .context("the address of the read models' database can't be read")?;
    Ok(Home::postgres(settings, READ_MODELS))
}

pub(crate) async fn run(args: DigestArgs) -> Result<ExitCode> {
    if let Some(url) = &args.postgres_url {
        return as_they_stand(read_models(url)?).await;
    }
    let data = DataDir::existing(&args.data.data_dir)?;
    let log = data.open_log().await?;
    let head = *log.head().borrow();
    let (mut snapshots, mut parked): (Vec<ModelSnapshot>, _) = (Vec::new(), ParkedIn::default());
    // What can't be read, or was built by another version, is built anew as what is behind.
    for model in offline::survey(&data.projections()).await?.models {
        let snapshot = model.snapshot().await?;
        parked.add(&snapshot);
        if snapshot.position == head {
            snapshots.push(snapshot);
        }
    }
    let known = |projector| snapshots.iter().any(|snapshot| snapshot.projector == projector);
    let behind = Projector::ALL.iter().copied().filter(|one| !known(*one));
    let wanted = behind.map(|projector| Wanted {
        projector,
        generation: 1,
        to: head,
        parked: parked.of(projector),
    });
    let wanted = wanted.collect();
    let scratch = tempfile::tempdir().context("no temporary folder can be made")?;
    let quietly = Arc::new(|_: &'static str, _: Position| {});
    let built = offline::build_as_of(&log.feed(), scratch.path(), wanted, quietly).await?;
    for model in &built {
        snapshots.push(model.snapshot().await?);
    }
    snapshots.sort_by_key(|snapshot| {
        Projector::ALL.iter().position(|projector| *projector == snapshot.projector)
    });
    print(snapshots).await?;
    parked.notes().into_iter().for_each(output::note);
    for model in built {
        model.close().await;
    }
    log.close().await;
    Ok(ExitCode::SUCCESS)
}

/// A projection-service has no log to build from: its models are taken as they are.
async fn as_they_stand(home: Home) -> Result<ExitCode> {
    let mut snapshots = Vec::new();
    for model in offline::survey(home).await?.complete()? {
        snapshots.push(model.snapshot().await?);
    }
    let positions: HashSet<Position> = snapshots.iter().map(|model| model.position).collect();
    if positions.len() > 1 {
        bail!("the read models stand at different positions; try again when they are settled");
    }
    print(snapshots).await?;
    Ok(ExitCode::SUCCESS)
}

async fn print(snapshots: Vec<ModelSnapshot>) -> Result<()> {
    for mut snapshot in snapshots {
        for table in snapshot.digest_stable().await? {
            let rows = grouped(table.rows);
            output::line(format_args!("{:<24} {rows:>12} rows  {}", table.table, table.digest))?;
        }
    }
    Ok(())
}
