//! What orders of every fate leave in the log, as the platform itself wrote it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use event_store::sqlite::SqliteLog;
use event_store::{EventLog as _, RecordedEvent};
use serde_json::{Value, json};

use crate::client::{Command, Connection};
use crate::platform::{Kind, Platform};

/// The product of every template.
pub(super) const SKU: &str = "template-sku";
/// The customer of every template.
pub(super) const CUSTOMER: &str = "template-customer";

/// How an order may end, or where it stands, and of how many in a thousand.
const FATES: [(Fate, u32); 6] = [
    (Fate::Completed, 840),
    (Fate::Waiting, 100),
    (Fate::Rejected, 20),
    (Fate::Cancelled, 20),
    (Fate::Cart, 15),
    (Fate::OnHold, 5),
];
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Completed,
    /// For its parcel to leave.
    Waiting,
    Rejected,
    Cancelled,
    Cart,
    OnHold,
}

/// The events of one command.
pub(super) type Written = Vec<RecordedEvent>;

/// What is told again and again.
pub(crate) struct Templates {
    /// What registered the product and brought its stock.
    pub(super) product: Vec<Written>,
    pub(super) customer: Vec<Written>,
    /// Orders by fate: the id in it, of how many in a thousand, and what was written.
    pub(super) orders: Vec<(String, u32, Vec<Written>)>,
}

impl Templates {
    /// Lets the platform carry one of each out.
    pub(crate) async fn make() -> Result<Self> {
        let platform = Platform::start(Kind::Embedded).await?;
        let mut shop = Connection::open(&platform.at.commands).await?;
        let product = json!({ "sku": SKU, "name": "A product", "stocked": true,
            "unit_price": { "amount": 255, "currency": "GBP" } });
        ask(&mut shop, "/v1/products", &product).await?;
        ask(&mut shop, &format!("/v1/stock/{SKU}/receive"), &json!({ "quantity": 1_000_000_000 }))
            .await?;
        ask(&mut shop, "/v1/customers", &json!({ "customer_id": CUSTOMER })).await?;
        let mut fates = Vec::new();
        for (fate, of_thousand) in FATES {
            fates.push((place(&mut shop, fate).await?, of_thousand));
        }
        let log = SqliteLog::open_read_only(&platform.folder().join("log.db")).await?;
        let events = log.read_all(0, 10_000).await?;
        log.close().await;
        platform.stop().await?;
        let of = |id: &str| written(events.iter().filter(|event| is_about(event, id)));
        let orders = fates.into_iter().map(|(id, often)| (id.clone(), often, of(&id))).collect();
        let product = |event: &&RecordedEvent| {
            ["ProductRegistered", "StockReceived"].contains(&&*event.event_type)
        };
        let product = written(events.iter().filter(product));
        Ok(Self { product, customer: of(&format!("customer-{CUSTOMER}")), orders })
    }
}

fn is_about(event: &RecordedEvent, id: &str) -> bool {
    event.stream.contains(id) || event.payload.contains(id)
}

/// Together what one command wrote.
fn written<'e>(events: impl Iterator<Item = &'e RecordedEvent>) -> Vec<Written> {
    let mut all: Vec<Written> = Vec::new();
    for event in events {
        match all.last_mut().filter(|last| {
            last.first().is_some_and(|first| first.metadata.command_id == event.metadata.command_id)
        }) {
            Some(last) => last.push(event.clone()),
            None => all.push(vec![event.clone()]),
        }
    }
    all
}

async fn ask(shop: &mut Connection, path: &str, body: &Value) -> Result<Value> {
    let key = format!("{path}/{}", body["order_id"].as_str().unwrap_or_default());
    let command = Command::new(path.to_owned(), key, body.to_string());
    Ok(serde_json::from_slice(shop.post(&command).await?)?)
}

async fn place(shop: &mut Connection, fate: Fate) -> Result<String> {
    let id: Arc<str> = format!("template-{fate:?}").to_lowercase().into();
    let method = if fate == Fate::Rejected { "pm_declined" } else { "pm_ok" };
    let order = json!({
        "order_id": &*id, "customer_id": CUSTOMER, "currency": "GBP", "payment_method": method,
        "lines": [{ "sku": SKU, "quantity": 1 }], "draft": fate == Fate::Cart,
        "shipping_address": { "country": "United Kingdom" },
    });
    ask(shop, "/v1/orders", &order).await?;
    let wanted = match fate {
        Fate::Cart => "draft",
        Fate::Rejected => "rejected",
        _ => "confirmed",
    };
    until(shop, &id, wanted).await?;
    let path = |rest: &str| format!("/v1/orders/{id}/{rest}");
    let parcel = |rest: &str| format!("/v1/shipments/{id}-s1/{rest}");
    match fate {
        Fate::Completed => {
            parcel_is_there(shop, &id).await?;
            let body = json!({ "carrier": "Royal Mail", "tracking": "RM1" });
            ask(shop, &parcel("ship"), &body).await?;
            until(shop, &id, "fulfilling").await?;
            ask(shop, &parcel("deliver"), &json!({})).await?;
            until(shop, &id, "completed").await?;
        }
        Fate::Waiting => parcel_is_there(shop, &id).await?,
        Fate::Cancelled => {
            parcel_is_there(shop, &id).await?;
            ask(shop, &path("cancel"), &json!({ "reason": "too late" })).await?;
            until(shop, &id, "cancelled").await?;
        }
        Fate::OnHold => {
            ask(shop, &path("hold"), &json!({ "reason": "a look at it" })).await?;
            until(shop, &id, "on_hold").await?;
        }
        Fate::Rejected | Fate::Cart => {}
    }
    Ok(id.to_string())
}

async fn parcel_is_there(shop: &mut Connection, id: &str) -> Result<()> {
    until_shows(shop, &format!("/v1/sagas/order-{id}"), "state", "waiting").await
}

async fn until(shop: &mut Connection, id: &str, status: &str) -> Result<()> {
    until_shows(shop, &format!("/v1/orders/{id}"), "status", status).await
}

async fn until_shows(shop: &mut Connection, path: &str, field: &str, wanted: &str) -> Result<()> {
    let begun = std::time::Instant::now();
    let mut last = Value::Null;
    while begun.elapsed() < PATIENCE {
        last = shop.get(path).await.unwrap_or_default();
        if last.get(field).context("what is waited for").is_ok_and(|is| is == wanted) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("{path} never was {wanted}: {last}")
}
