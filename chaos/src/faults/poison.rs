//! What this version can't read: an event in the log, and a message in the queue.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::client::Client;
use crate::fault::Fault;
use crate::scene::Scene;
use crate::stack::{Layout, Role};
use crate::storage::{Poison, PoisonedEvent, mend_letters};

/// Events that no saga reads.
const POISONS: [Poison; 3] = [
    Poison {
        event_type: "StockReceived",
        stream: "stock-poison",
        readable: r#"{"sku":"poison","quantity":5}"#,
        model: "stock",
    },
    Poison {
        event_type: "ProductRegistered",
        stream: "product-poison",
        readable: r#"{"sku":"poison","name":"P","unit_price":{"amount":1,"currency":"GBP"},"stocked":true}"#,
        model: "products",
    },
    Poison {
        event_type: "CustomerRegistered",
        stream: "customer-poison",
        readable: r#"{"customer_id":"poison"}"#,
        model: "customers",
    },
];
/// The reason of a replay.
const REASON: &str = "this version knows it";

/// The faults.
pub(crate) static FAULTS: &[Fault] = &[Fault {
    id: "F24",
    name: "an event and a message that this version can't read",
    layout: |_| Layout::distributed(),
    act: |scene| Box::pin(left_behind(scene)),
    must: &["models faulted", "models went on", "parked", "letters replayed"],
    sometimes: &["keys parked", "keys replayed"],
    ..Fault::USUAL
}];

/// F24: a version that was rolled back has left an event and a message that this one can't read. Who reads the event stands
/// still and says where and why; all others go on. The message is parked, and sometimes the event's key, too, so that the model
/// goes on past it. Then both are put right, and what is parked is replayed.
async fn left_behind(scene: &mut Scene) -> Result<()> {
    scene.moment(5..20).await;
    let poison = POISONS[scene.random.usize(..POISONS.len())];
    let databases = scene.stack_mut().await.servers()?.databases();
    scene.stack().await.of(Role::Commands).terminate()?;
    let event = poison.leave(&databases.log).await?;
    scene.tally.one("poison events");
    scene.stack().await.of(Role::Commands).start_again(None);
    scene.stack().await.until_ready(Role::Commands).await?;
    let letter = park(scene).await?;

    faults_visibly(scene, &event, poison.model).await?;
    scene.moment(10..30).await;
    others_go_on(scene, &event, poison.model).await?;
    scene.stack().await.until_ready(Role::Sagas).await?;

    // An operator may wait until it can be read, or have the model go on without this one key.
    let key = if scene.random.bool() { Some(park_key(scene, &event).await?) } else { None };
    event.mend(&databases.log).await?;
    mend_letters(&databases.log).await?;
    {
        // The broker has a copy of what was wrong.
        let mut stack = scene.stack_mut().await;
        let nats = &mut stack.servers()?.nats[0];
        nats.kill()?;
        nats.wipe()?;
        nats.start_again()?;
    }
    scene.stack().await.of(Role::Models).kill()?;
    scene.recovers().await?;
    let path = format!("/v1/dead-letters/{letter}/replay");
    for _ in 0..2 {
        entrance(scene).await?.until_done(&path, "replay", &json!({ "reason": REASON })).await?;
    }
    scene.tally.one("letters replayed");
    if let Some(key) = key {
        replay_key(scene, poison.model, &key).await?;
    }
    let reads = |model: &Value| model["fault"].is_null();
    entrance(scene).await?.until(&format!("/v1/projections/{}", poison.model), reads).await?;
    scene.stack().await.until_all_ready().await
}

