//! One statement for many rows. A driver's statement costs tens of microseconds whatever it carries. For SQLite, rows go
//! in chunks of a few fixed sizes, whose texts are made once and whose prepared statements stay cached. PostgreSQL takes an
//! array a column: one text, and one round trip, for any number of rows.

use std::sync::OnceLock;

use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, SqliteConnection};

use crate::store::{Bindings, Columns, Connection, Target, Values};

type SqliteQuery<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

/// Rows a statement, largest first; the last is 1, so that every number of rows is a sum of them. Every small size is there,
/// so that the rest is one statement, and a batch of ordinary size is one.
const CHUNKS: [usize; 35] = chunks();

const fn chunks() -> [usize; 35] {
    let mut sizes = [256; 35];
    (sizes[1], sizes[2]) = (128, 64);
    let mut index = 3;
    while index < sizes.len() {
        sizes[index] = sizes.len() - index;
        index += 1;
    }
    sizes
}

/// Rows a statement on PostgreSQL, at most: what one call sends stays bounded.
const MOST_ROWS: usize = 4_096;

/// `{head} VALUES (?, ?), (?, ?) … {tail}` for any number of rows.
pub struct BulkStatement {
    head: &'static str,
    columns: usize,
    tail: &'static str,
    texts: [OnceLock<&'static str>; CHUNKS.len()],
    /// The one for PostgreSQL.
    text_of_arrays: OnceLock<&'static str>,
}

impl BulkStatement {
    /// `head` ends before `VALUES`; `tail` follows the rows, such as an `ON CONFLICT` clause. Neither has parameters.
    pub const fn new(head: &'static str, columns: usize, tail: &'static str) -> Self {
        let texts = [const { OnceLock::new() }; CHUNKS.len()];
        Self { head, columns, tail, texts, text_of_arrays: OnceLock::new() }
    }

    /// How many rows the last statement carries, when so many are written.
    pub fn last_chunk(mut rows: usize) -> usize {
        let mut last = 0;
        for size in CHUNKS {
            while rows >= size {
                rows -= size;
                last = size;
            }
        }
        last
    }

    /// Writes all rows; `bind` binds one row's columns in order. Returns the number of rows affected.
    pub async fn execute<'q, R>(
        &self,
        connection: &mut SqliteConnection,
        rows: &'q [R],
        bind: impl Fn(SqliteQuery<'q>, &'q R) -> SqliteQuery<'q>,
    ) -> Result<u64, sqlx::Error> {
        let mut rest = rows;
        let mut affected = 0;
        for (index, &size) in CHUNKS.iter().enumerate() {
            while rest.len() >= size {
                let (chunk, later) = rest.split_at(size);
                rest = later;
                let query = sqlx::query(self.text(index, size));
                let query = chunk.iter().fold(query, &bind);
                affected += query.execute(&mut *connection).await?.rows_affected();
            }
        }
        Ok(affected)
    }

    /// As [`execute`](Self::execute), on either dialect. No two rows may have the same key: PostgreSQL would refuse them.
    /// Each row binds values of the same types.
    pub async fn write<'q, R>(
        &self,
        connection: &mut Connection,
        rows: &'q [R],
        bind: impl for<'c> Fn(Bindings<'c>, &'q R) -> Bindings<'c>,
    ) -> Result<u64, sqlx::Error> {
        if connection.is_postgres() {
            return self.write_arrays(connection, rows, bind).await;
        }
        let mut rest = rows;
        let mut affected = 0;
        for (index, &size) in CHUNKS.iter().enumerate() {
            while rest.len() >= size {
                let (chunk, later) = rest.split_at(size);
                rest = later;
                let query = connection.query(self.text(index, size));
                let bound = chunk.iter().fold(Bindings(Target::Statement(query)), &bind);
                if let Target::Statement(query) = bound.0 {
                    affected += query.execute().await?;
                }
            }
        }
        Ok(affected)
    }

    async fn write_arrays<'q, R>(
        &self,
        connection: &mut Connection,
        rows: &'q [R],
        bind: impl for<'c> Fn(Bindings<'c>, &'q R) -> Bindings<'c>,
    ) -> Result<u64, sqlx::Error> {
        let mut affected = 0;
        for chunk in rows.chunks(MOST_ROWS) {
            let columns = Bindings(Target::Columns(Columns::new(self.columns)));
            if let Target::Columns(columns) = chunk.iter().fold(columns, &bind).0 {
                let text = |columns: &[Values]| self.text_of(columns);
                affected += connection.execute_columns(text, columns).await?;
            }
        }
        Ok(affected)
    }

    fn text(&self, index: usize, rows: usize) -> &'static str {
        self.texts[index].get_or_init(|| {
            // Without names: SQLite looks a parameter's name up in a list, so hundreds of names cost their square.
            let row = format!("({})", vec!["?"; self.columns].join(", "));
            let rows = vec![row; rows].join(", ");
            // Kept for the life of the program: a handful of texts a statement.
            String::leak(format!("{} VALUES {rows} {}", self.head, self.tail))
        })
    }

    fn text_of(&self, columns: &[Values]) -> &'static str {
        self.text_of_arrays.get_or_init(|| {
            let array = |(place, column): (usize, &Values)| {
                format!("${}::{}", place + 1, column.sql_type())
            };
            let arrays: Vec<_> = columns.iter().enumerate().map(array).collect();
            let arrays = arrays.join(", ");
            String::leak(format!("{} SELECT * FROM unnest({arrays}) {}", self.head, self.tail))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Database, Durability};

    static INSERT: BulkStatement =
        BulkStatement::new("INSERT INTO t (a, b)", 2, "ON CONFLICT (a) DO NOTHING");

    #[tokio::test]
    async fn any_number_of_rows_is_written_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let database =
            Database::open(&folder.path().join("t.db"), Durability::Full, 2).await.unwrap();
        sqlx::query("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)")
            .execute(database.writer())
            .await
            .unwrap();
        let rows: Vec<i64> = (1..=617).collect();
        let mut connection = database.writer().acquire().await.unwrap();
        let affected = INSERT
            .execute(&mut connection, &rows, |query, row| query.bind(row).bind(row.to_string()))
            .await
            .unwrap();
        drop(connection);
        assert_eq!(affected, 617);
        let sum: i64 = sqlx::query_scalar("SELECT sum(a = CAST(b AS INTEGER)) FROM t")
            .fetch_one(database.reader())
            .await
            .unwrap();
        assert_eq!(sum, 617);
    }

    #[test]
    fn the_last_chunk_is_what_the_others_leave() {
        let of = [0, 1, 32, 33, 63, 64, 256, 617].map(BulkStatement::last_chunk);
        assert_eq!(of, [0, 1, 32, 1, 31, 64, 256, 9]);
    }
}
