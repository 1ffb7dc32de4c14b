//! Statements that are the same in both dialects.

pub(crate) const FIND: &str = "SELECT person, wrapped, erased_at FROM keys WHERE person = $1";

pub(crate) const TOMBSTONES: &str = "SELECT person, wrapped, erased_at FROM keys
    WHERE erased_at IS NOT NULL ORDER BY person";

/// The first erasure's time stays.
pub(crate) const ERASE: &str = "INSERT INTO keys (person, erased_at) VALUES ($1, $2)
    ON CONFLICT (person) DO UPDATE SET wrapped = NULL, erased_at = excluded.erased_at
    WHERE keys.erased_at IS NULL";
