//! Copies of a SQLite file that other processes go on writing.
//!
//! Not SQLite's own backup: that one can't be told which moment to copy, and several files have to fit each other.
//! **Invariant:** a copy shows the file as it was when its [`Snapshot`] was taken, whatever is written meanwhile; it is one
//! file, without a journal and without what was ever deleted.

use std::path::{Path, PathBuf};

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};

use crate::sqlite::options;

/// Nobody else may write.
const STAND_STILL: &str = "BEGIN IMMEDIATE";
const GO_ON: &str = "ROLLBACK";
const ATTACH: &str = "ATTACH DATABASE $1 AS copy";
/// A copy that is not finished is thrown away, and whoever keeps it brings it to disk.
const UNPROTECTED: &str = "PRAGMA copy.journal_mode = OFF; PRAGMA copy.synchronous = OFF";
const BEGIN: &str = "BEGIN";
/// The first read fixes what all later ones see.
const FIX: &str = "SELECT count(*) FROM main.sqlite_schema";
/// SQLite makes its own tables by itself.
const SCHEMA: &str = "SELECT type, name, sql FROM main.sqlite_schema
    WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY rowid";
/// The numbers that tables drew last.
const HAS_SEQUENCES: &str =
    "SELECT count(*) FROM main.sqlite_schema WHERE name = 'sqlite_sequence'";
const SEQUENCES: &str = "DELETE FROM copy.sqlite_sequence;
    INSERT INTO copy.sqlite_sequence SELECT * FROM main.sqlite_sequence";
const COMMIT: &str = "COMMIT";

/// While it is held nobody writes the file; readers don't notice.
#[derive(Debug)]
pub struct Standstill(SqliteConnection);

impl Standstill {
    /// Waits until who writes now is done, and lets nobody begin.
    pub async fn begin(path: &Path) -> Result<Self, sqlx::Error> {
        let mut connection = options(path).connect().await?;
        sqlx::query(STAND_STILL).execute(&mut connection).await?;
        Ok(Self(connection))
    }

    /// Lets writers go on.
    pub async fn end(mut self) -> Result<(), sqlx::Error> {
        sqlx::query(GO_ON).execute(&mut self.0).await?;
        self.0.close().await
    }
}

/// A file that is about to be copied.
#[derive(Debug)]
pub struct Prepared {
    connection: SqliteConnection,
    target: PathBuf,
}

/// A file as of one moment, about to be copied.
#[derive(Debug)]
pub struct Snapshot {
    connection: SqliteConnection,
    target: PathBuf,
}

/// Something that the file has: a table, an index, a trigger.
type Item = (String, String, String);

impl Prepared {
    /// Makes everything ready to copy a file to `target`, which must not be there.
    pub async fn open(path: &Path, target: &Path) -> Result<Self, sqlx::Error> {
        let mut connection = options(path).connect().await?;
        make(target).await?.close().await?;
        let name = target.to_string_lossy().into_owned();
        sqlx::query(ATTACH).bind(name).execute(&mut connection).await?;
        sqlx::raw_sql(UNPROTECTED).execute(&mut connection).await?;
        Ok(Self { connection, target: target.to_owned() })
    }

    /// The file as it is now. Until it is copied, its write-ahead log can't be begun anew.
    pub async fn fix(mut self) -> Result<Snapshot, sqlx::Error> {
        sqlx::query(BEGIN).execute(&mut self.connection).await?;
        let _: i64 = sqlx::query_scalar(FIX).fetch_one(&mut self.connection).await?;
        Ok(Snapshot { connection: self.connection, target: self.target })
    }
}

impl Snapshot {
    /// Copies it.
    pub async fn copy(mut self) -> Result<(), sqlx::Error> {
        let items: Vec<Item> = sqlx::query_as(SCHEMA).fetch_all(&mut self.connection).await?;
        // Whole pages are taken over where the copy has the indexes and no trigger that would have to hear of each row.
        self.define(&items, |kind| kind != "trigger").await?;
        for (_, name, _) in items.iter().filter(|(kind, _, _)| kind == "table") {
            let table = quoted(name);
            let all = format!("INSERT INTO copy.{table} SELECT * FROM main.{table}");
            sqlx::raw_sql(AssertSqlSafe(all)).execute(&mut self.connection).await?;
        }
        let sequences: i64 =
            sqlx::query_scalar(HAS_SEQUENCES).fetch_one(&mut self.connection).await?;
        if sequences > 0 {
            sqlx::raw_sql(SEQUENCES).execute(&mut self.connection).await?;
        }
        sqlx::query(COMMIT).execute(&mut self.connection).await?;
        self.define(&items, |kind| kind == "trigger").await?;
        self.connection.close().await
    }

