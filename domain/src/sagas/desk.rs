//! Who sends a saga's commands, and what the commands are called.
//!
//! **Invariant:** a command's id tells saga, step, part and attempt, and is told from it again.

use chrono::{DateTime, Utc};

use super::SagaId;

/// Who sends, for which parcel or payment, and with which business time.
#[derive(Clone, Copy)]
pub(super) struct Desk<'a> {
    pub(super) saga_id: &'a SagaId,
    pub(super) part: Option<&'a str>,
    pub(super) occurred_at: DateTime<Utc>,
    /// The saga's clock.
    pub(super) now: DateTime<Utc>,
}

impl Desk<'_> {
    pub(super) fn step(&self, name: &str) -> String {
        self.part.map_or_else(|| name.to_owned(), |part| format!("{name}/{part}"))
    }

    pub(super) fn command_id(&self, name: &str, attempt: u32) -> String {
        format!("{}/{}/{attempt}", self.saga_id, self.step(name))
    }

    /// Which attempt of this step the command was; `None` when it was none of them.
    pub(super) fn attempt(&self, name: &str, command_id: &str) -> Option<u32> {
        let rest = command_id.strip_prefix(self.saga_id.as_str())?.strip_prefix('/')?;
        let rest = rest.strip_prefix(self.step(name).as_str())?.strip_prefix('/')?;
        rest.split('/').next()?.parse().ok()
    }
}
