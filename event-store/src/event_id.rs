//! The source of ids: time-ordered, so that an index over them would grow at its end. Positions order, ids name.

use std::sync::Arc;

use uuid::Uuid;

/// Draws an id; all that it draws differ. A simulation gives its own.
pub type Ids = Arc<dyn Fn() -> Uuid + Send + Sync>;

/// Draws the id of an event.
#[expect(clippy::disallowed_methods, reason = "the one place where ids are drawn")]
pub(crate) fn draw() -> Uuid {
    Uuid::now_v7()
}

/// Draws the name of a new log: hexadecimal digits only, as it stands inside tokens and subjects.
pub(crate) fn draw_log_name() -> Arc<str> {
    log_name(draw())
}

/// The name of a log that was given this id.
pub(crate) fn log_name(id: Uuid) -> Arc<str> {
    id.simple().to_string().into()
}
