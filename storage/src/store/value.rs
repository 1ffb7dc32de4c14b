//! Values that both dialects take and give: 64-bit integers, texts, bytes, booleans, UUIDs, and options of them.
//! Smaller integers are not among them by custom: PostgreSQL tells them apart and SQLite does not.

use sqlx::postgres::PgHasArrayType;
use sqlx::{Decode, Encode, Postgres, Sqlite, Type};

/// What can be bound to a statement.
pub trait Parameter<'t>:
    Encode<'t, Sqlite> + Type<Sqlite> + Encode<'t, Postgres> + Type<Postgres> + PgHasArrayType
{
}

impl<'t, T> Parameter<'t> for T where
    T: Encode<'t, Sqlite> + Type<Sqlite> + Encode<'t, Postgres> + Type<Postgres> + PgHasArrayType
{
}

/// What can be read from a row.
pub trait Column<'r>:
    Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>
{
}

impl<'r, T> Column<'r> for T where
    T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>
{
}
