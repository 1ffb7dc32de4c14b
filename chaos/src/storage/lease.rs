//! Who holds the lease of a service, by its database's account.

use anyhow::Result;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Each service has its tables in a schema of its own choice.
const TABLES: &str = "SELECT schemaname::text FROM pg_tables WHERE tablename = 'leases'";

/// The process that has a lease in this database.
pub(crate) async fn holder(url: &str, lease: &str) -> Result<Option<u32>> {
    let mut connection = PgConnection::connect(url).await?;
    let schemas: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut connection).await?;
    let mut found = None;
    for schema in schemas {
        let select = format!(" SELECT holder FROM \"{schema}\".leases WHERE name = $1");
        let holder = sqlx::query_scalar::<_, String>(AssertSqlSafe(select)).bind(lease);
        found = found.or(holder.fetch_optional(&mut connection).await?);
    }
    connection.close().await?;
    Ok(found.and_then(|holder| holder.strip_prefix("process ")?.parse().ok()))
}
