//! Compares two generations that stand at one position, while both go on.

use ::storage::Transaction;
use event_store::Position;

use crate::model::Definition;
use crate::storage::checkpoint;
use crate::storage::digest::{Difference, TableDigest, differences, digest};
use crate::storage::generation::Generation;

/// Rows that are told when two generations differ.
const TOLD_ROWS: usize = 20;

/// A read snapshot of a generation: what is written later is not in it.
pub(super) struct Snapshot {
    transaction: Transaction,
    pub(super) position: Position,
}

impl Snapshot {
    pub(super) async fn open(generation: &Generation) -> Result<Self, sqlx::Error> {
        let mut transaction = generation.database.snapshot().await?;
        // The snapshot is taken by the first read.
        let position = checkpoint::position(&mut transaction).await?;
        Ok(Self { transaction, position })
    }
}

/// What a comparison found.
pub(super) struct Comparison {
    pub(super) position: Position,
    pub(super) digests: Vec<TableDigest>,
    /// Empty when the two are the same.
    pub(super) differing_tables: Vec<String>,
    /// The first rows that differ: the live one's on the left.
    pub(super) differences: Vec<Difference>,
}

pub(super) async fn compare(
    definition: &Definition,
    mut old: Snapshot,
    mut new: Snapshot,
) -> Result<Comparison, sqlx::Error> {
    let olds = digest(&mut old.transaction, definition).await?;
    let digests = digest(&mut new.transaction, definition).await?;
    let differing = olds.iter().zip(&digests).filter(|(old, new)| old != new);
    let differing_tables: Vec<String> = differing.map(|(old, _)| old.table.clone()).collect();
    let mut found = Vec::new();
    if !differing_tables.is_empty() {
        let (old, new) = (&mut old.transaction, &mut new.transaction);
        found = differences(old, new, definition, TOLD_ROWS).await?;
    }
    let position = new.position;
    Ok(Comparison { position, digests, differing_tables, differences: found })
}
