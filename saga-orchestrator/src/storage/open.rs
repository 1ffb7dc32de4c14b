//! Opening the database and bringing its tables up to date.

use std::path::Path;

use sqlx::migrate::MigrateError;
use storage::{Database, Durability};

/// Append-only: a migration that was released is never changed.
const MIGRATIONS: [(&str, &str); 1] = [("0001_sagas", include_str!("migrations/0001_sagas.sql"))];

/// Connections for the API.
const READERS: u32 = 3;

/// Opens the file, making it if there is none.
pub(crate) async fn open(path: &Path) -> Result<Database, MigrateError> {
    let database = Database::open(path, Durability::Full, READERS).await?;
    storage::migrator(&MIGRATIONS).run(database.writer()).await?;
    Ok(database)
}
