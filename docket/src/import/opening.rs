//! What must be there before the first order: products, customers, opening stock.

use std::collections::HashMap;

use anyhow::bail;
use serde_json::{Value, json};

use super::args::OpeningStock;
use super::client::{Answer, Client};
use super::names::Name;
use super::plan::{Cover, Plan, Product};
use super::rows::Place;
use super::timestamp::Timestamp;
use crate::api::segment;

/// The most units that one command may carry.
const MOST_UNITS: u64 = 1_000_000_000;
/// Why a product is described otherwise, for the log: a person's token has to say it.
const AS_THE_FILES_SAY: &str = "as the imported files have it";
/// The same of units that nobody brought.
const OPENING_STOCK: &str = "opening stock of the imported files";

/// Registers a product; false when it is there already, perhaps described otherwise by the files of an earlier run.
pub(crate) async fn register_product(
    client: &Client,
    plan: &Plan,
    product: &Product,
) -> anyhow::Result<bool> {
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
    let existed = matches!(answer.refusal(), Some("product_exists" | "idempotency_key_reused"));
    if existed {
        return Ok(false);
    }
    answer.accepted(&format!("product {sku}")).map(|_| true)
}

/// What the platform shows of the products that it has, by their codes.
pub(crate) async fn catalog(client: &Client) -> anyhow::Result<HashMap<String, Described>> {
    let products = client.list(&client.since_begin("/v1/products?limit=1000")).await?;
    let described = |product: &Value| {
        let text = |member: &str| product.get(member)?.as_str().map(str::to_owned);
        let pence = product.get("unit_price")?.get("amount")?.as_i64()?;
        Some((text("sku")?, Described { name: text("name")?, pence }))
    };
    Ok(products.iter().filter_map(described).collect())
}

/// A product as the platform shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Described {
    name: String,
    pence: i64,
}

/// Describes a product that was there already as one run over all files would have: the first name and the first price
/// that say something hold. So the code in place of a name and the price 0 are made good, and nothing else.
pub(crate) async fn describe(
    client: &Client,
    plan: &Plan,
    product: &Product,
    known: &Described,
) -> anyhow::Result<()> {
    let (sku, name) = (plan.names.text(product.sku), plan.names.text(product.name));
    let what = || format!("product {sku}");
    let (path, key) = (
        format!("/v1/products/{}", segment(sku)),
        format!("online-retail/product/{}", segment(sku)),
    );
    // Whoever decided otherwise meanwhile, or sells it no more, has the last word.
    let decided = ["idempotency_key_reused", "product_discontinued"];
    if known.name == sku && name != sku {
        let body = json!({ "name": name, "reason": AS_THE_FILES_SAY });
        let answer = client.post(&format!("{path}/name"), &format!("{key}/name"), &body).await?;
        unless(answer, &decided, what)?;
    }
    if known.pence == 0 && product.pence > 0 {
        let price = json!({ "amount": product.pence, "currency": "GBP" });
        let body = json!({ "unit_price": price, "reason": AS_THE_FILES_SAY });
        let answer = client.post(&format!("{path}/price"), &format!("{key}/price"), &body).await?;
        unless(answer, &decided, what)?;
    }
    Ok(())
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
    place: Place,
}

/// Opening stock that the platform did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing {
    /// The stock code.
    pub(crate) sku: Name,
    /// Where the first row stands that it was for.
    pub(crate) place: Place,
    /// Why, in the platform's word.
    pub(crate) code: String,
}

/// The opening stock that was asked for.
pub(crate) fn openings(plan: &Plan, stock: OpeningStock) -> Vec<Opening> {
    match stock {
        OpeningStock::Cover => plan.cover.iter().map(|cover| covering(plan, cover)).collect(),
        OpeningStock::Units(0) => Vec::new(),
        OpeningStock::Units(units) => {
            let stocked = plan.products.iter().filter(|product| product.stocked);
            stocked.map(|product| once_per_code(plan, product, units)).collect()
        }
    }
}

/// Keyed by the file's content: the same file again, alone or with others, adds nothing.
fn covering(plan: &Plan, cover: &Cover) -> Opening {
    let hash = plan.files.get(usize::from(cover.place.file)).map_or("", |file| file.hash.as_str());
    let sku = segment(plan.names.text(cover.sku));
    let key = format!("online-retail/cover/{hash}/{sku}");
    Opening {
        sku: cover.sku,
        quantity: cover.quantity,
        key,
        time: Some(cover.time),
        place: cover.place,
    }
}

/// Keyed by the code alone: whatever files name it, and however often, it is received once.
fn once_per_code(plan: &Plan, product: &Product, units: u32) -> Opening {
    let Product { sku, place, .. } = *product;
    let key = format!("online-retail/opening/{}", segment(plan.names.text(sku)));
    Opening { sku, quantity: u64::from(units), key, time: None, place }
}

/// Receives opening stock, or finds that it was received; what the platform did not take is told, and all else goes on.
pub(crate) async fn receive(
    client: &Client,
    plan: &Plan,
    opening: &Opening,
) -> anyhow::Result<Option<Missing>> {
    let sku = plan.names.text(opening.sku);
    if opening.quantity > MOST_UNITS {
        bail!("{} units of {sku} are more than one command can receive", opening.quantity);
    }
    let mut body = json!({ "quantity": opening.quantity, "reason": OPENING_STOCK });
    if let Some(time) = opening.time {
        body["occurred_at"] = time.rfc3339().into();
    }
    let path = format!("/v1/stock/{}/receive", segment(sku));
    let answer = client.post(&path, &opening.key, &body).await?;
    match answer.refusal() {
        Some("idempotency_key_reused") => Ok(None),
        Some(code) => {
            let code = code.to_owned();
            Ok(Some(Missing { sku: opening.sku, place: opening.place, code }))
        }
        None => answer.accepted(&format!("opening stock of {sku}")).map(|_| None),
    }
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
