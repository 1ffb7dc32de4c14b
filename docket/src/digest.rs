//! `docket digest`: what all read models come to, without what differs between two runs of the same business.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use event_store::Position;
use projection_service::offline::{self, ModelSnapshot, Wanted};
use projection_service::{Home, Projector};
use storage::postgres::PostgresSettings;

use crate::config::secret;
use crate::data_dir::{DataDir, DataDirArg};
use crate::numbers::grouped;
use crate::output;
use crate::parked::ParkedIn;
use crate::serve::READ_MODELS;

/// How long models that are read while they are written may take to stand at one position, and how often is looked.
const SETTLE_WITHIN: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// One line a table: two imports that ended alike print the same, whatever happened meanwhile
#[derive(Debug, clap::Args)]
#[command(after_help = "Times, positions, versions and generated ids are left out. \
    A model that is behind the log is built up to its end first, in a temporary folder.\n\n\
    Exit code: 0 when all of it was printed, 2 when there is nothing to make it of, or that can't be read.")]
pub(crate) struct DigestArgs {
    #[command(flatten)]
    data: DataDirArg,
    /// Address of a projection-service's PostgreSQL database: its models are taken as they stand
    #[arg(long, value_name = "URL")]
    postgres_url: Option<String>,
    /// Settings file (TOML); keys are named like the flags, with underscores
    #[arg(long, env = "DOCKET_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The same address, as the settings file of all services has it
    #[arg(
        long,
        env = "DOCKET_PROJECTION_POSTGRES_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    projection_postgres_url: Option<String>,
    /// File with that address
    #[arg(long, env = "DOCKET_PROJECTION_POSTGRES_URL_FILE", value_name = "FILE")]
    projection_postgres_url_file: Option<PathBuf>,
}

/// Where a projection-service keeps its models in its database.
pub(crate) fn read_models(url: &str) -> Result<Home> {
    let settings = PostgresSettings::new(url, "docket read models")
        .context("the address of the read models' database can't be read")?;
    Ok(Home::postgres(settings, READ_MODELS))
}

pub(crate) async fn run(args: DigestArgs) -> Result<ExitCode> {
    match digest(args).await {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            output::complain(&error);
            Ok(ExitCode::from(2))
        }
    }
}

async fn digest(args: DigestArgs) -> Result<()> {
    let name = "projection_postgres_url";
    let named = secret(name, args.projection_postgres_url, args.projection_postgres_url_file)?;
    if let Some(url) = args.postgres_url.or(named) {
        return as_they_stand(read_models(&url)?).await;
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
    Ok(())
}

/// A projection-service has no log to build from: its models are taken as they are. A position that was passed without rows
/// is written down a moment later.
async fn as_they_stand(home: Home) -> Result<()> {
    let begun = Instant::now();
    let unreadable = || format!("the read models in {} can't be read", home.catalog());
    loop {
        let mut snapshots = Vec::new();
        let survey = offline::survey(home.clone()).await.with_context(unreadable)?;
        for model in survey.complete().with_context(unreadable)? {
            snapshots.push(model.snapshot().await.with_context(unreadable)?);
        }
        if snapshots.is_empty() {
            bail!("{} holds no read models: there is nothing to make a digest of", home.catalog());
        }
        let positions: HashSet<Position> = snapshots.iter().map(|model| model.position).collect();
        if positions.len() == 1 {
            return print(snapshots).await;
        }
        if begun.elapsed() > SETTLE_WITHIN {
            bail!("the read models stand at different positions; try again when they are settled");
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
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
