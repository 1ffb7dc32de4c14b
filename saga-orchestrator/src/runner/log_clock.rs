//! The sagas' clock: the log's time. Deadlines count from when events were recorded, by the clock of whoever owns the log; a
//! clock of this machine that is an hour ahead must not give up orders that were placed a second ago.
//!
//! **Invariant:** it differs from the log's time by a minute at most, as long as events come.

use chrono::{DateTime, TimeDelta, Utc};
use event_store::RecordedEvent;
use service_kit::clock::Clock;

/// Clocks differ by less than this, or an event was on its way: no deadline is so short that it matters.
const TOLERATED: TimeDelta = TimeDelta::seconds(60);

/// Tells the log's time by this machine's clock.
pub(super) struct LogClock {
    own: Clock,
    /// How far this machine's clock is ahead.
    ahead: TimeDelta,
}

impl LogClock {
    pub(super) fn new(own: Clock) -> Self {
        Self { own, ahead: TimeDelta::zero() }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        (self.own)() - self.ahead
    }

    /// Where in events that were recorded just now this clock begins to be wrong; behind the last where it is right.
    pub(super) fn wrong_from(&self, page: &[RecordedEvent]) -> usize {
        let now = self.now();
        let is_right = |event: &RecordedEvent| (now - event.recorded_at).abs() <= TOLERATED;
        page.iter().rposition(is_right).map_or(0, |last| last + 1)
    }

    /// Goes by this time from now on.
    pub(super) fn set(&mut self, log: DateTime<Utc>) {
        self.ahead += self.now() - log;
        tracing::warn!(
            ahead_s = self.ahead.num_seconds(),
            "this machine's clock is not that of the log's owner; the sagas go by the log's"
        );
    }
}

/// Where events that were appended after this moment of the log's time tell of an earlier one: its clock was set back meanwhile. Behind
/// the last where none does. Whoever notes moments while far behind the log takes that for the same; the next new event tells better.
pub(super) fn set_back_from(page: &[RecordedEvent], moment: DateTime<Utc>) -> usize {
    let is_before = |event: &RecordedEvent| event.recorded_at + TOLERATED < moment;
    page.iter().position(is_before).unwrap_or(page.len())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use event_store::Metadata;
    use uuid::Uuid;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn recorded(seconds: i64) -> RecordedEvent {
        RecordedEvent {
            position: 1,
            stream: "order-o1".into(),
            version: 1,
            id: Uuid::nil(),
            event_type: "OrderPlaced".into(),
            schema_version: 1,
            payload: "{}".to_owned(),
            metadata: Arc::new(Metadata {
                command_id: "c".into(),
                actor: "test".into(),
                correlation_id: "c".into(),
                causation_id: None,
                traceparent: None,
                occurred_at: at(0),
            }),
            recorded_at: at(seconds),
        }
    }

    #[test]
    fn it_goes_by_the_log_where_the_two_are_more_than_a_minute_apart() {
        let mut clock = LogClock::new(Arc::new(|| at(3_600)));
        assert_eq!(clock.wrong_from(&[recorded(3_590)]), 1, "one that was on its way for a while");
        assert_eq!(clock.wrong_from(&[recorded(3_599), recorded(0), recorded(1)]), 1);
        clock.set(at(0));
        assert_eq!(clock.now(), at(0));
        assert_eq!(clock.wrong_from(&[recorded(1)]), 1);
        assert_eq!(clock.wrong_from(&[recorded(7_200)]), 0, "the log's owner has set its clock");
        clock.set(at(7_200));
        assert_eq!(clock.now(), at(7_200));
    }
}
