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

pub(crate) const ERASURES_APPLIED: &str =
    "SELECT log, epoch, position, event_id FROM erasures_applied";

pub(crate) const FIRST_APPLIED: &str = "INSERT INTO erasures_applied
    (one, log, epoch, position, event_id) VALUES (1, $1, $2, $3, $4) ON CONFLICT (one) DO NOTHING";

/// Only from where it was believed to be.
pub(crate) const MOVE_APPLIED: &str = "UPDATE erasures_applied
    SET log = $1, epoch = $2, position = $3, event_id = $4
    WHERE log = $5 AND epoch = $6 AND position = $7 AND COALESCE(event_id, '') = $8";
