//! What something that is to be told waits for.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::storage::{DeliveryRow, DeliveryState};

/// What something that is to be told waits for
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum WaitsFor {
    /// For `next_attempt_at`.
    Time,
    /// For the end of the attempt that is made now.
    Attempt,
    /// For what comes before it and is about the same.
    Earlier,
    /// For somebody to turn on again whom it is for: until then it is not tried.
    Enabled,
}

/// What it waits for, and until when if that is known; `is_on` when whom it is for is told.
pub(super) fn waits(row: &DeliveryRow, is_on: bool) -> (Option<WaitsFor>, Option<DateTime<Utc>>) {
    match (row.state, row.due_at) {
        (DeliveryState::Delivered | DeliveryState::Failed | DeliveryState::Dropped, _) => {
            (None, None)
        }
        (DeliveryState::Waiting, _) if row.is_under_way => (Some(WaitsFor::Attempt), None),
        (DeliveryState::Waiting, _) if !is_on => (Some(WaitsFor::Enabled), None),
        (DeliveryState::Waiting, None) => (Some(WaitsFor::Earlier), None),
        (DeliveryState::Waiting, Some(at)) => (Some(WaitsFor::Time), Some(at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(state: DeliveryState, due_at: Option<DateTime<Utc>>, is_under_way: bool) -> DeliveryRow {
        let (event_id, event_type, subject, body) = Default::default();
        let (created_at, settled_at) = (DateTime::UNIX_EPOCH, None);
        DeliveryRow {
            number: 1,
            event_id,
            event_type,
            subject,
            position: 1,
            body,
            state,
            due_at,
            is_under_way,
            tries: 0,
            created_at,
            settled_at,
        }
    }

    #[test]
    fn only_what_will_be_tried_by_itself_has_a_time() {
        let at = Some(DateTime::UNIX_EPOCH);
        let waiting = |due_at, is_under_way| row(DeliveryState::Waiting, due_at, is_under_way);
        assert_eq!(waits(&waiting(at, false), true), (Some(WaitsFor::Time), at));
        assert_eq!(waits(&waiting(at, true), true), (Some(WaitsFor::Attempt), None));
        assert_eq!(waits(&waiting(at, true), false), (Some(WaitsFor::Attempt), None));
        assert_eq!(waits(&waiting(at, false), false), (Some(WaitsFor::Enabled), None));
        assert_eq!(waits(&waiting(None, false), true), (Some(WaitsFor::Earlier), None));
        assert_eq!(waits(&row(DeliveryState::Failed, None, false), true), (None, None));
    }
}
