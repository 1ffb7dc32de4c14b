//! A database of one measurement, on the server that all share.

use anyhow::{Context as _, Result};
use sqlx::{Connection as _, PgConnection};

/// A database that nobody else uses.
pub(crate) struct Database {
    admin: String,
    name: String,
    url: String,
}

impl Database {
    /// Makes one; `admin` is the address of another database of the server, whose user may do that.
    pub(crate) async fn create(admin: &str) -> Result<Self> {
        let name = format!("bench_{}", std::process::id());
        let (server, _) = admin.rsplit_once('/').context("an address without a database")?;
        let database = Self { url: format!("{server}/{name}"), admin: admin.to_owned(), name };
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", database.name);
        let create = format!("CREATE DATABASE {}", database.name);
        database.tell(&database.admin, [&drop, &create]).await?;
        Ok(database)
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Statistics are fresh, and the next checkpoint is far away.
    pub(crate) async fn settle(&self) -> Result<()> {
        self.tell(&self.url, ["VACUUM ANALYZE", "CHECKPOINT"]).await
    }

    /// Takes it away.
    pub(crate) async fn remove(self) -> Result<()> {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        self.tell(&self.admin, [&drop]).await
    }

    async fn tell<const N: usize>(&self, url: &str, statements: [&str; N]) -> Result<()> {
        let mut connection = PgConnection::connect(url).await?;
        for statement in statements {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await?;
        }
        Ok(connection.close().await?)
    }
}
