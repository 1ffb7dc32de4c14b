//! What the tables promise, on every backend.

use chrono::{DateTime, TimeDelta, Utc};
use domain::event::Event;
use domain::sagas::{EventContext, Saga, SagaState, Timeouts};
use event_store::LogIdentity;
use messaging::commands::CommandMessage;
use storage::{Fence, Passed, Store};
use uuid::Uuid;

use super::contract::{Committing as _, Rows as _, Tables};
use super::memory::MemoryTables;
use crate::storage::{Checkpoint, OutboxRow, PastAction, SagaRow};

/// Each case on SQLite and in memory. PostgreSQL runs the same statements as SQLite, under the orchestrator's own tests.
macro_rules! on_both {
    ($($case:ident),+ $(,)?) => {
        mod sqlite { $(
            #[tokio::test]
            async fn $case() {
                let folder = tempfile::tempdir().unwrap();
                let location = folder.path().join("sagas.db").into();
                super::$case::<super::Store>(crate::storage::open(&location).await.unwrap()).await;
            }
        )+ }
        mod memory { $(
            #[tokio::test]
            async fn $case() {
                super::$case(super::MemoryTables::new(std::sync::Arc::new(|| super::at(0)))).await;
            }
        )+ }
    };
}

on_both! {
    nothing_of_a_transaction_stays_that_is_not_committed,
    the_checkpoint_moves_only_from_where_it_stands,
    a_saga_is_written_only_from_the_version_before,
    sagas_are_read_by_order_in_the_order_in_which_they_began,
    those_whose_time_has_come_are_named_and_those_that_ended_are_not_paged,
    a_command_is_kept_once_and_goes_when_it_is_done,
    a_command_is_due_later_with_every_handover,
    an_operators_action_is_found_by_its_key,
    what_is_put_aside_is_gone_and_the_epoch_is_entered,
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

fn log() -> LogIdentity {
    LogIdentity { log: "a".into(), epoch: 1 }
}

fn start() -> Checkpoint {
    Checkpoint { position: 0, event_id: None, log: log() }
}

async fn started<T: Tables>(tables: &T) {
    let mut transaction = tables.begin().await.unwrap();
    transaction.start_checkpoint(&log()).await.unwrap();
    transaction.commit().await.unwrap();
}

/// The saga of an order that was placed, as it is written first.
fn saga(order_id: &str) -> (Saga, SagaRow) {
    let placed = serde_json::json!({
        "order_id": order_id, "currency": "GBP", "total": 2, "payment_method": "pm_ok",
        "lines": [{ "line": 1, "sku": "A", "quantity": 2, "unit_price": 1, "stocked": true }],
        "shipping_address": { "country": "France" },
    });
    let event = Event::from_json("OrderPlaced", 1, &placed.to_string()).unwrap();
    let context =
        EventContext { position: 1, recorded_at: at(0), occurred_at: at(0), command_id: "c" };
    let (saga, _) = Saga::start(&event, &context, &Timeouts::default(), &[]).unwrap();
    let row = SagaRow {
        version: 1,
        cause_position: 1,
        correlation_id: "c".into(),
        data: serde_json::to_string(&saga).unwrap(),
        written_state: None,
    };
    (saga, row)
}

fn command(id: &str) -> OutboxRow {
    let message = CommandMessage {
        command_id: id.into(),
        body: "{}".to_owned(),
        correlation_id: "c".into(),
        causation_id: None,
        traceparent: None,
        occurred_at: at(0),
        begun: false,
    };
    let body = serde_json::to_string(&message).unwrap();
    OutboxRow { saga_id: "order-o".to_owned(), step: "s".to_owned(), attempt: 1, message, body }
}

async fn write<T: Tables>(tables: &T, sagas: &[(Saga, SagaRow)]) -> bool {
    let mut transaction = tables.begin().await.unwrap();
    let sagas: Vec<_> = sagas.iter().map(|(saga, row)| (saga, row)).collect();
    let written = transaction.write_sagas(&sagas).await.unwrap();
    if written {
        transaction.commit().await.unwrap();
    }
    written
}

async fn nothing_of_a_transaction_stays_that_is_not_committed<T: Tables>(tables: T) {
    started(&tables).await;
    let mut dropped = tables.begin().await.unwrap();
    let to = dropped.advance(&Fence::Open, &start(), 5, None).await.unwrap();
    assert_eq!(to, Passed::Through);
    dropped.write_alive_at(at(1)).await.unwrap();
    drop(dropped);
    let mut reader = tables.writer().await.unwrap();
    assert_eq!(reader.read_checkpoint().await.unwrap(), start());
    assert_eq!(reader.read_alive_at().await.unwrap(), None);
}

async fn the_checkpoint_moves_only_from_where_it_stands<T: Tables>(tables: T) {
    let mut reader = tables.writer().await.unwrap();
    assert!(reader.read_checkpoint().await.is_err());
    assert_eq!(reader.read_position().await.unwrap(), 0);
    drop(reader);
    started(&tables).await;
    let id = Some(Uuid::from_u128(7));
    let mut transaction = tables.begin().await.unwrap();
    let moved = transaction.advance(&Fence::Open, &start(), 5, id).await.unwrap();
    assert_eq!(moved, Passed::Through);
    transaction.commit().await.unwrap();
    let mut transaction = tables.begin().await.unwrap();
    let again = transaction.advance(&Fence::Open, &start(), 6, id).await.unwrap();
    assert_eq!(again, Passed::Moved);
    drop(transaction);
    started(&tables).await;
    let mut reader = tables.reader().await.unwrap();
    let stands = Checkpoint { position: 5, event_id: id, log: log() };
    assert_eq!(reader.read_checkpoint().await.unwrap(), stands);
}

async fn a_saga_is_written_only_from_the_version_before<T: Tables>(tables: T) {
    let (first, row) = saga("o");
    assert!(write(&tables, &[(first.clone(), row.clone())]).await);
    assert!(!write(&tables, &[(first.clone(), row.clone())]).await);
    let next = SagaRow { version: 2, ..row.clone() };
    assert!(write(&tables, &[(first.clone(), next)]).await);
    assert!(!write(&tables, &[saga("p"), (first, row)]).await);
    let mut reader = tables.writer().await.unwrap();
    assert_eq!(reader.count_states().await.unwrap(), [(SagaState::Running, 1)].into());
}

async fn sagas_are_read_by_order_in_the_order_in_which_they_began<T: Tables>(tables: T) {
    write(&tables, &[saga("b"), saga("a"), saga("c")]).await;
    let mut reader = tables.writer().await.unwrap();
    let read = reader.read_of_orders(&["a", "b", "nobody"]).await.unwrap();
    let mut expected = vec![saga("b"), saga("a")];
    for (_, row) in &mut expected {
        row.written_state = Some(SagaState::Running);
    }
    assert_eq!(read, expected);
}

async fn those_whose_time_has_come_are_named_and_those_that_ended_are_not_paged<T: Tables>(
    tables: T,
) {
    let mut sagas: Vec<_> = ["a", "b", "c", "d"].map(saga).into();
    for ((saga, _), wake_at) in sagas.iter_mut().zip([Some(5), None, Some(3), Some(9)]) {
        saga.status.wake_at = wake_at.map(at);
    }
    sagas[1].0.status.state = SagaState::Completed;
    sagas[2].0.status.state = SagaState::Compensated;
    write(&tables, &sagas).await;
    let mut reader = tables.writer().await.unwrap();
    assert_eq!(reader.orders_to_wake(at(5), 10).await.unwrap(), ["c", "a"]);
    assert_eq!(reader.orders_to_wake(at(5), 1).await.unwrap(), ["c"]);
    let (page, last) = reader.read_unfinished(0, 1).await.unwrap();
    assert_eq!(page[0].0.status.order_id.as_str(), "a");
    let (page, _) = reader.read_unfinished(last, 10).await.unwrap();
    assert_eq!(page.len(), 1);
    assert_eq!(page[0].0.status.order_id.as_str(), "d");
}

async fn a_command_is_kept_once_and_goes_when_it_is_done<T: Tables>(tables: T) {
    let mut transaction = tables.begin().await.unwrap();
    let new = transaction.insert_outbox(&[command("a"), command("b")], at(0), at(5), 1).await;
    assert_eq!(new.unwrap(), 2);
    let new = transaction.insert_outbox(&[command("b"), command("c")], at(0), at(1), 1).await;
    assert_eq!(new.unwrap(), 1);
    assert_eq!(transaction.delete_done(&["a", "nobody's"]).await.unwrap(), 1);
    transaction.commit().await.unwrap();
    let mut reader = tables.writer().await.unwrap();
    assert_eq!(reader.count_outbox().await.unwrap(), 2);
    let due = reader.read_due(at(5), 10).await.unwrap();
    assert_eq!(due, [command("c").message, command("b").message]);
    assert_eq!(reader.read_due(at(4), 10).await.unwrap(), [command("c").message]);
}

async fn a_command_is_due_later_with_every_handover<T: Tables>(tables: T) {
    let every = std::time::Duration::from_secs(10);
    let mut transaction = tables.begin().await.unwrap();
    transaction.insert_outbox(&[command("a")], at(0), at(10), 1).await.unwrap();
    transaction.commit().await.unwrap();
    let mut now = 10;
    for wait in [20, 30, 40, 40] {
        let mut transaction = tables.begin().await.unwrap();
        assert_eq!(transaction.read_due(at(now - 1), 1).await.unwrap(), []);
        assert_eq!(transaction.read_due(at(now), 1).await.unwrap().len(), 1);
        transaction.reschedule(&["a"], at(now), every).await.unwrap();
        transaction.commit().await.unwrap();
        now += wait;
    }
    let mut transaction = tables.begin().await.unwrap();
    transaction.make_due(&["a"], at(1)).await.unwrap();
    assert_eq!(transaction.read_due(at(1), 1).await.unwrap().len(), 1);
    transaction.make_all_due(at(0)).await.unwrap();
    assert_eq!(transaction.read_due(at(0), 1).await.unwrap().len(), 1);
    transaction.commit().await.unwrap();
}

async fn an_operators_action_is_found_by_its_key<T: Tables>(tables: T) {
    let past = PastAction { request: "retry".to_owned(), answer: "{}".to_owned() };
    let mut transaction = tables.begin().await.unwrap();
    assert_eq!(transaction.find_action("k").await.unwrap(), None);
    transaction.insert_action("k", "order-o", &past, at(3)).await.unwrap();
    transaction.commit().await.unwrap();
    let mut reader = tables.writer().await.unwrap();
    assert_eq!(reader.find_action("k").await.unwrap(), Some((past, at(3))));
}

async fn what_is_put_aside_is_gone_and_the_epoch_is_entered<T: Tables>(tables: T) {
    started(&tables).await;
    write(&tables, &[saga("o")]).await;
    let mut transaction = tables.begin().await.unwrap();
    transaction.insert_outbox(&[command("a")], at(0), at(0), 1).await.unwrap();
    transaction.write_alive_at(at(1)).await.unwrap();
    transaction.advance(&Fence::Open, &start(), 9, None).await.unwrap();
    transaction.put_aside(2).await.unwrap();
    transaction.enter_epoch(2).await.unwrap();
    transaction.commit().await.unwrap();
    let mut reader = tables.writer().await.unwrap();
    let checkpoint = reader.read_checkpoint().await.unwrap();
    assert_eq!((checkpoint.position, checkpoint.log.epoch), (0, 2));
    assert_eq!(reader.read_of_orders(&["o"]).await.unwrap(), []);
    assert_eq!(reader.count_outbox().await.unwrap(), 0);
    assert_eq!(reader.read_alive_at().await.unwrap(), None);
}
