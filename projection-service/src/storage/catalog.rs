//! Which generation of each projector is live, which one is kept beside it, and what operators asked for.
//!
//! **Invariant:** a switch, a rollback and a drop are one transaction here, together with the key of the request that
//! asked for it: a repeat of the request, also after a restart, changes nothing.

use std::io;

use storage::{Durability, Fence, Store, Transaction};

use super::checkpoint::number;
use super::home::Home;

const SCHEMA: [&str; 4] = [
    "CREATE TABLE IF NOT EXISTS projectors (
        name TEXT PRIMARY KEY,
        version INTEGER NOT NULL,
        live INTEGER NOT NULL,
        building INTEGER
    ) STRICT",
    "CREATE TABLE IF NOT EXISTS kept (
        name TEXT PRIMARY KEY,
        generation INTEGER NOT NULL,
        role TEXT NOT NULL
    ) STRICT",
    "CREATE TABLE IF NOT EXISTS outcomes (name TEXT PRIMARY KEY, outcome TEXT NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS asked (key TEXT PRIMARY KEY, request TEXT NOT NULL) STRICT",
];
const FIND: &str = "SELECT p.version, p.live, p.building, k.generation, k.role, o.outcome
    FROM projectors p LEFT JOIN kept k ON k.name = p.name LEFT JOIN outcomes o ON o.name = p.name
    WHERE p.name = $1";
const LIVE: &str = "SELECT live, version FROM projectors WHERE name = $1";
const REGISTER: &str = "INSERT INTO projectors (name, version, live, building)
    VALUES ($1, $2, $3, NULL)
    ON CONFLICT (name) DO UPDATE SET version = $2, live = $3, building = NULL";
const BUILD: &str = "UPDATE projectors SET building = 1 + (SELECT max(generation) FROM (
        SELECT live AS generation FROM projectors WHERE name = $1
        UNION ALL SELECT generation FROM kept WHERE name = $1) AS known)
    WHERE name = $1 AND building IS NULL RETURNING building";
const GIVE_UP: &str = "UPDATE projectors SET building = NULL WHERE name = $1 AND building = $2";
const SWITCH: &str = "UPDATE projectors SET live = $2, building = NULL
    WHERE name = $1 AND building = $2 AND live = $3";
const SWAP: &str = "UPDATE projectors SET live = $2
    WHERE name = $1 AND live = $3 AND building IS NULL
        AND EXISTS (SELECT 1 FROM kept WHERE name = $1 AND generation = $2)";
const KEEP: &str = "INSERT INTO kept (name, generation, role) VALUES ($1, $2, $3)
    ON CONFLICT (name) DO UPDATE SET generation = $2, role = $3";
const DROP_KEPT: &str = "DELETE FROM kept WHERE name = $1";
const DROP_ONE_KEPT: &str = "DELETE FROM kept WHERE name = $1 AND generation = $2";
const ENDED: &str = "INSERT INTO outcomes (name, outcome) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET outcome = $2";
const FORGET_OUTCOME: &str = "DELETE FROM outcomes WHERE name = $1";
const ASK: &str = "INSERT INTO asked (key, request) VALUES ($1, $2)";
const ASKED: &str = "SELECT request FROM asked WHERE key = $1";

/// What a generation is that is kept beside the live one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It was live before: a rollback makes it live again.
    Previous,
    /// It was built anew and differs from the live one, or was rolled back from: a switch makes it live.
    Candidate,
}

impl Role {
    /// Its word in the catalog.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Previous => "previous",
            Self::Candidate => "candidate",
        }
    }

    /// What the live one becomes when this one takes its place.
    #[must_use]
    pub fn swapped(self) -> Self {
        match self {
            Self::Previous => Self::Candidate,
            Self::Candidate => Self::Previous,
        }
    }

    fn parse(word: &str) -> Result<Self, sqlx::Error> {
        let known =
            [Self::Previous, Self::Candidate].into_iter().find(|role| role.as_str() == word);
        known.ok_or_else(|| sqlx::Error::Decode(format!("`{word}` is no role").into()))
    }
}

/// A generation that is kept beside the live one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Its number.
    pub generation: u32,
    /// What it is.
    pub role: Role,
}

/// A request of an operator, under its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// The key.
    pub key: &'a str,
    /// What was asked, in words.
    pub request: &'a str,
}

