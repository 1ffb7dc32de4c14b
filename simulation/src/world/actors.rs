//! The people around the platform: the warehouse ships and delivers, returns arrive, an operator helps sagas that need one.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use domain::ids::{OrderId, SagaId};
use domain::payments::Settlement;
use domain::sagas::SagaState;
use domain::text::Reason;
use event_store::{EventLog as _, RecordedEvent};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::clients::Told;
use super::state::World;

/// How often they look.
const LOOK_EVERY: Duration = Duration::from_millis(900);
/// Tries of the warehouse with one parcel.
const TRIES: u32 = 200;

impl World {
    /// The warehouse: reads the log itself, which nobody hides from people.
    pub(crate) async fn keep_shop(self: Arc<Self>) {
        let mut seen = 0;
        loop {
            sleep(LOOK_EVERY).await;
            let events = self.log().read_all(seen, usize::MAX).await.unwrap_or_default();
            for event in events {
                seen = event.position;
                self.react(&event);
            }
        }
    }

    fn react(self: &Arc<Self>, event: &RecordedEvent) {
        let payload: Value = serde_json::from_str(&event.payload).unwrap_or_default();
        let text = |field: &str| payload[field].as_str().unwrap_or_default().to_owned();
        let world = Arc::clone(self);
        let delay = Duration::from_millis(self.weather.draw(|rng| rng.within(500, 9_000)));
        match event.event_type.as_ref() {
            "ShipmentCreated" => drop(tokio::spawn(world.ship(text("shipment_id"), delay))),
            "ShipmentSplit" => drop(tokio::spawn(world.ship(text("remainder_id"), delay))),
            "ReturnRequested" => {
                let restock = self.weather.draw(|rng| rng.chance(700));
                let received = json!({
                    "order_id": text("order_id"), "return_id": text("return_id"), "restock": restock,
                });
                let key = format!("receive-{}", text("return_id"));
                let command = json!({ "command": "ReceiveReturn", "body": received });
                tokio::spawn(world.insist(key, command, delay));
            }
            "OrderHeld" => {
                let release =
                    json!({ "command": "ReleaseHold", "body": { "order_id": text("order_id") } });
                let key = format!("release-{}", event.position);
                tokio::spawn(world.insist(key, release, delay * 2));
            }
            "CommandParked" => self.trace.happened("a command parked"),
            _ => {}
        }
    }

    async fn ship(self: Arc<Self>, shipment_id: String, delay: Duration) {
        let shipped = json!({ "shipment_id": shipment_id, "carrier": "Post", "tracking": "T1" });
        let command = json!({ "command": "MarkShipped", "body": shipped });
        let key = format!("ship-{shipment_id}");
        Arc::clone(&self).insist(key, command, delay).await;
        let delivered = json!({ "shipment_id": shipment_id });
        let command = json!({ "command": "MarkDelivered", "body": delivered });
        self.insist(format!("deliver-{shipment_id}"), command, delay / 2).await;
    }

    /// Asks again, under further keys, until it is done or the thing is off.
    async fn insist(self: Arc<Self>, key: String, command: Value, delay: Duration) {
        sleep(delay).await;
        for attempt in 0..TRIES {
            match self.ask(&format!("{key}-{attempt}"), &command).await {
                Told::Done(_) => return,
                Told::Refused(why) if is_final(&why) => return,
                Told::Refused(_) | Told::Reused | Told::Nothing => sleep(LOOK_EVERY * 3).await,
            }
        }
    }

    /// The operator: retries what needs attention, then resolves it.
    pub(crate) async fn attend(self: Arc<Self>) {
        let mut helped: BTreeMap<String, u32> = BTreeMap::new();
        loop {
            sleep(LOOK_EVERY * 5).await;
            let Some(audit) = self.tables.audit() else { continue };
            for saga in audit.sagas {
                if saga.state != SagaState::NeedsAttention {
                    continue;
                }
                self.trace.happened("a saga that needed attention");
                let times = helped.entry(saga.id.clone()).or_default();
                *times += 1;
                self.help(&saga.id, &saga.order_id, *times).await;
            }
        }
    }

    async fn help(&self, saga_id: &str, order_id: &str, times: u32) {
        let ids = (SagaId::parse(saga_id), OrderId::parse(order_id));
        let (Ok(saga), Ok(order)) = ids else { return };
        let running: Vec<_> = self.orchestrating().iter().flatten().map(Arc::clone).collect();
        let Some(live) = running.iter().find_map(|one| one.live()) else { return };
        let resolve =
            times.is_multiple_of(2).then(|| (Settlement::Elsewhere, Reason::code("by_hand")));
        let key = format!("help-{saga_id}-{times}");
        let told = live.act((saga, order), &key, resolve);
        let told = tokio::time::timeout(Duration::from_secs(5), told).await;
        self.trace.tell(format_args!("{key}: {told:?}"));
        if !matches!(told, Ok(Ok(_))) {
            return;
        }
        self.helped.lock().unwrap_or_else(PoisonError::into_inner).insert(saga_id.to_owned());
        // What an operator was told to be done outlives a crash of the database right after it.
        if !self.weather.is_calm() && self.weather.draw(|rng| rng.chance(200)) {
            self.lose_commits(usize::from(self.weather.draw(|rng| rng.chance(500))) + 1);
        }
    }
}

/// Whether a refusal stays one.
fn is_final(why: &str) -> bool {
    ["cancelled", "delivered", "received", "not found"].iter().any(|word| why.contains(word))
}
