//! The returns of one order, one after another: asked for, received, refunded.

use serde_json::{Value, json};

use super::client::Client;
use super::matching::Matched;
use super::order_way;
use super::plan::Plan;
use crate::api::segment;

/// How an order's returns went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Returned {
    /// How many the platform refused.
    pub(crate) refused: u64,
    /// How many of the order's return sagas need a person.
    pub(crate) needs_attention: u64,
}

/// Takes the returns of one order to their end, in file order.
pub(crate) async fn carry(
    client: &Client,
    plan: &Plan,
    returns: &[Matched],
) -> anyhow::Result<Returned> {
    let mut returned = Returned::default();
    let Some(order) = returns.first().and_then(|first| plan.orders.get(first.order)) else {
        return Ok(returned);
    };
    let id = plan.names.text(order.invoice);
    for matched in returns {
        if !take_back(client, plan, id, matched).await? {
            returned.refused += 1;
        }
    }
    let expected = returns.len() - usize::try_from(returned.refused).unwrap_or(usize::MAX);
    returned.needs_attention = client
        .until(&format!("a return of order {id}"), || async move {
            Ok(order_way::read(client, id).await?.and_then(|order| settled(&order, expected)))
        })
        .await?;
    Ok(returned)
}

/// Asks for one return and receives it; false when the platform refuses it.
async fn take_back(
    client: &Client,
    plan: &Plan,
    order: &str,
    matched: &Matched,
) -> anyhow::Result<bool> {
    let Some(row) = plan.returns.get(matched.returned) else { return Ok(false) };
    let invoice = plan.names.text(row.invoice);
    let occurred_at = row.time.rfc3339();
    let lines: Vec<Value> = matched
        .lines
        .iter()
        .map(|(line, quantity)| json!({ "line": line, "quantity": quantity }))
        .collect();
    // Which order takes it is part of the key: with more files at hand a better match may be found.
    let key = format!("online-retail/return/{invoice}/{}/{order}", row.nth);
    let path = format!("/v1/orders/{}/returns", segment(order));
    let body = json!({ "lines": lines, "reason": invoice, "occurred_at": occurred_at });
    let answer = client.post(&path, &key, &body).await?;
    if answer.refusal().is_some() {
        return Ok(false);
    }
    let what = format!("return {invoice}/{}", row.nth);
    let accepted = answer.accepted(&what)?;
    let id = accepted.get("return_id").and_then(Value::as_str);
    let id = id.ok_or_else(|| anyhow::anyhow!("{what} was answered without its return_id"))?;
    let body = json!({ "restock": true, "occurred_at": occurred_at });
    let path = format!("{path}/{}/receive", segment(id));
    client.post(&path, &format!("{key}/receive"), &body).await?.accepted(&what)?;
    Ok(true)
}

/// When all of the order's return sagas have ended: how many of them need a person.
fn settled(order: &Value, expected: usize) -> Option<u64> {
    let sagas = order.get("sagas").and_then(Value::as_array)?;
    let mut ended = 0;
    let mut needs_attention = 0;
    for saga in
        sagas.iter().filter(|saga| saga.get("kind").and_then(Value::as_str) == Some("return"))
    {
        match saga.get("state").and_then(Value::as_str) {
            Some("completed" | "compensated") => ended += 1,
            Some("needs_attention") => {
                ended += 1;
                needs_attention += 1;
            }
            _ => return None,
        }
    }
    (ended >= expected).then_some(needs_attention)
}
