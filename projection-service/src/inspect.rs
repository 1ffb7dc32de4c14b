//! Looks at models without running them: digests, and comparisons row for row. For `docket verify` and `docket replay`.

use event_store::Position;

use crate::projectors::Projector;
use crate::storage::catalog::Catalog;
use crate::storage::checkpoint;
use crate::storage::digest::{self, Difference, TableDigest};
use crate::storage::generation::Generation;
use crate::storage::home::Home;

/// A model that is looked at.
#[derive(Debug, Clone)]
pub struct Model {
    /// Which one it is.
    pub projector: Projector,
    generation: Generation,
}

impl Model {
    pub(crate) fn new(projector: Projector, generation: Generation) -> Self {
        Self { projector, generation }
    }

    /// Opens the live generation that is here; `None` when there is none. The service may be running.
    pub async fn live(
        home: impl Into<Home>,
        projector: Projector,
    ) -> Result<Option<Self>, sqlx::Error> {
        let home = home.into();
        let catalog = Catalog::open_read_only(&home).await?;
        let live = catalog.live(projector.name()).await;
        catalog.close().await;
        let Some((live, _)) = live? else { return Ok(None) };
        let generation = Generation::look(&home, projector.definition(), live).await?;
        Ok(Some(Self { projector, generation }))
    }

    /// The last position folded.
    pub async fn position(&self) -> Result<Position, sqlx::Error> {
        let mut connection = self.generation.database.reader().await?;
        checkpoint::position(&mut connection).await
    }

    /// A digest a table over every row, and the position that they show.
    pub async fn digest(&self) -> Result<(Position, Vec<TableDigest>), sqlx::Error> {
        let mut snapshot = self.generation.database.snapshot().await?;
        let position = checkpoint::position(&mut snapshot).await?;
        Ok((position, digest::digest(&mut snapshot, self.projector.definition()).await?))
    }

    /// A digest a table over what two runs of the same business have in common: rows without times, versions,
    /// positions and sealed bytes.
    pub async fn digest_stable(&self) -> Result<Vec<TableDigest>, sqlx::Error> {
        let mut snapshot = self.generation.database.snapshot().await?;
        digest::digest_stable(&mut snapshot, self.projector.definition()).await
    }

    /// The first `limit` rows that differ from another generation of the same model.
    pub async fn differences(
        &self,
        other: &Self,
        limit: usize,
    ) -> Result<Vec<Difference>, sqlx::Error> {
        let mut left = self.generation.database.snapshot().await?;
        let mut right = other.generation.database.snapshot().await?;
        digest::differences(&mut left, &mut right, self.projector.definition(), limit).await
    }

    /// Closes it.
    pub async fn close(self) {
        self.generation.database.close().await;
    }
}
