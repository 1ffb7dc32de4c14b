//! Side effects that were begun and not ended.

use super::fixtures::{append, command, conflict};
use crate::contract::EventLog;

async fn open(log: &dyn EventLog) -> Vec<(String, String)> {
    let intents = log.open_intents().await.unwrap().into_iter();
    intents.map(|intent| (intent.id.to_string(), intent.payload)).collect()
}

fn intent(id: &str, payload: &str) -> (String, String) {
    (id.into(), payload.into())
}

/// The table says what the appends say.
pub async fn an_intent_opens_and_closes_with_its_append(log: &dyn EventLog) {
    append(log, [command("pay").writes("payment", "Asked").opens("pay", r#"{"amount":7}"#)]).await;
    assert_eq!(open(log).await, [intent("pay", r#"{"amount":7}"#)]);
    let opened_at = log.open_intents().await.unwrap()[0].opened_at;
    assert_eq!(opened_at, log.read_all(0, 1).await.unwrap()[0].recorded_at);
    append(log, [command("pay/outcome").writes("payment", "Paid").closes("pay")]).await;
    assert_eq!(open(log).await, []);
}

/// What was not appended begins nothing and ends nothing.
pub async fn a_conflict_opens_and_closes_no_intent(log: &dyn EventLog) {
    append(log, [command("1").writes("a", "Asked").opens("1", "1")]).await;
    let verdicts = append(
        log,
        [command("2").saw("a", 0).opens("2", "2"), command("3").saw("a", 0).closes("1")],
    );
    assert_eq!(verdicts.await, [conflict("a"), conflict("a")]);
    assert_eq!(open(log).await, [intent("1", "1")]);
    append(log, [command("4").closes("1")]).await;
    append(log, [command("1").writes("a", "Asked").opens("1", "1")]).await;
    assert_eq!(open(log).await, [], "a repeated command begins nothing");
}

/// An outcome may come twice.
pub async fn closing_what_is_not_open_is_harmless(log: &dyn EventLog) {
    append(log, [command("1").opens("1", "1"), command("2").closes("unknown")]).await;
    assert_eq!(open(log).await, [intent("1", "1")]);
}

/// The changes of a batch are made in its order.
pub async fn an_intent_opened_and_closed_in_one_batch_is_not_open(log: &dyn EventLog) {
    let batch = [
        command("1").opens("1", "old"),
        command("1/outcome").closes("1"),
        command("2").opens("2", "old").closes("2").opens("2", "new"),
    ];
    append(log, batch).await;
    assert_eq!(open(log).await, [intent("2", "new")]);
}

/// It is the same side effect.
pub async fn an_intent_opened_again_keeps_its_first_payload(log: &dyn EventLog) {
    append(log, [command("1").opens("x", "first")]).await;
    append(log, [command("2").opens("x", "second")]).await;
    assert_eq!(open(log).await, [intent("x", "first")]);
}

/// Whoever waits longest is looked at first.
pub async fn open_intents_come_oldest_first(log: &dyn EventLog) {
    append(log, [command("1").opens("z", "1"), command("2").opens("m", "2")]).await;
    append(log, [command("3").opens("a", "3").closes("m")]).await;
    append(log, [command("4").opens("m", "4")]).await;
    assert_eq!(open(log).await, [intent("z", "1"), intent("a", "3"), intent("m", "4")]);
}