    /// Makes what is of these kinds, in the words of the file.
    async fn define(&self, items: &[Item], which: fn(&str) -> bool) -> Result<(), sqlx::Error> {
        let mut copy = make(&self.target).await?;
        for (_, _, sql) in items.iter().filter(|(kind, _, _)| which(kind)) {
            sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut copy).await?;
        }
        copy.close().await
    }
}

async fn make(target: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(target)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Off)
        .synchronous(SqliteSynchronous::Off);
    options.connect().await
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Database, Durability};

    async fn run(database: &Database, sql: &'static str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(sql).execute(database.writer()).await.map(drop)
    }

    async fn number(database: &Database, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(database.reader()).await.unwrap()
    }

    #[tokio::test]
    async fn a_copy_is_of_the_moment_at_which_it_was_begun_with_all_that_the_file_has() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("t.db"), folder.path().join("copy.db"));
        let database = Database::open(&path, Durability::Full, 1).await.unwrap();
        let made = "CREATE TABLE a (n INTEGER PRIMARY KEY AUTOINCREMENT, t TEXT UNIQUE) STRICT;
            CREATE TABLE \"b c\" (k TEXT PRIMARY KEY, v BLOB) STRICT, WITHOUT ROWID;
            CREATE INDEX a_by_t ON a (t DESC);
            CREATE TRIGGER a_stays BEFORE DELETE ON a BEGIN SELECT RAISE(ABORT, 'stays'); END;
            INSERT INTO a (t) VALUES ('x'), ('y'); INSERT INTO \"b c\" VALUES ('k', x'00ff')";
        run(&database, made).await.unwrap();
        let snapshot = Prepared::open(&path, &target).await.unwrap().fix().await.unwrap();
        run(&database, "INSERT INTO a (t) VALUES ('later')").await.unwrap();
        snapshot.copy().await.unwrap();
        assert_eq!(number(&database, "SELECT count(*) FROM a").await, 3, "nobody was held up");
        database.close().await;
        let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name());
        let beside = files.filter(|name| name.to_string_lossy().starts_with("copy.db"));
        assert_eq!(beside.count(), 1, "one file");

        let copy = Database::open(&target, Durability::Full, 1).await.unwrap();
        assert_eq!(number(&copy, "SELECT count(*) FROM a WHERE t IN ('x', 'y')").await, 2);
        assert_eq!(number(&copy, "SELECT count(*) FROM a").await, 2);
        assert_eq!(number(&copy, "SELECT count(*) FROM \"b c\" WHERE v = x'00ff'").await, 1);
        let same = "SELECT count(*) FROM sqlite_schema WHERE name IN ('a_by_t', 'a_stays')";
        assert_eq!(number(&copy, same).await, 2);
        run(&copy, "INSERT INTO a (t) VALUES ('next')").await.unwrap();
        assert_eq!(number(&copy, "SELECT n FROM a WHERE t = 'next'").await, 3, "none twice");
        run(&copy, "DELETE FROM a").await.unwrap_err();
        copy.close().await;
    }

    #[tokio::test]
    async fn while_it_stands_still_a_file_is_read_and_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.db");
        let database = Database::open(&path, Durability::Full, 1).await.unwrap();
        run(&database, "CREATE TABLE t (a)").await.unwrap();
        let still = Standstill::begin(&path).await.unwrap();
        let writer = database.clone();
        let writing = tokio::spawn(async move { run(&writer, "INSERT INTO t VALUES (1)").await });
        assert_eq!(number(&database, "SELECT count(*) FROM t").await, 0);
        assert!(!writing.is_finished());
        still.end().await.unwrap();
        writing.await.unwrap().unwrap();
        assert_eq!(number(&database, "SELECT count(*) FROM t").await, 1);
        database.close().await;
    }
}
