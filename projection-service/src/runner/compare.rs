//! Compares two generations that stand at one position, while both go on.

use event_store::Position;
use sqlx::{Sqlite, Transaction};

use crate::model::Definition;
use crate::sqlite::checkpoint;
use crate::sqlite::digest::{TableDigest, digest};
use crate::sqlite::generation::Generation;

/// A read snapshot of a generation: what is written later is not in it.
pub(super) struct Snapshot {
    transaction: Transaction<'static, Sqlite>,
    pub(super) position: Position,
}

impl Snapshot {
    pub(super) async fn open(generation: &Generation) -> Result<Self, sqlx::Error> {
        let mut transaction = generation.database.reader().begin().await?;
        // The snapshot is taken by the first read.
        let position = checkpoint::position(&mut transaction).await?;
        Ok(Self { transaction, position })
    }
}

/// What a comparison found.
pub(super) struct Comparison {
    pub(super) position: Position,
    pub(super) digests: Vec<TableDigest>,
    pub(super) differing_tables: Vec<String>,
}

pub(super) async fn compare(
    definition: &Definition,
    mut old: Snapshot,
    mut new: Snapshot,
) -> Result<Comparison, sqlx::Error> {
    let olds = digest(&mut old.transaction, definition).await?;
    let digests = digest(&mut new.transaction, definition).await?;
    let differing = olds.iter().zip(&digests).filter(|(old, new)| old != new);
    let differing_tables = differing.map(|(old, _)| old.table.to_owned()).collect();
    Ok(Comparison { position: new.position, digests, differing_tables })
}
