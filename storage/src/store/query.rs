//! A statement on its way to a connection: parameters are bound in order, then it is executed or its rows are fetched.
//! It is prepared once a connection.

use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use sqlx::postgres::PgArguments;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Postgres, Sqlite, SqliteConnection};

use super::row::Row;
use super::value::{Column, Parameter};
use crate::postgres::Checkout;

/// A statement with the parameters bound so far.
#[must_use = "it does nothing until it is executed"]
pub struct Query<'c>(pub(super) Kind<'c>);

pub(super) enum Kind<'c> {
    Sqlite(&'c mut SqliteConnection, sqlx::query::Query<'static, Sqlite, SqliteArguments>),
    Postgres(&'c mut Checkout, sqlx::query::Query<'static, Postgres, PgArguments>),
}

impl<'c> Query<'c> {
    /// Binds the next parameter.
    pub fn bind<'t, T: Parameter<'t>>(self, value: T) -> Self {
        Self(match self.0 {
            Kind::Sqlite(connection, query) => Kind::Sqlite(connection, query.bind(value)),
            Kind::Postgres(connection, query) => Kind::Postgres(connection, query.bind(value)),
        })
    }

    /// Binds a list of texts as the next parameter, for a condition made with [`one_of!`](crate::one_of).
    pub fn bind_texts(self, texts: &[&str]) -> Self {
        Self(match self.0 {
            Kind::Sqlite(connection, query) => {
                // Nothing but texts can't fail to be written.
                let list = serde_json::to_string(texts).unwrap_or_default();
                Kind::Sqlite(connection, query.bind(list))
            }
            Kind::Postgres(connection, query) => Kind::Postgres(connection, query.bind(texts)),
        })
    }

    /// Executes; the number of rows affected.
    pub async fn execute(self) -> Result<u64, sqlx::Error> {
        match self.0 {
            Kind::Sqlite(connection, query) => Ok(query.execute(connection).await?.rows_affected()),
            Kind::Postgres(connection, query) => connection.execute(query).await,
        }
    }

    /// The first row.
    pub async fn fetch_optional(self) -> Result<Option<Row>, sqlx::Error> {
        match self.0 {
            Kind::Sqlite(connection, query) => {
                Ok(query.fetch_optional(connection).await?.map(Row::from))
            }
            Kind::Postgres(connection, query) => {
                Ok(connection.fetch_optional(query).await?.map(Row::from))
            }
        }
    }

    /// The first row; an error when there is none.
    pub async fn fetch_one(self) -> Result<Row, sqlx::Error> {
        self.fetch_optional().await?.ok_or(sqlx::Error::RowNotFound)
    }

    /// Rows as they come.
    pub fn fetch(self) -> BoxStream<'c, Result<Row, sqlx::Error>> {
        match self.0 {
            Kind::Sqlite(connection, query) => query.fetch(connection).map_ok(Row::from).boxed(),
            Kind::Postgres(connection, query) => connection.fetch(query).map_ok(Row::from).boxed(),
        }
    }

    /// All rows.
    pub async fn fetch_all(self) -> Result<Vec<Row>, sqlx::Error> {
        self.fetch().try_collect().await
    }

    /// The first column of the first row.
    pub async fn scalar_optional<T>(self) -> Result<Option<T>, sqlx::Error>
    where
        T: for<'r> Column<'r>,
    {
        self.fetch_optional().await?.map(|row| row.try_get(0)).transpose()
    }

    /// The first column of the first row; an error when there is none.
    pub async fn scalar<T>(self) -> Result<T, sqlx::Error>
    where
        T: for<'r> Column<'r>,
    {
        self.fetch_one().await?.try_get(0)
    }

    /// The first column of all rows.
    pub async fn scalars<T>(self) -> Result<Vec<T>, sqlx::Error>
    where
        T: for<'r> Column<'r>,
    {
        let mut values = Vec::new();
        let mut rows = self.fetch();
        while let Some(row) = rows.try_next().await? {
            values.push(row.try_get(0)?);
        }
        Ok(values)
    }
}
