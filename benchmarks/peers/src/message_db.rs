//! message-db: SQL functions in PostgreSQL, called without a library. It has no aggregates: a client folds and decides.
//!
//! A write locks the category of its stream until it is committed. So there are two ways to use it: one category for
//! all streams, as a user has it who has one kind of thing, or one for each client.

use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::{Executor as _, PgPool, Row as _};
use uuid::Uuid;

use crate::event::{EVENT_TYPE, Metadata, Stock, StockReceived};
use crate::install;
use crate::peer::{Attempt, Peer, Site, Stream};
use crate::row::Shape;
use crate::sql::{
    self, MESSAGE_DB_CATEGORY, MESSAGE_DB_EVENTS, MESSAGE_DB_STREAM, MESSAGE_DB_WRITE,
};

/// Its statements, in the order of its own installer; roles and views are not needed.
const PARTS: [&str; 18] = [
    "schema/message-store",
    "extensions/pgcrypto",
    "tables/messages",
    "types/message",
    "functions/message-store-version",
    "functions/hash-64",
    "functions/acquire-lock",
    "functions/category",
    "functions/is-category",
    "functions/id",
    "functions/cardinal-id",
    "functions/stream-version",
    "functions/write-message",
    "functions/get-stream-messages",
    "functions/get-category-messages",
    "indexes/messages-id",
    "indexes/messages-stream",
    "indexes/messages-category",
];
/// What its functions raise when a stream is not as expected.
const RAISED: &str = "P0001";
/// The messages of a page of the log.
const PAGE: i64 = 1_000;

/// Which category a stream is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Categories {
    /// All in one.
    One,
    /// Each client's streams in one of their own.
    PerClient,
}

/// A pool: there is nothing else to it.
pub(crate) struct MessageDb {
    pool: PgPool,
    categories: Categories,
    payload: Value,
    metadata: Value,
}

impl MessageDb {
    /// Installs it and loads the streams.
    pub(crate) async fn open(site: Site, categories: Categories) -> anyhow::Result<Self> {
        let files = install::npm("message-db").await?.join("@eventide/message-db/database");
        let options = site.database.clone().options([("search_path", "message_store,public")]);
        let pool = sql::connect(options, site.clients).await?;
        for part in PARTS {
            run_file(&pool, &files.join(part).with_extension("sql")).await?;
        }
        let payload = serde_json::to_value(StockReceived::sample())?;
        let metadata = serde_json::to_value(Metadata::sample())?;
        let opened = Self { pool, categories, payload, metadata };
        let streams = (0..site.shape.streams).map(|number| Stream::of(number, site.clients));
        sqlx::query(MESSAGE_DB_EVENTS)
            .bind(streams.map(|stream| opened.name(stream)).collect::<Vec<_>>())
            .bind(i32::try_from(site.shape.events_each)?)
            .bind(EVENT_TYPE)
            .bind(serde_json::to_string(&StockReceived::sample())?)
            .bind(serde_json::to_string(&Metadata::sample())?)
            .execute(&opened.pool)
            .await?;
        Ok(opened)
    }

    fn name(&self, stream: Stream) -> String {
        match self.categories {
            Categories::One => format!("stock-{:08}", stream.number),
            Categories::PerClient => format!("stock{}-{:08}", stream.client, stream.number),
        }
    }

    async fn write(&self, stream: Stream, data: &Value, expected: i64) -> anyhow::Result<Attempt> {
        let written = sqlx::query_scalar::<_, i64>(MESSAGE_DB_WRITE)
            .bind(Uuid::from_u128(fastrand::u128(..)).to_string())
            .bind(self.name(stream))
            .bind(EVENT_TYPE)
            .bind(data)
            .bind(&self.metadata)
            .bind(expected)
            .fetch_one(&self.pool)
            .await;
        match written {
            Ok(position) => Ok(Attempt::Done(u64::try_from(position)?)),
            Err(sqlx::Error::Database(raised)) if raised.code().as_deref() == Some(RAISED) => {
                Ok(Attempt::Conflict)
            }
            Err(error) => Err(error.into()),
        }
    }
}

async fn run_file(pool: &PgPool, file: &Path) -> anyhow::Result<()> {
    let name = || format!("{} of message-db", file.display());
    let text = tokio::fs::read_to_string(file).await.with_context(name)?;
    pool.execute(text.as_str()).await.with_context(name)?;
    Ok(())
}

impl Peer for MessageDb {
    /// Its positions count from 0.
    fn expected_at_first(&self, _: Stream, shape: Shape) -> u64 {
        u64::from(shape.events_each.saturating_sub(1))
    }

    async fn append(&self, stream: Stream, expected: u64) -> anyhow::Result<Attempt> {
        self.write(stream, &self.payload, i64::try_from(expected)?).await
    }

    async fn command(&self, stream: Stream) -> anyhow::Result<Attempt> {
        let rows =
            sqlx::query(MESSAGE_DB_STREAM).bind(self.name(stream)).fetch_all(&self.pool).await?;
        let (mut stock, mut version) = (Stock::default(), -1);
        for row in rows {
            stock.apply(decoded(&row)?);
            version = row.try_get(0)?;
        }
        let event = serde_json::to_value(stock.receive()?)?;
        self.write(stream, &event, version).await
    }

    /// In pages of its default size.
    async fn read_all(&self) -> anyhow::Result<u64> {
        let (mut count, mut from) = (0, 1);
        loop {
            let rows = sqlx::query(MESSAGE_DB_CATEGORY)
                .bind("stock")
                .bind(from)
                .bind(PAGE)
                .fetch_all(&self.pool)
                .await?;
            let Some(last) = rows.last() else { return Ok(count) };
            from = last.try_get::<i64, _>(0)? + 1;
            for row in &rows {
                decoded(row)?;
                let _metadata: Metadata = serde_json::from_str(row.try_get(2)?)?;
                count += 1;
            }
        }
    }
}

/// The event of a row, whose second column is its text.
fn decoded(row: &PgRow) -> anyhow::Result<StockReceived> {
    Ok(serde_json::from_str(row.try_get(1)?)?)
}
