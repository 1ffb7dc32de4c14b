//! What a read model is to the runner: a pure fold, and how its rows are read and written.
//!
//! **Invariant:** an event touches the row of one key, and a row depends on nothing else, so rows can be folded in any
//! batches and written once a batch.

use ::storage::Connection;
use domain::event::{Event, EventType};
use domain::stream::Stream;

use crate::folds::{FoldError, Seen};

/// A row that a batch touched.
#[derive(Debug)]
pub struct Touched<R> {
    /// As it was before the batch; `None` when there was none.
    pub before: Option<R>,
    /// As it is now.
    pub after: R,
}

/// A table of a model, for digests and comparisons. They take rows with all of their columns: what lists and filters are
/// answered from is as much the fold of the log as a document is.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Every row, whole, in the order of keys.
    pub rows: &'static str,
    /// The columns that say which row it is: texts, and the first of that order.
    pub key: &'static [&'static str],
}

/// What is known of a model without its row type.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Its name, as in `/projections/{name}`.
    pub name: &'static str,
    /// Rises when the fold or the tables change: the model is then built anew.
    pub version: u32,
    /// Its tables, as statements that make them.
    pub schema: &'static [&'static str],
    /// Its tables, to be compared.
    pub tables: &'static [Table],
    /// The event types that it reads.
    pub types: fn() -> Vec<&'static str>,
}

/// A read model.
pub trait ReadModel: Send + Sync + 'static {
    /// A row, decoded.
    type Row: Clone + std::fmt::Debug + PartialEq + Send + Sync + 'static;

    /// Its name, version and tables.
    const DEFINITION: Definition;

    /// Decoded rows kept in memory, at least; hot rows are not read again.
    const CACHED_ROWS: usize = 8_192;

    /// The key of the row that the event touches, if it touches one.
    fn key(event: &Event) -> Option<&str>;

    /// The key of the row that events of this stream touch, for one that can't be read.
    fn key_of_stream(stream: &Stream) -> Option<String>;

    /// The row after the event; `None` when there is none.
    fn fold(
        row: Option<Self::Row>,
        event: &Event,
        seen: Seen,
    ) -> Result<Option<Self::Row>, FoldError>;

    /// The key of a row.
    fn key_of(row: &Self::Row) -> &str;

    /// Reads the rows of these keys.
    fn load(
        connection: &mut Connection,
        keys: &[&str],
    ) -> impl Future<Output = Result<Vec<Self::Row>, sqlx::Error>> + Send;

    /// Writes each row once.
    fn write(
        connection: &mut Connection,
        rows: &[Touched<Self::Row>],
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

/// The names of a context's event types.
pub fn names(types: &[EventType]) -> Vec<&'static str> {
    types.iter().map(|event_type| event_type.name).collect()
}
