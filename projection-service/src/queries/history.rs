//! An order as it was: folded anew from its own streams, up to a version or a time.

use chrono::{DateTime, Utc};
use domain::ids::{OrderId, PaymentId, ShipmentId};
use domain::stream::Stream;
use event_store::{Position, RecordedEvent, Version};
use messaging::feed::{Feed, FeedError};
use service_kit::problem::{Code, Problem};

use crate::decoded::Decoded;
use crate::folds::Seen;
use crate::folds::order_row::OrderRow;
use crate::folds::orders::fold;

/// Events read at once.
const PAGE: usize = 1_000;

/// Up to where an order is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AsOf {
    /// Up to this version of the order's stream, and what else was recorded before its next event.
    Version(Version),
    /// Up to this time of recording.
    Time(DateTime<Utc>),
}

/// The order as it was, and the position of the last event in it; `None` when it was not there yet.
pub(super) async fn order_as_of(
    feed: &dyn Feed,
    order_id: &OrderId,
    as_of: AsOf,
) -> Result<Option<(OrderRow, Position)>, Problem> {
    let own = stream(feed, &Stream::Order(order_id.clone())).await?;
    let until = |event: &RecordedEvent| match as_of {
        AsOf::Version(version) => event.version <= version,
        AsOf::Time(time) => event.recorded_at <= time,
    };
    let mut events: Vec<RecordedEvent> = own.iter().filter(|event| until(event)).cloned().collect();
    let Some(last) = events.last() else { return Ok(None) };
    if let AsOf::Version(version) = as_of
        && last.version < version
    {
        return Err(Problem::from(Code::InvalidQuery)
            .mistake("as_of_version", format!("the order's last version is {}", last.version)));
    }
    // At a version: what was recorded until that event. At a time: what was recorded until then.
    let position = last.position;
    let belongs = |event: &RecordedEvent| match as_of {
        AsOf::Version(_) => event.position <= position,
        AsOf::Time(time) => event.recorded_at <= time,
    };
    for other in others(feed, order_id).await? {
        events.extend(other.into_iter().filter(|event| belongs(event)));
    }
    events.sort_by_key(|event| event.position);
    let last = events.last().map_or(position, |event| event.position);
    let mut row = None;
    for event in &events {
        let decoded = Decoded::from(event);
        let seen = Seen::from(&decoded);
        let event = decoded.event.map_err(|error| service_kit::problem::internal(&error))?;
        row = fold(row, &event, seen).map_err(|error| service_kit::problem::internal(&error))?;
    }
    Ok(row.map(|row| (row, last)))
}

/// The streams of the order's payments and parcels, which are numbered, and of its reservation.
async fn others(feed: &dyn Feed, order_id: &OrderId) -> Result<Vec<Vec<RecordedEvent>>, Problem> {
    let mut found = vec![stream(feed, &Stream::Reservation(order_id.clone())).await?];
    let payment = |n| Stream::Payment(PaymentId::nth(order_id, n));
    let shipment = |n| Stream::Shipment(ShipmentId::nth(order_id, n));
    for name in [&payment as &(dyn Fn(u32) -> Stream + Sync), &shipment] {
        for n in 1.. {
            let events = stream(feed, &name(n)).await?;
            if events.is_empty() {
                break;
            }
            found.push(events);
        }
    }
    Ok(found)
}

async fn stream(feed: &dyn Feed, stream: &Stream) -> Result<Vec<RecordedEvent>, Problem> {
    let name = stream.to_string().into();
    let mut events = Vec::new();
    loop {
        let after = u64::try_from(events.len()).unwrap_or(u64::MAX);
        let page =
            feed.read_stream(&name, after, PAGE).await.map_err(|error| unavailable(&error))?;
        let last = page.len() < PAGE;
        events.extend(page);
        if last {
            return Ok(events);
        }
    }
}

fn unavailable(error: &FeedError) -> Problem {
    tracing::warn!(%error, "the history of an order can't be read");
    Problem::from(Code::Unavailable).retry_after(1)
}
