//! Migrations from texts that are compiled in: append-only files `NNNN_name.sql` beside the code that uses them.

use std::borrow::Cow;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// A migrator of `(name, sql)` in order; the version is the place in the list, counted from 1.
pub fn migrator(migrations: &[(&'static str, &'static str)]) -> Migrator {
    let migrations = (1..).zip(migrations).map(|(version, (name, sql))| {
        let kind = MigrationType::Simple;
        Migration::new(version, Cow::Borrowed(*name), kind, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}
