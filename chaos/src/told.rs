//! Runs in which somebody outside is told of orders by webhook: of every order, once, and in order.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::awake::Awake;
use crate::client::Client;
use crate::load::Tally;
use crate::patience::patience;
use crate::stack::Stack;
use crate::tools::webhook_receiver::WebhookReceiver;

/// What is told. The first happens once to each order.
const EVENTS: [&str; 3] = ["order.placed", "order.confirmed", "order.rejected"];
/// How often is looked whether all was told.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// What is counted.
pub(crate) const TOLD: &str = "orders told of by webhook";

/// Has somebody told of everything from now on.
pub(crate) async fn register(client: &Client) -> Result<WebhookReceiver> {
    let receiver = WebhookReceiver::start().await?;
    let body = json!({ "url": receiver.url, "events": EVENTS, "reason": "somebody follows" });
    client.until_done("/v1/webhooks", "webhook", &body).await?;
    Ok(receiver)
}

/// Waits until all was told that there is to tell; what is missing or wrong. Of a log that was put back other things are told than
/// of the one before, and in another order.
pub(crate) async fn check(
    stack: &Stack,
    receiver: &WebhookReceiver,
    is_put_back: bool,
    tally: &Tally,
) -> Result<Vec<String>> {
    let wanted = wanted(&Client::new(stack.entrance().url())?).await?;
    let begun = Awake::now();
    let missing = |receiver: &WebhookReceiver| {
        let heard = receiver.heard();
        let missing = wanted.iter().filter(|(order, name)| !heard.has(order, name));
        missing.map(|(order, name)| format!("{name} of {order}")).collect::<Vec<_>>()
    };
    let mut left = missing(receiver);
    while !left.is_empty() && begun.elapsed() < patience() {
        tokio::time::sleep(LOOK_EVERY).await;
        left = missing(receiver);
    }
    let heard = receiver.heard();
    tally.add(TOLD, heard.told.len() as u64);
    tally.add("webhooks that failed", heard.failed);
    tally.add("told again", heard.repeated);
    let mut violations = if is_put_back { Vec::new() } else { heard.wrong(EVENTS[0]) };
    if let Some(first) = left.first() {
        let (left, all) = (left.len(), wanted.len());
        violations.push(format!("I12: {left} of {all} were never told, such as {first}"));
    }
    Ok(violations)
}

/// What has to have been told, by the read model of orders.
async fn wanted(client: &Client) -> Result<Vec<(String, &'static str)>> {
    let mut wanted = Vec::new();
    let mut path = "/v1/orders?limit=1000".to_owned();
    loop {
        let page: Value = client.until(&path, |page| page["items"].is_array()).await?;
        for order in page["items"].as_array().into_iter().flatten() {
            let subject = format!("orders/{}", order["id"].as_str().context("an order has an id")?);
            let end = match order["status"].as_str() {
                Some("rejected") => Some("order.rejected"),
                Some("confirmed" | "fulfilling" | "completed") => Some("order.confirmed"),
                _ => None,
            };
            wanted.extend(end.map(|end| (subject.clone(), end)));
            wanted.push((subject, EVENTS[0]));
        }
        let Some(next) = page["next"].as_str() else { return Ok(wanted) };
        path = format!("/v1/orders?limit=1000&cursor={next}");
    }
}
