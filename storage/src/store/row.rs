//! A row of either dialect.

use std::borrow::Cow;

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{ColumnIndex, Row as _, TypeInfo as _, ValueRef as _};

use super::value::Column;

/// What an integer's type is called, in either.
const INTEGERS: [&str; 2] = ["INTEGER", "INT8"];

/// A row.
pub struct Row(Kind);

enum Kind {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// The value of a column, by its place or its name.
    pub fn try_get<'r, T, I>(&'r self, column: I) -> Result<T, sqlx::Error>
    where
        T: Column<'r>,
        I: ColumnIndex<SqliteRow> + ColumnIndex<PgRow>,
    {
        match &self.0 {
            Kind::Sqlite(row) => row.try_get(column),
            Kind::Postgres(row) => row.try_get(column),
        }
    }

    /// The names of its columns, in order.
    pub fn columns(&self) -> Vec<&str> {
        match &self.0 {
            Kind::Sqlite(row) => row.columns().iter().map(sqlx::Column::name).collect(),
            Kind::Postgres(row) => row.columns().iter().map(sqlx::Column::name).collect(),
        }
    }

    /// A column's value, a text or an integer, written the same way in both dialects; `None` for `NULL`.
    pub fn written(&self, column: usize) -> Result<Option<Cow<'_, str>>, sqlx::Error> {
        let is_integer = match &self.0 {
            Kind::Sqlite(row) => INTEGERS.contains(&row.try_get_raw(column)?.type_info().name()),
            Kind::Postgres(row) => INTEGERS.contains(&row.try_get_raw(column)?.type_info().name()),
        };
        if is_integer {
            let number: Option<i64> = self.try_get(column)?;
            return Ok(number.map(|number| number.to_string().into()));
        }
        Ok(self.try_get::<Option<&str>, _>(column)?.map(Cow::Borrowed))
    }
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self(Kind::Sqlite(row))
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Self(Kind::Postgres(row))
    }
}
