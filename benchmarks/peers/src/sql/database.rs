//! A database of a run's own: created empty, dropped at its end.

use std::str::FromStr as _;
use std::time::Duration;

use anyhow::Context as _;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

/// So that the first reads of a run don't pay for what was loaded.
const VACUUM: &str = "VACUUM ANALYZE";
/// So that no checkpoint of what was loaded falls into the run.
const CHECKPOINT: &str = "CHECKPOINT";

/// A database that nobody else uses.
#[derive(Debug)]
pub(crate) struct Database {
    admin: PgConnectOptions,
    name: String,
}

impl Database {
    /// Creates it beside the given one.
    pub(crate) async fn create(admin_url: &str) -> anyhow::Result<Self> {
        let admin = PgConnectOptions::from_str(admin_url)
            .context("--postgres is not the address of a database")?;
        // Process ids come again: what a run left behind when it was killed is in the way.
        let database = Self { admin, name: format!("peers_{}", std::process::id()) };
        database.drop_it().await?;
        database.as_admin(&format!("CREATE DATABASE {}", database.name)).await?;
        Ok(database)
    }

    /// How to connect to it.
    pub(crate) fn options(&self) -> PgConnectOptions {
        self.admin.clone().database(&self.name)
    }

    /// Lets it come to rest after loading.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        let mut connection = self.options().connect().await?;
        connection.execute(VACUUM).await?;
        connection.execute(CHECKPOINT).await?;
        Ok(connection.close().await?)
    }

    /// Drops it, whoever is still connected.
    pub(crate) async fn drop_it(&self) -> anyhow::Result<()> {
        self.as_admin(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)).await
    }

    async fn as_admin(&self, statement: &str) -> anyhow::Result<()> {
        let connected = self.admin.clone().connect().await;
        let mut connection = connected.context("PostgreSQL can't be reached")?;
        connection.execute(statement).await?;
        Ok(connection.close().await?)
    }
}

/// How long a client waits for one of its connections.
const PATIENCE: Duration = Duration::from_mins(10);

/// A pool of that many open connections. By default sqlx pings a connection before each use, which costs a peer 12 to
/// 18 % of its rate: it is off.
pub(crate) async fn connect(options: PgConnectOptions, connections: u32) -> anyhow::Result<PgPool> {
    let pool = PgPoolOptions::new()
        .min_connections(connections)
        .max_connections(connections)
        .test_before_acquire(false)
        // A busy machine is slow, and one that slept has slept through it.
        .acquire_timeout(PATIENCE)
        .connect_with(options)
        .await?;
    Ok(pool)
}
