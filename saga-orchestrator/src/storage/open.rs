//! Opening the tables and bringing them up to date.

use sqlx::migrate::MigrateError;
use storage::{Durability, Location, Migrations, Store};

/// Append-only: a migration that was released is never changed.
const MIGRATIONS: Migrations = Migrations {
    table: "saga_migrations",
    sqlite: &[
        ("0001_sagas", include_str!("migrations/0001_sagas.sql")),
        ("0002_lists", include_str!("migrations/0002_lists.sql")),
    ],
    postgres: &[
        ("0001_sagas", include_str!("migrations/postgres/0001_sagas.sql")),
        ("0002_lists", include_str!("migrations/postgres/0002_lists.sql")),
    ],
};

/// Connections for the API.
const READERS: u32 = 3;

/// Opens the tables, making them if there are none. What the last commits wrote before the machine, or PostgreSQL, crashed is
/// read from the log again; what a person or the clock asked for stands nowhere else, and is committed as durable.
pub(crate) async fn open(location: &Location) -> Result<Store, MigrateError> {
    let store = Store::open(location, Durability::Rebuildable, READERS).await?;
    store.migrate(MIGRATIONS).await?;
    Ok(store)
}
