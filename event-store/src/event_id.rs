//! The source of ids: time-ordered, so that an index over them would grow at its end. Positions order, ids name.

use std::sync::Arc;

use uuid::Uuid;

/// Draws the id of an event.
#[expect(clippy::disallowed_methods, reason = "the one place where ids are drawn")]
pub(crate) fn draw() -> Uuid {
    Uuid::now_v7()
}

/// Draws the name of a new log: hexadecimal digits only, as it stands inside tokens and subjects.
pub(crate) fn draw_log_name() -> Arc<str> {
    draw().simple().to_string().into()
}
