//! The stored part of answers, made from a command and its events alone: a repeat gets the very same.

use domain::command::Command;
use domain::decide::Decide;
use domain::event::Event;
use domain::orders::OrderEvent;
use domain::stream::Stream;
use serde_json::{Value, json};

use crate::processor::Answer;

/// 201 with the id.
pub(super) fn created(command: &Command, _events: &[Event]) -> Answer {
    answer(201, &json!({ "id": id(command) }))
}

/// 200 with the id.
pub(super) fn changed(command: &Command, _events: &[Event]) -> Answer {
    answer(200, &json!({ "id": id(command) }))
}

/// 201 for an order that is placed at once.
pub(super) fn placed(command: &Command, _events: &[Event]) -> Answer {
    answer(201, &json!({ "id": id(command), "status": "placed" }))
}

/// 200 for a draft that is placed.
pub(super) fn draft_placed(command: &Command, _events: &[Event]) -> Answer {
    answer(200, &json!({ "id": id(command), "status": "placed" }))
}

/// 201 for a cart.
pub(super) fn drafted(command: &Command, _events: &[Event]) -> Answer {
    answer(201, &json!({ "id": id(command), "status": "draft" }))
}

/// 201 with the number of the new line.
pub(super) fn line_added(command: &Command, events: &[Event]) -> Answer {
    let line = find(events, |event| match event {
        OrderEvent::LineAdded(added) => Some(added.line),
        _ => None,
    });
    answer(201, &json!({ "id": id(command), "line": line }))
}

/// 200 with the cancellation that was begun, if one was.
pub(super) fn cancelled(command: &Command, events: &[Event]) -> Answer {
    let cancellation = find(events, |event| match event {
        OrderEvent::CancellationRequested(requested) => requested.cancellation_id.clone(),
        _ => None,
    });
    match cancellation {
        Some(cancellation) => {
            answer(200, &json!({ "id": id(command), "cancellation_id": cancellation }))
        }
        None => changed(command, events),
    }
}

/// 201 with the return that was begun.
pub(super) fn return_requested(command: &Command, events: &[Event]) -> Answer {
    let requested = find(events, |event| match event {
        OrderEvent::ReturnRequested(requested) => Some(requested.return_id.clone()),
        _ => None,
    });
    answer(201, &json!({ "id": id(command), "return_id": requested }))
}

fn answer(status: u16, body: &Value) -> Answer {
    Answer { status, body: body.to_string() }
}

fn find<T>(events: &[Event], pick: impl Fn(&OrderEvent) -> Option<T>) -> Option<T> {
    events.iter().find_map(|event| match event {
        Event::Order(event) => pick(event),
        _ => None,
    })
}

fn id(command: &Command) -> String {
    match command.target() {
        Stream::Product(id) | Stream::Stock(id) => id.to_string(),
        Stream::Customer(id) => id.to_string(),
        Stream::Reservation(id) | Stream::Order(id) | Stream::Commands(id) => id.to_string(),
        Stream::Operations(id) => id.to_string(),
        Stream::Payment(id) => id.to_string(),
        Stream::Shipment(id) => id.to_string(),
    }
}
