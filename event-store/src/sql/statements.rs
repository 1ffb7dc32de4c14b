//! Statements that are the same in both dialects.

pub(crate) const IDENTITY: &str = "SELECT log, epoch FROM log_identity";

pub(crate) const HEAD: &str = "SELECT coalesce(max(position), 0) FROM events";

pub(crate) const OPEN_INTENTS: &str = "SELECT id, payload, opened_at FROM intents ORDER BY seq";