/// What the catalog says of a projector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The version of the definition that built it.
    pub version: u32,
    /// The live generation.
    pub live: u32,
    /// The generation that was being built, if the process ended meanwhile.
    pub building: Option<u32>,
    /// The generation that is kept beside the live one.
    pub kept: Option<Kept>,
    /// How the last rebuild ended, as it was noted.
    pub outcome: Option<String>,
}

impl Entry {
    /// The first number that no generation has.
    pub fn next_generation(&self) -> u32 {
        let others = [self.building, self.kept.map(|kept| kept.generation)];
        1 + others.into_iter().flatten().fold(self.live, u32::max)
    }
}

/// The catalog of projectors.
#[derive(Debug, Clone)]
pub struct Catalog {
    store: Store,
    fence: Fence,
}

impl Catalog {
    /// Opens the catalog of these models.
    pub async fn open(home: &Home) -> Result<Self, sqlx::Error> {
        let store = Store::open(&home.catalog(), Durability::Full, 1).await?;
        let defined = async { store.writer().await?.define(&SCHEMA).await };
        if let Err(error) = defined.await {
            // Nobody may have a file open that is moved out of the way.
            store.close().await;
            return Err(error);
        }
        Ok(Self { store, fence: home.fence.clone() })
    }

    /// Opens the catalog of these models to look at it.
    pub async fn open_read_only(home: &Home) -> Result<Self, sqlx::Error> {
        let store = Store::open_read_only(&home.catalog(), 1).await?;
        Ok(Self { store, fence: home.fence.clone() })
    }

    /// The same catalog, for the holder of a lease that stands beside it.
    pub(crate) fn guarded(self, fence: Fence) -> Self {
        Self { fence, ..self }
    }

    /// Where it is kept, and the lease beside it.
    pub(crate) fn store(&self) -> Store {
        self.store.clone()
    }

    /// What it says of a projector.
    pub async fn find(&self, name: &str) -> Result<Option<Entry>, sqlx::Error> {
        let mut reader = self.store.reader().await?;
        let found = reader.query(FIND).bind(name).fetch_optional().await?;
        let Some(row) = found else { return Ok(None) };
        let kept = match (row.try_get(3)?, row.try_get::<Option<String>, _>(4)?) {
            (Some(generation), Some(role)) => {
                Some(Kept { generation: number(generation)?, role: Role::parse(&role)? })
            }
            _ => None,
        };
        Ok(Some(Entry {
            version: number(row.try_get(0)?)?,
            live: number(row.try_get(1)?)?,
            building: row.try_get::<Option<i64>, _>(2)?.map(number).transpose()?,
            kept,
            outcome: row.try_get(5)?,
        }))
    }

    /// The live generation of a projector and the version of the definition that built it, also of a folder that an earlier
    /// version wrote.
    pub async fn live(&self, name: &str) -> Result<Option<(u32, u32)>, sqlx::Error> {
        let mut reader = self.store.reader().await?;
        let live = reader.query(LIVE).bind(name).fetch_optional().await?;
        live.map(|row| Ok((number(row.try_get(0)?)?, number(row.try_get(1)?)?))).transpose()
    }

    /// Makes a generation the only one, whatever there was before.
    pub async fn register(&self, name: &str, version: u32, live: u32) -> Result<(), sqlx::Error> {
        let mut transaction = self.begin().await?;
        let register = transaction.query(REGISTER).bind(name);
        register.bind(i64::from(version)).bind(i64::from(live)).execute().await?;
        transaction.query(DROP_KEPT).bind(name).execute().await?;
        transaction.query(FORGET_OUTCOME).bind(name).execute().await?;
        transaction.commit().await
    }

    /// Notes that a generation is being built, and that none is kept any more; its number, or `None` when one is being
    /// built already.
    pub async fn build(
        &self,
        name: &str,
        asked: Option<Asked<'_>>,
    ) -> Result<Option<u32>, sqlx::Error> {
        let mut transaction = self.begin().await?;
        let begun: Option<i64> = transaction.query(BUILD).bind(name).scalar_optional().await?;
        if begun.is_some() {
            transaction.query(DROP_KEPT).bind(name).execute().await?;
            ask(&mut transaction, asked).await?;
            transaction.commit().await?;
        }
        begun.map(number).transpose()
    }

    /// Notes that it is not being built any more.
    pub async fn give_up(&self, name: &str, building: u32) -> Result<(), sqlx::Error> {
        let mut transaction = self.begin().await?;
        transaction.query(GIVE_UP).bind(name).bind(i64::from(building)).execute().await?;
        transaction.commit().await
    }

