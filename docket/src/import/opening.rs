//! What must be there before the first order: products, customers, opening stock.

use anyhow::bail;
use serde_json::json;

use super::args::OpeningStock;
use super::client::{Answer, Client};
use super::names::Name;
use super::plan::{Cover, Plan, Product};
use super::timestamp::Timestamp;
use crate::api::segment;

/// The most units that one command may carry.
const MOST_UNITS: u64 = 1_000_000_000;

/// Registers a product. One that an earlier file described otherwise stays as it is.
pub(crate) async fn register_product(
    client: &Client,
    plan: &Plan,
    product: &Product,
) -> anyhow::Result<()> {
    let sku = plan.names.text(product.sku);
    let body = json!({
        "sku": sku,
        "name": plan.names.text(product.name),
        "unit_price": { "amount": product.pence, "currency": "GBP" },
        "stocked": product.stocked,
    });
    let answer = client
        .post("/v1/products", &format!("online-retail/product/{}", segment(sku)), &body)
        .await?;
    unless(answer, &["product_exists", "idempotency_key_reused"], || format!("product {sku}"))
}

/// Registers a customer, or finds that it is registered.
pub(crate) async fn register_customer(
    client: &Client,
    plan: &Plan,
    customer: Name,
) -> anyhow::Result<()> {
    let id = plan.names.text(customer);
    let key = format!("online-retail/customer/{id}");
    let answer = client.post("/v1/customers", &key, &json!({ "customer_id": id })).await?;
    unless(answer, &["customer_exists", "customer_erased", "idempotency_key_reused"], || {
        format!("customer {id}")
    })
}

/// Stock to receive, with the key that makes it once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opening {
    sku: Name,
    quantity: u64,
    key: String,
    time: Option<Timestamp>,
}

/// The opening stock that was asked for.
pub(crate) fn openings(plan: &Plan, stock: OpeningStock) -> Vec<Opening> {
    match stock {
        OpeningStock::Cover => plan.cover.iter().map(|cover| covering(plan, cover)).collect(),
        OpeningStock::Units(0) => Vec::new(),
        OpeningStock::Units(units) => {
            let stocked = plan.products.iter().filter(|product| product.stocked);
            stocked.map(|product| once_per_code(plan, product.sku, units)).collect()
        }
    }
}

/// Keyed by the file's content: the same file again, alone or with others, adds nothing.
fn covering(plan: &Plan, cover: &Cover) -> Opening {
    let hash = plan.files.get(usize::from(cover.file)).map_or("", |file| file.hash.as_str());
    let sku = segment(plan.names.text(cover.sku));
    let key = format!("online-retail/cover/{hash}/{sku}");
    Opening { sku: cover.sku, quantity: cover.quantity, key, time: Some(cover.time) }
}

/// Keyed by the code alone: whatever files name it, and however often, it is received once.
fn once_per_code(plan: &Plan, sku: Name, units: u32) -> Opening {
    let key = format!("online-retail/opening/{}", segment(plan.names.text(sku)));
    Opening { sku, quantity: u64::from(units), key, time: None }
}

/// Receives opening stock, or finds that it was received.
pub(crate) async fn receive(client: &Client, plan: &Plan, opening: &Opening) -> anyhow::Result<()> {
    let sku = plan.names.text(opening.sku);
    if opening.quantity > MOST_UNITS {
        bail!("{} units of {sku} are more than one command can receive", opening.quantity);
    }
    let mut body = json!({ "quantity": opening.quantity });
    if let Some(time) = opening.time {
        body["occurred_at"] = time.rfc3339().into();
    }
    let path = format!("/v1/stock/{}/receive", segment(sku));
    let answer = client.post(&path, &opening.key, &body).await?;
    unless(answer, &["idempotency_key_reused"], || format!("opening stock of {sku}"))
}

/// Accepts an answer, or a refusal that says that it was done before.
fn unless(
    answer: Answer,
    done_before: &[&str],
    what: impl FnOnce() -> String,
) -> anyhow::Result<()> {
    if answer.refusal().is_some_and(|code| done_before.contains(&code)) {
        return Ok(());
    }
    answer.accepted(&what()).map(|_| ())
}
