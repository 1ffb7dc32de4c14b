//! A writing transaction on SQLite that goes to its connection's thread as seldom as can be.
//!
//! The driver's own begin and commit make that thread wait until the task has heard of them, so each costs several
//! switches between threads: for a small transaction, more than its statements. Here they are statements as others, and
//! may go along with others.
//!
//! **Invariant:** one that is not committed is rolled back. Its connection is closed for that, so that it can't be handed
//! out half done whatever happened to the task; the pool opens another.

use sqlx::pool::PoolConnection;
use sqlx::{Sqlite, SqliteConnection, SqlitePool};

/// `IMMEDIATE`: a read that turns into a write can fail.
const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
/// How much a commit waits for can be changed outside of a transaction only.
const BEGIN_DURABLE: &str = "PRAGMA synchronous = FULL; BEGIN IMMEDIATE";
const COMMIT_DURABLE: &str = "COMMIT; PRAGMA synchronous = NORMAL";

/// A transaction that may write.
#[derive(Debug)]
pub struct WriteTransaction {
    connection: PoolConnection<Sqlite>,
    commit: &'static str,
    ended: bool,
}

impl WriteTransaction {
    /// Begins a transaction.
    pub async fn begin(writer: &SqlitePool) -> Result<Self, sqlx::Error> {
        let mut transaction = Self::of_own_words(writer).await?;
        sqlx::query(BEGIN).execute(transaction.connection()).await?;
        Ok(transaction)
    }

    /// Begins one that waits for the disk, on a connection whose others don't.
    pub(crate) async fn begin_durable(writer: &SqlitePool) -> Result<Self, sqlx::Error> {
        let mut transaction = Self::of_own_words(writer).await?;
        transaction.commit = COMMIT_DURABLE;
        sqlx::query(BEGIN_DURABLE).execute(transaction.connection()).await?;
        Ok(transaction)
    }

    /// For a caller whose own statements begin with `BEGIN IMMEDIATE;` and end with `; COMMIT`, and who then says
    /// [`is_committed`](Self::is_committed).
    pub async fn of_own_words(writer: &SqlitePool) -> Result<Self, sqlx::Error> {
        Ok(Self { connection: writer.acquire().await?, commit: COMMIT, ended: false })
    }

    /// Where its statements run.
    pub fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Makes it so. When this fails, it may have been done.
    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        let commit = self.commit;
        sqlx::query(commit).execute(self.connection()).await?;
        self.is_committed();
        Ok(())
    }

    /// The last statement committed it.
    pub fn is_committed(mut self) {
        self.ended = true;
    }
}

impl Drop for WriteTransaction {
    fn drop(&mut self) {
        if !self.ended {
            self.connection.close_on_drop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Database, Durability};

    async fn database() -> (tempfile::TempDir, Database) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let database = Database::open(&path, Durability::Full, 1).await.unwrap();
        sqlx::query("CREATE TABLE t (a INTEGER PRIMARY KEY)")
            .execute(database.writer())
            .await
            .unwrap();
        (folder, database)
    }

    async fn count(pool: &SqlitePool) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM t").fetch_one(pool).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_committed_stays_and_its_connection_is_used_again() {
        let (_folder, database) = database().await;
        for n in 1..=3 {
            let mut transaction = WriteTransaction::begin(database.writer()).await.unwrap();
            sqlx::query("INSERT INTO t VALUES ($1)")
                .bind(n)
                .execute(transaction.connection())
                .await
                .unwrap();
            transaction.commit().await.unwrap();
            assert_eq!(count(database.reader()).await, n);
        }
    }

    #[tokio::test]
    async fn what_is_dropped_or_fails_is_rolled_back() {
        let (_folder, database) = database().await;
        let mut dropped = WriteTransaction::begin(database.writer()).await.unwrap();
        sqlx::query("INSERT INTO t VALUES (1)").execute(dropped.connection()).await.unwrap();
        drop(dropped);
        let mut failed = WriteTransaction::of_own_words(database.writer()).await.unwrap();
        let twice = "BEGIN IMMEDIATE; INSERT INTO t VALUES (2); INSERT INTO t VALUES (2); COMMIT";
        assert!(sqlx::query(twice).execute(failed.connection()).await.is_err());
        drop(failed);
        // The next one gets a connection that is in no transaction.
        let next = WriteTransaction::begin(database.writer()).await.unwrap();
        next.commit().await.unwrap();
        assert_eq!(count(database.writer()).await, 0);
    }

    async fn synchronous(database: &Database) -> i64 {
        sqlx::query_scalar("PRAGMA synchronous").fetch_one(database.writer()).await.unwrap()
    }

    #[tokio::test]
    async fn one_waits_for_the_disk_where_the_others_do_not() {
        const NORMAL: i64 = 1;
        const FULL: i64 = 2;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let database = Database::open(&path, Durability::Rebuildable, 1).await.unwrap();
        assert_eq!(synchronous(&database).await, NORMAL);
        let mut durable = WriteTransaction::begin_durable(database.writer()).await.unwrap();
        let within = sqlx::query_scalar::<_, i64>("PRAGMA synchronous");
        assert_eq!(within.fetch_one(durable.connection()).await.unwrap(), FULL);
        durable.commit().await.unwrap();
        assert_eq!(synchronous(&database).await, NORMAL);
        drop(WriteTransaction::begin_durable(database.writer()).await.unwrap());
        assert_eq!(synchronous(&database).await, NORMAL, "another connection has its place");
    }

    #[tokio::test]
    async fn words_of_ones_own_begin_and_commit() {
        let (_folder, database) = database().await;
        let mut transaction = WriteTransaction::of_own_words(database.writer()).await.unwrap();
        let last: Option<i64> = sqlx::query_scalar("BEGIN IMMEDIATE; SELECT max(a) FROM t")
            .fetch_one(transaction.connection())
            .await
            .unwrap();
        sqlx::query("INSERT INTO t VALUES (?); COMMIT")
            .bind(last.unwrap_or(0) + 1)
            .execute(transaction.connection())
            .await
            .unwrap();
        transaction.is_committed();
        assert_eq!(count(database.reader()).await, 1);
    }
}
