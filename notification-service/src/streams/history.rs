//! What happened before somebody listened.

use std::sync::Arc;

use domain::event::Event;
use domain::ids::{OrderId, PaymentId, ShipmentId};
use domain::stream::Stream;
use event_store::{Position, RecordedEvent, StreamId};
use messaging::feed::{Feed, FeedError};

use crate::fold::Facts;
use crate::public::{CloudEvent, OrderFacts, is_published};

/// Events that are read at once.
const PAGE: usize = 500;

/// The public events of an order after a position, in order: those of its own stream, of its payments and of its parcels.
pub(super) async fn of_order(
    feed: &dyn Feed,
    order_id: &OrderId,
    facts: &OrderFacts,
    after: Position,
) -> Result<Vec<Arc<CloudEvent>>, FeedError> {
    let mut recorded = read(feed, &Stream::Order(order_id.clone())).await?;
    let payment = |n| Stream::Payment(PaymentId::nth(order_id, n));
    let shipment = |n| Stream::Shipment(ShipmentId::nth(order_id, n));
    recorded.extend(read_numbered(feed, payment).await?);
    recorded.extend(read_numbered(feed, shipment).await?);
    recorded.retain(|event| event.position > after);
    recorded.sort_by_key(|event| event.position);
    let log = feed.identity().log;
    let told = recorded.iter().filter_map(|event| told(&log, event, Some(facts)));
    Ok(told.map(Arc::new).collect())
}

/// Streams that are numbered from 1, up to the first that is not there.
async fn read_numbered(
    feed: &dyn Feed,
    nth: impl Fn(u32) -> Stream,
) -> Result<Vec<RecordedEvent>, FeedError> {
    let mut all = Vec::new();
    for n in 1.. {
        let events = read(feed, &nth(n)).await?;
        if events.is_empty() {
            break;
        }
        all.extend(events);
    }
    Ok(all)
}

async fn read(feed: &dyn Feed, stream: &Stream) -> Result<Vec<RecordedEvent>, FeedError> {
    let stream: StreamId = stream.to_string().into();
    let mut all: Vec<RecordedEvent> = Vec::new();
    loop {
        let after = all.last().map_or(0, |event| event.version);
        let page = feed.read_stream(&stream, after, PAGE).await?;
        let is_last = page.len() < PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

/// The public events of a page of the log after a position, and where that ends; `None` at the log's end.
pub(super) async fn page(
    feed: &dyn Feed,
    facts: &mut Facts,
    after: Position,
) -> Result<Option<(Vec<Arc<CloudEvent>>, Position)>, FeedError> {
    let page = feed.read_all(after, PAGE).await?;
    let Some(last) = page.last() else { return Ok(None) };
    let log = feed.identity().log;
    let mut events = Vec::new();
    for recorded in page.iter().filter(|recorded| is_published(&recorded.event_type)) {
        let Some(event) = decoded(recorded) else { continue };
        let order = facts.of(&event).await?;
        events.extend(told(&log, recorded, order.as_deref()).map(Arc::new));
    }
    Ok(Some((events, last.position)))
}

fn told(log: &str, recorded: &RecordedEvent, order: Option<&OrderFacts>) -> Option<CloudEvent> {
    if !is_published(&recorded.event_type) {
        return None;
    }
    let event = decoded(recorded)?;
    CloudEvent::of(log, recorded, &event, order).ok().flatten()
}

/// What can't be read is not shown; whoever must not miss it is told by webhooks, which stand still at it.
fn decoded(recorded: &RecordedEvent) -> Option<Event> {
    let (version, payload) = (recorded.schema_version, &recorded.payload);
    Event::from_json(&recorded.event_type, version, payload).ok()
}
