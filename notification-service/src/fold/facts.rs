//! What has to be remembered of orders: in memory those that were busy last, of the others the log tells.

use std::sync::Arc;

use domain::event::Event;
use domain::ids::OrderId;
use domain::orders::OrderEvent;
use domain::stream::Stream;
use event_store::{RecordedEvent, StreamId};
use messaging::feed::{Feed, FeedError};
use service_kit::generations::Generations;

use crate::public::OrderFacts;

/// Orders that are remembered, about: some megabytes.
const REMEMBERED: usize = 16_384;
/// Events that are read at once of an order. Most are placed with their first.
const PAGE: usize = 16;
/// How the event is called that tells them.
const PLACED: &str = "OrderPlaced";

/// What orders were placed with.
pub(crate) struct Facts {
    feed: Arc<dyn Feed>,
    remembered: Generations<OrderId, Arc<OrderFacts>>,
}

impl Facts {
    pub(crate) fn new(feed: Arc<dyn Feed>) -> Self {
        Self { feed, remembered: Generations::new(REMEMBERED) }
    }

    /// Those of the order that an event is about; `None` where it is about none, or about one that was never placed.
    pub(crate) async fn of(&mut self, event: &Event) -> Result<Option<Arc<OrderFacts>>, FeedError> {
        if let Event::Order(OrderEvent::OrderPlaced(placed)) = event {
            let facts = Arc::new(OrderFacts::of(placed));
            self.remembered.put(placed.order_id.clone(), Arc::clone(&facts));
            return Ok(Some(facts));
        }
        let Some(order_id) = event.order_id() else { return Ok(None) };
        if let Some(facts) = self.remembered.touch(order_id) {
            return Ok(Some(Arc::clone(facts)));
        }
        let found = read(&*self.feed, order_id).await?.map(Arc::new);
        if let Some(facts) = &found {
            self.remembered.put(order_id.clone(), Arc::clone(facts));
        }
        Ok(found)
    }
}

/// Reads an order until it was placed.
pub(crate) async fn read(
    feed: &dyn Feed,
    order_id: &OrderId,
) -> Result<Option<OrderFacts>, FeedError> {
    let stream: StreamId = Stream::Order(order_id.clone()).to_string().into();
    let mut after = 0;
    loop {
        let page = feed.read_stream(&stream, after, PAGE).await?;
        if let Some(facts) = page.iter().find_map(placed) {
            return Ok(Some(facts));
        }
        match page.last() {
            Some(last) if page.len() == PAGE => after = last.version,
            _ => return Ok(None),
        }
    }
}

fn placed(recorded: &RecordedEvent) -> Option<OrderFacts> {
    if &*recorded.event_type != PLACED {
        return None;
    }
    let (version, payload) = (recorded.schema_version, &recorded.payload);
    match Event::from_json(&recorded.event_type, version, payload) {
        Ok(Event::Order(OrderEvent::OrderPlaced(placed))) => Some(OrderFacts::of(&placed)),
        Ok(_) | Err(_) => None,
    }
}
