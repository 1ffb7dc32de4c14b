//! The returns of one order, one after another: asked for, received, refunded.

use serde_json::{Value, json};

use super::client::Client;
use super::history::return_key;
use super::matching::Matched;
use super::order_way;
use super::plan::Plan;
use crate::api::segment;

/// How an order's returns went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Returned {
    /// Those that the platform refused: index into the plan's returns, and the code.
    pub(crate) refused: Vec<(usize, String)>,
    /// How many of their sagas need a person.
    pub(crate) needs_attention: u64,
}

/// Takes the returns of one order to their end, in file order.
pub(crate) async fn carry(
    client: &Client,
    plan: &Plan,
    returns: &[Matched],
) -> anyhow::Result<Returned> {
    let mut returned = Returned::default();
    let Some(id) = returns.first().map(|first| first.order.as_str()) else { return Ok(returned) };
    let mut sagas = Vec::new();
    for matched in returns {
        match take_back(client, plan, matched).await? {
            Ok(return_id) => sagas.push(format!("return-{return_id}")),
            Err(code) => returned.refused.push((matched.returned, code)),
        }
    }
    let sagas = sagas.as_slice();
    returned.needs_attention = client
        .until(&format!("a return of order {id}"), || async move {
            Ok(order_way::read(client, id).await?.and_then(|order| settled(&order, sagas)))
        })
        .await?;
    Ok(returned)
}

/// Asks for one return and receives it: its id, or the code of a refusal.
async fn take_back(
    client: &Client,
    plan: &Plan,
    matched: &Matched,
) -> anyhow::Result<Result<String, String>> {
    let Some(row) = plan.returns.get(matched.returned) else {
        return Ok(Err("unknown".to_owned()));
    };
    let (invoice, order) = (plan.names.text(row.invoice), matched.order.as_str());
    let occurred_at = row.time.rfc3339();
    let lines: Vec<Value> = matched
        .lines
        .iter()
        .map(|(line, quantity)| json!({ "line": line, "quantity": quantity }))
        .collect();
    let key = return_key(invoice, row.nth, order);
    let path = format!("/v1/orders/{}/returns", segment(order));
    let body = json!({ "lines": lines, "reason": invoice, "occurred_at": occurred_at });
    let answer = client.post(&path, &key, &body).await?;
    if let Some(code) = answer.refusal() {
        return Ok(Err(code.to_owned()));
    }
    let what = format!("return {invoice}/{}", row.nth);
    let accepted = answer.accepted(&what)?;
    let id = accepted.get("return_id").and_then(Value::as_str);
    let id = id.ok_or_else(|| anyhow::anyhow!("{what} was answered without its return_id"))?;
    let body = json!({ "restock": true, "occurred_at": occurred_at });
    let path = format!("{path}/{}/receive", segment(id));
    client.post(&path, &format!("{key}/receive"), &body).await?.accepted(&what)?;
    Ok(Ok(id.to_owned()))
}

/// When all of these sagas have ended: how many of them need a person.
fn settled(order: &Value, sagas: &[String]) -> Option<u64> {
    let known = order.get("sagas").and_then(Value::as_array)?;
    let text =
        |saga: &Value, member: &str| saga.get(member).and_then(Value::as_str).map(str::to_owned);
    let mut needs_attention = 0;
    for id in sagas {
        let saga = known.iter().find(|saga| text(saga, "id").as_ref() == Some(id))?;
        match text(saga, "state")?.as_str() {
            "completed" | "compensated" => {}
            "needs_attention" => needs_attention += 1,
            _ => return None,
        }
    }
    Some(needs_attention)
}
