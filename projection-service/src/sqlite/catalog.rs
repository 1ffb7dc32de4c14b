//! Which generation of each projector is live. A switch is one transaction here.

use std::path::Path;

use sqlx::Row;
use storage::{Database, Durability};

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS projectors (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    live INTEGER NOT NULL,
    building INTEGER
) STRICT";
const FIND: &str = "SELECT version, live, building FROM projectors WHERE name = $1";
const REGISTER: &str = "INSERT INTO projectors (name, version, live, building)
    VALUES ($1, $2, $3, NULL)
    ON CONFLICT (name) DO UPDATE SET version = $2, live = $3, building = NULL";
const BUILD: &str =
    "UPDATE projectors SET building = $2 WHERE name = $1 AND building IS NULL AND live < $2";
const GIVE_UP: &str = "UPDATE projectors SET building = NULL WHERE name = $1 AND building = $2";
const SWITCH: &str = "UPDATE projectors SET live = $2, building = NULL
    WHERE name = $1 AND building = $2 AND live = $3";

/// What the catalog says of a projector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The version of the definition that built it.
    pub version: u32,
    /// The live generation.
    pub live: u32,
    /// The generation that was being built, if the process ended meanwhile.
    pub building: Option<u32>,
}

/// The catalog of projectors.
#[derive(Debug, Clone)]
pub struct Catalog(Database);

impl Catalog {
    /// Opens the catalog of this folder.
    pub async fn open(folder: &Path) -> Result<Self, sqlx::Error> {
        let database = Database::open(&folder.join("catalog.db"), Durability::Full, 1).await?;
        sqlx::query(SCHEMA).execute(database.writer()).await?;
        Ok(Self(database))
    }

    /// Opens the catalog of this folder to look at it.
    pub async fn open_read_only(folder: &Path) -> Result<Self, sqlx::Error> {
        Database::open_read_only(&folder.join("catalog.db"), 1).await.map(Self)
    }

    /// What it says of a projector.
    pub async fn find(&self, name: &str) -> Result<Option<Entry>, sqlx::Error> {
        let found = sqlx::query(FIND).bind(name).fetch_optional(self.0.reader()).await?;
        let Some(row) = found else { return Ok(None) };
        Ok(Some(Entry {
            version: row.try_get(0)?,
            live: row.try_get(1)?,
            building: row.try_get(2)?,
        }))
    }

    /// Makes a generation the live one, whatever there was before.
    pub async fn register(&self, name: &str, version: u32, live: u32) -> Result<(), sqlx::Error> {
        let query = sqlx::query(REGISTER).bind(name).bind(version).bind(live);
        query.execute(self.0.writer()).await.map(drop)
    }

    /// Notes that a generation is being built; false when one is already.
    pub async fn build(&self, name: &str, building: u32) -> Result<bool, sqlx::Error> {
        let query = sqlx::query(BUILD).bind(name).bind(building);
        Ok(query.execute(self.0.writer()).await?.rows_affected() == 1)
    }

    /// Notes that it is not being built any more.
    pub async fn give_up(&self, name: &str, building: u32) -> Result<(), sqlx::Error> {
        let query = sqlx::query(GIVE_UP).bind(name).bind(building);
        query.execute(self.0.writer()).await.map(drop)
    }

    /// Makes the generation that was built the live one; false when the catalog says otherwise.
    pub async fn switch(&self, name: &str, built: u32, old: u32) -> Result<bool, sqlx::Error> {
        let query = sqlx::query(SWITCH).bind(name).bind(built).bind(old);
        Ok(query.execute(self.0.writer()).await?.rows_affected() == 1)
    }

    /// Closes it.
    pub async fn close(&self) {
        self.0.close().await;
    }
}