/// A message that names a command of a newer version; the id of the letter that it becomes.
async fn park(scene: &Scene) -> Result<String> {
    let url = scene.stack().await.servers_ref().context("there is a broker")?.nats[0].url();
    let body = json!({ "command": "Teleport", "body": { "order_id": "nobody" } });
    let message = json!({
        "command_id": "order-nobody/reserve_stock/1", "body": body.to_string(),
        "correlation_id": "order-nobody", "occurred_at": "2026-01-01T00:00:00Z",
    });
    let streams = async_nats::jetstream::new(async_nats::connect(url).await?);
    streams.publish("docket.commands.nobody", message.to_string().into()).await?.await?;
    let parked = |letters: &Value| letters["items"].as_array().is_some_and(|all| !all.is_empty());
    let letters = entrance(scene).await?.until("/v1/dead-letters", parked).await?;
    scene.tally.one("parked");
    Ok(letters["items"][0]["id"].as_str().context("a letter has an id")?.to_owned())
}

async fn faults_visibly(scene: &Scene, event: &PoisonedEvent, model: &str) -> Result<()> {
    let path = format!("/v1/projections/{model}");
    let faulted = |model: &Value| model["state"] == "faulted";
    let model = entrance(scene).await?.until(&path, faulted).await?;
    let (at, cause) = (&model["fault"]["position"], &model["fault"]["cause"]);
    ensure!(*at == event.position, "it faults at {at}, and the event is at {}", event.position);
    ensure!(cause.as_str().is_some_and(|cause| !cause.is_empty()), "no cause is given: {model}");
    ensure!(model["live_position"].as_i64() < Some(event.position), "it was passed over: {model}");
    scene.tally.one("models faulted");
    Ok(())
}

/// Has the model that stands still go on without the event's key; the key.
async fn park_key(scene: &Scene, event: &PoisonedEvent) -> Result<String> {
    let client = entrance(scene).await?;
    let path = format!("/v1/projections/{}", event.model());
    let body = json!({ "position": event.position, "reason": "goes on after the upgrade" });
    client.until_done(&format!("{path}/park"), "park", &body).await?;
    let goes_on = |model: &Value| {
        model["fault"].is_null() && model["position"].as_i64() > Some(event.position)
    };
    let model = client.until(&path, goes_on).await?;
    let parked = &model["parked"][0];
    ensure!(parked["position"] == event.position, "another key is parked: {model}");
    scene.tally.one("keys parked");
    Ok(parked["key"].as_str().context("what is parked has a key")?.to_owned())
}

/// Has the events of a key applied that waited for it.
async fn replay_key(scene: &Scene, model: &str, key: &str) -> Result<()> {
    let client = entrance(scene).await?;
    let path = format!("/v1/projections/{model}");
    let body = json!({ "key": key, "reason": REASON });
    client.until_done(&format!("{path}/replay"), "replay-key", &body).await?;
    let none_waits = |model: &Value| model["parked"].as_array().is_none_or(Vec::is_empty);
    client.until(&path, none_waits).await?;
    scene.tally.one("keys replayed");
    Ok(())
}

/// Every other model reads on, to the end of what there is now.
async fn others_go_on(scene: &Scene, event: &PoisonedEvent, model: &str) -> Result<()> {
    let client = entrance(scene).await?;
    let list = client.until("/v1/projections", |_| true).await?;
    let head = list["items"][0]["head"].as_i64().context("a model says how far the log is")?;
    ensure!(head > event.position, "nothing came after the event");
    let goes_on = |one: &Value| {
        one["name"] == model || one["state"] == "faulted" || one["position"].as_i64() >= Some(head)
    };
    let all = |list: &Value| list["items"].as_array().is_some_and(|all| all.iter().all(goes_on));
    let list = client.until("/v1/projections", all).await?;
    let faulted = |one: &&Value| one["state"] == "faulted";
    let faulted = list["items"].as_array().into_iter().flatten().filter(faulted).count();
    let all = list["items"].as_array().map_or(0, Vec::len);
    ensure!(faulted * 2 < all, "{faulted} of {all} models stand still");
    scene.tally.add("models went on", (all - faulted) as u64);
    Ok(())
}

async fn entrance(scene: &Scene) -> Result<Client> {
    Client::new(scene.stack().await.entrance().url())
}
