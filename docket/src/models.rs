//! Read models from outside: those of a data folder, and those built anew from its log into a folder of their own.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow};
use event_store::sqlite::SqliteLog;
use event_store::{EventLog, Position};
use messaging::embedded::EmbeddedFeed;
use messaging::feed::Feed;
use projection_service::Projector;
use projection_service::projectors::readers;
use projection_service::runner::applier::Apply;
use projection_service::runner::build::{Building, OnProgress, build};
use projection_service::sqlite::catalog::Catalog;
use projection_service::sqlite::digest::{TableDigest, digest};
use projection_service::sqlite::{checkpoint, generation};
use sqlx::{Sqlite, Transaction};
use storage::Database;

/// The live generation of a model, open to be looked at.
pub(crate) struct LiveModel {
    pub(crate) projector: Projector,
    pub(crate) number: u32,
    database: Database,
}

/// A live model as of one moment: what is written later is not in it.
pub(crate) struct Snapshot {
    pub(crate) projector: Projector,
    pub(crate) position: Position,
    pub(crate) rows: Transaction<'static, Sqlite>,
}

impl LiveModel {
    /// Closes its file.
    pub(crate) async fn close(self) {
        self.database.close().await;
    }

    /// The model as of now.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot> {
        let unreadable = || format!("the read model `{}` can't be read", self.projector.name());
        let mut rows = self.database.reader().begin().await.with_context(unreadable)?;
        // The snapshot is taken by the first read.
        let position = checkpoint::position(&mut rows).await.with_context(unreadable)?;
        Ok(Snapshot { projector: self.projector, position, rows })
    }
}

/// The live models of a folder; none when there are no read models.
pub(crate) async fn live(folder: &Path) -> Result<Vec<LiveModel>> {
    if !folder.join("catalog.db").is_file() {
        return Ok(Vec::new());
    }
    let unreadable = || format!("the read models in {} can't be opened", folder.display());
    let catalog = Catalog::open_read_only(folder).await.with_context(unreadable)?;
    let mut models = Vec::new();
    for &projector in Projector::ALL {
        let found = catalog.find(projector.name()).await.with_context(unreadable)?;
        let Some(entry) = found else { continue };
        let path = generation::path(folder, projector.name(), entry.live);
        let database = Database::open_read_only(&path, 1).await.with_context(unreadable)?;
        models.push(LiveModel { projector, number: entry.live, database });
    }
    catalog.close().await;
    Ok(models)
}

/// The feed of a log that nobody needs to write meanwhile.
pub(crate) fn feed(log: &Arc<SqliteLog>) -> Arc<dyn Feed> {
    let log: Arc<dyn EventLog> = Arc::clone(log) as Arc<dyn EventLog>;
    Arc::new(EmbeddedFeed::new(log))
}

/// Says nothing.
pub(crate) fn quietly() -> OnProgress {
    Arc::new(|_, _| {})
}

/// A model that was built anew.
pub(crate) struct BuiltModel {
    pub(crate) projector: Projector,
    pub(crate) applier: Box<dyn Apply>,
}

impl BuiltModel {
    /// Digests of its tables, over every row, whole.
    pub(crate) async fn digests(&self) -> Result<Vec<TableDigest>> {
        let reader = self.applier.generation().database.reader();
        let mut connection = reader.acquire().await?;
        Ok(digest(&mut connection, self.projector.definition()).await?)
    }

    /// Closes its file.
    pub(crate) async fn close(self) {
        self.applier.generation().database.close().await;
    }
}

/// Builds these models anew in a folder, each up to its own position; the log is read once for all of them.
pub(crate) async fn build_anew(
    feed: &Arc<dyn Feed>,
    folder: &Path,
    wanted: &[(Projector, u32, Position)],
    progress: OnProgress,
) -> Result<Vec<BuiltModel>> {
    let mut wanted = wanted.to_vec();
    wanted.sort_by_key(|(_, _, to)| *to);
    let mut building: Vec<Building> = Vec::new();
    for (projector, number, _) in &wanted {
        let opened = projector.open(folder, *number, &feed.identity()).await;
        let applier = opened.with_context(|| {
            format!("the model `{}` can't be made in {}", projector.name(), folder.display())
        })?;
        building.push((projector.name(), applier));
    }
    let mut built = Vec::new();
    for (projector, _, to) in wanted {
        let done = build(Arc::clone(feed), readers(), building, to, Arc::clone(&progress)).await;
        building = done.into_iter().collect::<Result<_, _>>().context("a model can't be built")?;
        if building.is_empty() {
            return Err(anyhow!("the model `{}` was lost while it was built", projector.name()));
        }
        let (_, applier) = building.remove(0);
        built.push(BuiltModel { projector, applier });
    }
    Ok(built)
}
