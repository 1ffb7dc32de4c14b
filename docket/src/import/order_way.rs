//! One order from placing to its end, and the stock corrections that go beside the orders.
//!
//! Every step may find that it was taken before (the import was interrupted) and then goes on with the next.

use anyhow::Context;
use serde_json::{Value, json};

use super::client::Client;
use super::history;
use super::plan::{Correction, Order, Plan};
use crate::api::segment;

/// What an order is called that was not even placed.
const REFUSED: &str = "refused";

/// How an order ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// `completed`, `rejected`, `cancelled`; `refused` when it was not even placed.
    pub(crate) status: String,
    /// Why, when it was not completed.
    pub(crate) reason: Option<String>,
    /// Whether something of it came back before this run.
    pub(crate) has_returns: bool,
}

impl Outcome {
    /// Whether its lines reached the customer.
    pub(crate) fn is_delivered(&self) -> bool {
        self.status == "completed"
    }

    /// Whether the platform did not take it.
    pub(crate) fn is_refused(&self) -> bool {
        self.status == REFUSED
    }

    fn refused(code: &str) -> Self {
        Self { status: REFUSED.to_owned(), reason: Some(code.to_owned()), has_returns: false }
    }

    /// The end of an order that the platform shows; none as long as it is under way.
    pub(crate) fn of(order: &Value) -> Option<Self> {
        let status = order.get("status")?.as_str()?;
        let ended = matches!(status, "completed" | "rejected" | "cancelled");
        let reason = order.get("reason").and_then(Value::as_str).map(str::to_owned);
        let has_returns = history::has_returns(order);
        ended.then(|| Self { status: status.to_owned(), reason, has_returns })
    }
}

/// Takes an order to the customer's door; its outcome, when that is not the way it goes. What follows the door needs
/// nobody's help: [`end`] waits for it, once, when all are delivered, instead of asking all the time.
pub(crate) async fn carry(
    client: &Client,
    plan: &Plan,
    order: &Order,
) -> anyhow::Result<Option<Outcome>> {
    let id = plan.names.text(order.invoice);
    let key = format!("online-retail/order/{id}");
    let placed = client.post_and_wait("/v1/orders", &key, &body(plan, order)).await?;
    if let Some(code) = placed.refusal() {
        return Ok(Some(Outcome::refused(code)));
    }
    let placed = placed.accepted(&format!("order {id}"))?;
    if let Some(outcome) = Outcome::of(&placed).filter(|outcome| !outcome.is_delivered()) {
        return Ok(Some(outcome));
    }
    let shipments = match shipments(client, id).await? {
        Way::Ended(outcome) => return Ok(Some(outcome)),
        Way::Ships(shipments) => shipments,
    };
    for shipment in shipments {
        ship(client, &shipment, order).await.with_context(|| format!("order {id}"))?;
    }
    Ok(None)
}

/// Waits until the platform has ended an order.
pub(crate) async fn end(client: &Client, plan: &Plan, order: &Order) -> anyhow::Result<Outcome> {
    let id = plan.names.text(order.invoice);
    let ended = || async { Ok(read(client, id).await?.as_ref().and_then(Outcome::of)) };
    client.until(&format!("order {id}"), ended).await
}

/// Where an order's way leads after it was placed.
enum Way {
    /// To its end, without a parcel.
    Ended(Outcome),
    /// To the customer, in these shipments.
    Ships(Vec<String>),
}

/// Waits until the order has its shipments, or has ended without.
async fn shipments(client: &Client, id: &str) -> anyhow::Result<Way> {
    let path = format!("/v1/shipments?order_id={}", segment(id));
    let path = path.as_str();
    client.leave_time().await;
    client
        .until(&format!("order {id}"), || async move {
            let found = client.get(path).await?.accepted("the list of shipments")?;
            let items = found.get("items").and_then(Value::as_array);
            let ids =
                items.into_iter().flatten().filter_map(|shipment| shipment.get("id")?.as_str());
            let ids: Vec<String> = ids.map(str::to_owned).collect();
            if !ids.is_empty() {
                return Ok(Some(Way::Ships(ids)));
            }
            let ended = read(client, id).await?.as_ref().and_then(Outcome::of);
            Ok(ended.map(Way::Ended))
        })
        .await
}

/// Sends a parcel off and hands it over, at the order's own time.
async fn ship(client: &Client, shipment: &str, order: &Order) -> anyhow::Result<()> {
    let path = format!("/v1/shipments/{}", segment(shipment));
    let key = format!("online-retail/shipment/{shipment}");
    let occurred_at = order.time.rfc3339();
    let body =
        json!({ "carrier": "online-retail", "tracking": shipment, "occurred_at": occurred_at });
    client
        .post(&format!("{path}/ship"), &format!("{key}/ship"), &body)
        .await?
        .accepted("shipping")?;
    let body = json!({ "occurred_at": occurred_at });
    client
        .post(&format!("{path}/deliver"), &format!("{key}/deliver"), &body)
        .await?
        .accepted("delivery")?;
    Ok(())
}

/// The order as the read model has it; none when it has not got there yet.
pub(crate) async fn read(client: &Client, id: &str) -> anyhow::Result<Option<Value>> {
    let answer = client.get(&format!("/v1/orders/{}", segment(id))).await?;
    if answer.refusal().is_some() {
        return Ok(None);
    }
    answer.accepted(&format!("order {id}")).map(Some)
}

fn body(plan: &Plan, order: &Order) -> Value {
    let id = plan.names.text(order.invoice);
    let lines: Vec<Value> = order
        .lines
        .iter()
        .map(|line| {
            json!({
                "sku": plan.names.text(line.sku),
                "quantity": line.quantity,
                "unit_price": { "amount": line.pence, "currency": "GBP" },
            })
        })
        .collect();
    let mut body = json!({
        "order_id": id,
        "reference": id,
        "currency": "GBP",
        "lines": lines,
        "payment_method": "pm_ok",
        "shipping_address": { "country": plan.names.text(order.country) },
        "occurred_at": order.time.rfc3339(),
    });
    if let Some(customer) = order.customer {
        body["customer_id"] = plan.names.text(customer).into();
    }
    body
}

/// What became of a stock correction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Corrected {
    /// It was applied.
    Applied,
    /// There is no stock to correct, or not as much; an answer like any other.
    NotPossible,
    /// The platform did not take it, with this code.
    Refused(String),
}

/// Applies a stock correction.
pub(crate) async fn correct(
    client: &Client,
    plan: &Plan,
    correction: &Correction,
) -> anyhow::Result<Corrected> {
    let invoice = plan.names.text(correction.invoice);
    let sku = plan.names.text(correction.sku);
    let said = plan.names.text(correction.reason);
    let body = json!({
        "delta": correction.delta,
        "reason": if said.trim().is_empty() { "stock correction" } else { said },
        "occurred_at": correction.time.rfc3339(),
    });
    let path = format!("/v1/stock/{}/adjust", segment(sku));
    let key = format!("online-retail/correction/{invoice}/{}", correction.nth);
    let answer = client.post(&path, &key, &body).await?;
    match answer.refusal() {
        Some("not_stocked" | "out_of_stock") => return Ok(Corrected::NotPossible),
        Some(code) => return Ok(Corrected::Refused(code.to_owned())),
        None => {}
    }
    let what = format!("the correction of {sku} on {invoice}");
    answer.accepted(&what).map(|_| Corrected::Applied)
}
