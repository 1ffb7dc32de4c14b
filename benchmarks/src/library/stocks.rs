//! The load of the library: stocks that are corrected. A correction is an event of the size that everybody writes.

use std::sync::Arc;

use anyhow::Result;
use command_service::processor::{Answer, Request, WithoutEffect};
use domain::catalog::ProductRegistered;
use domain::event::Event;
use domain::ids::Sku;
use domain::inventory::{AdjustStock, StockAdjusted};
use domain::money::{Currency, Money};
use domain::stream::Stream;
use domain::text::{Label, Reason};
use event_store::{AppendTransaction, Metadata, NewEvent, StreamId};
use service_kit::clock::Clock;

/// Characters that fill a payload up to 267 bytes and metadata up to 148.
const REASON: usize = 228;
const ID: usize = 55;

/// The SKU of that number.
pub(super) fn sku(number: u32) -> Result<Sku> {
    Ok(Sku::parse(&format!("b-{number:05}"))?)
}

fn reason() -> Result<Reason> {
    Ok(Reason::parse(&"counted again ".repeat(REASON)[..REASON])?)
}

/// Who asks is in the name of a command. Names are of one length.
fn metadata(name: &str, clock: &Clock) -> Arc<Metadata> {
    let command_id: Arc<str> = format!("{name:x<ID$}").into();
    Arc::new(Metadata {
        correlation_id: "shop".into(),
        command_id,
        actor: "shop".into(),
        causation_id: None,
        traceparent: None,
        // Of whole seconds: the text of others is of another length.
        occurred_at: chrono::SubsecRound::trunc_subsecs(clock(), 0),
    })
}

/// One more of a SKU.
pub(super) fn correction(sku: &Sku, name: &str, clock: &Clock) -> Result<Request> {
    let metadata = metadata(name, clock);
    Ok(Request {
        command_id: Arc::clone(&metadata.command_id),
        request_hash: [7; 32],
        command: AdjustStock { sku: sku.clone(), delta: 1, reason: reason()? }.into(),
        expected: None,
        metadata,
        answer: |_, _| Answer { status: 200, body: "{}".to_owned() },
        without_effect: WithoutEffect::Answer,
    })
}

/// What has happened to a SKU before: it is a product, and its stock has so many events. A transaction holds at most
/// `MOST` of them.
pub(super) fn history(sku: &Sku, length: u32, clock: &Clock) -> Result<Vec<AppendTransaction>> {
    const MOST: u32 = 100;
    let registered = ProductRegistered {
        sku: sku.clone(),
        name: Label::parse("A product")?,
        unit_price: Money::new(255, Currency::parse("GBP")?),
        stocked: true,
    };
    let corrected = StockAdjusted { sku: sku.clone(), delta: 1, reason: reason()? };
    let (product, stock) = (Stream::Product(sku.clone()), Stream::Stock(sku.clone()));
    let (product, stock) = (name(&product), name(&stock));
    let first = new_event(&product, &registered.into())?;
    let further = new_event(&stock, &corrected.into())?;
    let mut history = vec![transaction(&format!("{sku}/new"), &product, 0, vec![first], clock)];
    for begin in (0..length).step_by(MOST as usize) {
        let many = MOST.min(length - begin) as usize;
        let events = vec![further.clone(); many];
        let name = format!("{sku}/{begin}");
        history.push(transaction(&name, &stock, u64::from(begin), events, clock));
    }
    Ok(history)
}

fn transaction(
    name: &str,
    stream: &StreamId,
    version: u64,
    events: Vec<NewEvent>,
    clock: &Clock,
) -> AppendTransaction {
    let metadata = metadata(name, clock);
    AppendTransaction {
        command_id: Arc::clone(&metadata.command_id),
        request_hash: [7; 32],
        reads: vec![(Arc::clone(stream), version)],
        events,
        metadata,
        answer: None,
        intents: Vec::new(),
    }
}

fn name(stream: &Stream) -> StreamId {
    stream.to_string().into()
}

fn new_event(stream: &StreamId, event: &Event) -> Result<NewEvent> {
    Ok(NewEvent {
        stream: Arc::clone(stream),
        event_type: event.event_type().into(),
        schema_version: event.schema_version(),
        payload: event.to_json()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_of_the_size_that_everybody_writes() {
        let clock = service_kit::clock::system();
        let history = history(&sku(7).unwrap(), 150, &clock).unwrap();
        assert_eq!(history.len(), 3);
        assert_eq!(history[1].events.len(), 100);
        assert_eq!(history[2].reads[0].1, 100);
        let event = &history[1].events[0];
        assert_eq!(event.payload.len(), 267, "{}", event.payload);
        let metadata = serde_json::to_string(&history[1].metadata).unwrap();
        assert_eq!(metadata.len(), 148, "{metadata}");
        let asked = correction(&sku(7).unwrap(), "c/63/1234567", &clock).unwrap();
        assert_eq!(serde_json::to_string(&asked.metadata).unwrap().len(), 148);
    }
}