    /// Makes the generation that was built the live one, and keeps the old one if it is fed on; false when the catalog
    /// says otherwise.
    pub async fn switch(
        &self,
        name: &str,
        built: u32,
        old: u32,
        keep: bool,
    ) -> Result<bool, sqlx::Error> {
        let mut transaction = self.begin().await?;
        let switch = transaction.query(SWITCH).bind(name);
        if switch.bind(i64::from(built)).bind(i64::from(old)).execute().await? != 1 {
            return Ok(false);
        }
        if keep {
            keep_one(&mut transaction, name, Kept { generation: old, role: Role::Previous })
                .await?;
        }
        transaction.commit().await?;
        Ok(true)
    }

    /// Keeps the generation that was built beside the live one; false when the catalog says otherwise.
    pub async fn keep_candidate(&self, name: &str, built: u32) -> Result<bool, sqlx::Error> {
        let mut transaction = self.begin().await?;
        let built_up = transaction.query(GIVE_UP).bind(name).bind(i64::from(built));
        if built_up.execute().await? != 1 {
            return Ok(false);
        }
        keep_one(&mut transaction, name, Kept { generation: built, role: Role::Candidate }).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Keeps a generation beside the live one.
    pub async fn keep(&self, name: &str, kept: Kept) -> Result<(), sqlx::Error> {
        let mut transaction = self.begin().await?;
        keep_one(&mut transaction, name, kept).await?;
        transaction.commit().await
    }

    /// Lets the live generation and the kept one change places; false when the catalog says otherwise.
    pub async fn swap(
        &self,
        name: &str,
        live: u32,
        kept: Kept,
        asked: Option<Asked<'_>>,
    ) -> Result<bool, sqlx::Error> {
        let mut transaction = self.begin().await?;
        let swap = transaction.query(SWAP).bind(name).bind(i64::from(kept.generation));
        if swap.bind(i64::from(live)).execute().await? != 1 {
            return Ok(false);
        }
        let other = Kept { generation: live, role: kept.role.swapped() };
        keep_one(&mut transaction, name, other).await?;
        ask(&mut transaction, asked).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Notes that this generation is not kept any more; false when it was not.
    pub async fn drop_kept(
        &self,
        name: &str,
        generation: u32,
        asked: Option<Asked<'_>>,
    ) -> Result<bool, sqlx::Error> {
        let mut transaction = self.begin().await?;
        let dropped = transaction.query(DROP_ONE_KEPT).bind(name).bind(i64::from(generation));
        if dropped.execute().await? != 1 {
            return Ok(false);
        }
        ask(&mut transaction, asked).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Notes how a rebuild ended.
    pub async fn ended(&self, name: &str, outcome: &str) -> Result<(), sqlx::Error> {
        let mut transaction = self.begin().await?;
        transaction.query(ENDED).bind(name).bind(outcome).execute().await?;
        transaction.commit().await
    }

    /// Notes a request that was carried out elsewhere.
    pub async fn note(&self, asked: Asked<'_>) -> Result<(), sqlx::Error> {
        let mut transaction = self.begin().await?;
        ask(&mut transaction, Some(asked)).await?;
        transaction.commit().await
    }

    /// What was asked for under this key, if anything was.
    pub async fn asked(&self, key: &str) -> Result<Option<String>, sqlx::Error> {
        self.store.writer().await?.query(ASKED).bind(key).scalar_optional().await
    }

    /// Closes it.
    pub async fn close(&self) {
        self.store.close().await;
    }

    async fn begin(&self) -> Result<Transaction, sqlx::Error> {
        let mut transaction = self.store.begin().await?;
        if self.fence.pass(&mut transaction).await? {
            return Ok(transaction);
        }
        Err(io::Error::other("another process has taken over the read models").into())
    }
}

async fn keep_one(
    transaction: &mut Transaction,
    name: &str,
    kept: Kept,
) -> Result<(), sqlx::Error> {
    let keep = transaction.query(KEEP).bind(name).bind(i64::from(kept.generation));
    keep.bind(kept.role.as_str()).execute().await.map(drop)
}

async fn ask(transaction: &mut Transaction, asked: Option<Asked<'_>>) -> Result<(), sqlx::Error> {
    let Some(Asked { key, request }) = asked else { return Ok(()) };
    transaction.query(ASK).bind(key).bind(request).execute().await.map(drop)
}
