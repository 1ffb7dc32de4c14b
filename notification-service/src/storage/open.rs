//! Opening the tables and bringing them up to date.

use sqlx::migrate::MigrateError;
use storage::{Durability, Location, Migrations, Store};

/// Append-only: a migration that was released is never changed.
const MIGRATIONS: Migrations = Migrations {
    table: "notification_migrations",
    sqlite: &[
        ("0001_webhooks", include_str!("migrations/0001_webhooks.sql")),
        ("0002_mail", include_str!("migrations/0002_mail.sql")),
        ("0003_notices", include_str!("migrations/0003_notices.sql")),
        ("0004_done_requests", include_str!("migrations/0004_done_requests.sql")),
    ],
    postgres: &[
        ("0001_webhooks", include_str!("migrations/postgres/0001_webhooks.sql")),
        ("0002_mail", include_str!("migrations/postgres/0002_mail.sql")),
        ("0003_notices", include_str!("migrations/postgres/0003_notices.sql")),
        ("0004_done_requests", include_str!("migrations/postgres/0004_done_requests.sql")),
    ],
};

/// Connections for the API.
const READERS: u32 = 2;

/// Opens the tables, making them if there are none. What the last commits wrote before the machine, or PostgreSQL, crashed is
/// read from the log again, and what was sent then is sent again; what a person asked for is committed as durable.
pub(crate) async fn open(location: &Location) -> Result<Store, MigrateError> {
    let store = Store::open(location, Durability::Rebuildable, READERS).await?;
    store.migrate(MIGRATIONS).await?;
    Ok(store)
}
