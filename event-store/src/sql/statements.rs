//! Statements that are the same in both dialects.

use super::rows::event_columns;

pub(crate) const IDENTITY: &str = "SELECT log, epoch FROM log_identity";

pub(crate) const HEAD: &str = "SELECT coalesce(max(position), 0) FROM events";

/// At most `$2` events after position `$1`.
pub(crate) const ALL: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM events WHERE position > $1 ORDER BY position LIMIT $2"
);

/// At most `$3` events of stream `$1` after version `$2`.
pub(crate) const STREAM: &str = concat!(
    "SELECT ",
    event_columns!(),
    " FROM events WHERE stream = $1 AND version > $2 ORDER BY version LIMIT $3"
);

pub(crate) const OPEN_INTENTS: &str = "SELECT id, payload, opened_at FROM intents ORDER BY seq";
