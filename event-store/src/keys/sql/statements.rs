//! Statements that are the same in both dialects.

pub(crate) const FIND: &str = "SELECT person, wrapped, erased_at FROM keys WHERE person = $1";

pub(crate) const TOMBSTONES: &str = "SELECT person, wrapped, erased_at FROM keys
    WHERE erased_at IS NOT NULL ORDER BY person";

/// The first erasure's time stays.
pub(crate) const ERASE: &str = "INSERT INTO keys (person, erased_at) VALUES ($1, $2)
    ON CONFLICT (person) DO UPDATE SET wrapped = NULL, erased_at = excluded.erased_at
    WHERE keys.erased_at IS NULL";

pub(crate) const ANY_KEY: &str = "SELECT person, wrapped, erased_at FROM keys
    WHERE wrapped IS NOT NULL LIMIT 1";

pub(crate) const MASTER_CHECK: &str = "SELECT sealed FROM master_key_check";

/// The first one stays.
pub(crate) const KEEP_MASTER_CHECK: &str = "INSERT INTO master_key_check (one, sealed)
    VALUES (1, $1) ON CONFLICT (one) DO NOTHING";
