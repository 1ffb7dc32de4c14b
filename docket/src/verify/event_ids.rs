//! I5: whether an event bears an id that the store would have drawn for it.

use event_store::RecordedEvent;
use invariants::{Finding, Rule};

/// The kind of id that the store draws: one that begins with the time.
const DRAWN: usize = 7;
/// How far the time in an id may be from the one beside it, in seconds: both are of one clock, but ids go on when it is set back.
const APART_S: u64 = 7 * 24 * 60 * 60;

/// What is wrong with an event's id. Who exchanges ids of the same days is found where a follower stands.
pub(super) fn check(event: &RecordedEvent) -> Option<Finding> {
    let (id, at) = (event.id, event.position);
    let drawn_at = id.get_timestamp().filter(|_| id.get_version_num() == DRAWN);
    let recorded_at = event.recorded_at.timestamp().unsigned_abs();
    let fits = drawn_at.is_some_and(|time| time.to_unix().0.abs_diff(recorded_at) <= APART_S);
    (!fits).then(|| {
        let statement =
            format!("The event at position {at} bears {id}, which was not drawn for it.");
        Finding::at(Rule::Positions, vec![at], statement)
    })
}
