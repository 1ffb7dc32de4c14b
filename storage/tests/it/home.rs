//! Where the stores of tests live, and a macro that runs each case in both.

use std::time::Duration;

use storage::postgres::PostgresSettings;
use storage::{Durability, Location, Migrations, Store};
use tempfile::TempDir;
use test_servers::Database;

const MIGRATIONS: Migrations = Migrations {
    table: "things_migrations",
    sqlite: &[("0001", "CREATE TABLE things (a INTEGER PRIMARY KEY, b TEXT, c BLOB) STRICT")],
    postgres: &[("0001", "CREATE TABLE things (a BIGINT PRIMARY KEY, b TEXT, c BYTEA)")],
};

/// What a store lives in; gone when this is dropped.
pub(crate) struct Home {
    pub(crate) location: Location,
    _file: Option<TempDir>,
    _database: Option<Database>,
}

impl Home {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = folder.path().join("things.db").into();
        Self { location, _file: Some(folder), _database: None }
    }

    /// `None` where PostgreSQL is not installed.
    pub(crate) fn postgres() -> Option<Self> {
        let database = test_servers::database()?;
        let settings = PostgresSettings::new(&database.url(), "test").unwrap();
        let settings = settings.call_timeout(Duration::from_secs(2));
        let location = Location::postgres(settings, "things");
        Some(Self { location, _file: None, _database: Some(database) })
    }

    pub(crate) async fn open(&self) -> Store {
        let store = Store::open(&self.location, Durability::Full, 2).await.unwrap();
        store.migrate(MIGRATIONS).await.unwrap();
        store
    }
}

/// Each case on both dialects.
macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod sqlite { $(
            #[tokio::test]
            async fn $case() { super::$case(crate::home::Home::sqlite()).await; }
        )+ }
        mod postgres { $(
            #[tokio::test]
            async fn $case() {
                let Some(home) = crate::home::Home::postgres() else { return };
                super::$case(home).await;
            }
        )+ }
    };
}

pub(crate) use on_both;
