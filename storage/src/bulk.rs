//! One statement for many rows. A driver's statement costs tens of microseconds whatever it carries, so rows go in
//! chunks of a few fixed sizes, whose texts are made once and whose prepared statements stay cached.

use std::sync::OnceLock;

use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, SqliteConnection};

use crate::store::{Connection, Query, Sql};

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

/// `{head} VALUES (?, ?), (?, ?) … {tail}` for any number of rows.
pub struct BulkStatement {
    head: &'static str,
    columns: usize,
    tail: &'static str,
    texts: [OnceLock<Sql>; CHUNKS.len()],
}

impl BulkStatement {
    /// `head` ends before `VALUES`; `tail` follows the rows, such as an `ON CONFLICT` clause. Neither has parameters.
    pub const fn new(head: &'static str, columns: usize, tail: &'static str) -> Self {
        Self { head, columns, tail, texts: [const { OnceLock::new() }; CHUNKS.len()] }
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
                let query = sqlx::query(self.text(index, size).sqlite());
                let query = chunk.iter().fold(query, &bind);
                affected += query.execute(&mut *connection).await?.rows_affected();
            }
        }
        Ok(affected)
    }

    /// As [`execute`](Self::execute), on either dialect. No two rows may have the same key: PostgreSQL would refuse them.
    pub async fn write<'q, R>(
        &self,
        connection: &mut Connection,
        rows: &'q [R],
        bind: impl for<'c> Fn(Query<'c>, &'q R) -> Query<'c>,
    ) -> Result<u64, sqlx::Error> {
        let mut rest = rows;
        let mut affected = 0;
        for (index, &size) in CHUNKS.iter().enumerate() {
            while rest.len() >= size {
                let (chunk, later) = rest.split_at(size);
                rest = later;
                let query = connection.query(self.text(index, size));
                affected += chunk.iter().fold(query, &bind).execute().await?;
            }
        }
        Ok(affected)
    }

    fn text(&self, index: usize, rows: usize) -> Sql {
        *self.texts[index].get_or_init(|| {
            // Without names: SQLite looks a parameter's name up in a list, so hundreds of names cost their square.
            let sqlite = self.made(rows, |_| "?".to_owned());
            Sql::per_dialect(sqlite, self.made(rows, |number| format!("${number}")))
        })
    }

    fn made(&self, rows: usize, parameter: impl Fn(usize) -> String) -> &'static str {
        let row = |row: usize| {
            let places = (1..=self.columns).map(|column| parameter(row * self.columns + column));
            format!("({})", places.collect::<Vec<_>>().join(", "))
        };
        let rows = (0..rows).map(row).collect::<Vec<_>>().join(", ");
        // Kept for the life of the program: a handful of texts a statement.
        String::leak(format!("{} VALUES {rows} {}", self.head, self.tail))
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
