//! What earlier runs left on the platform that a return of this run may belong to: delivered orders that are in none of
//! the files, and returns that were asked for.
//!
//! It is asked for the customers of the plan's returns only. **Invariant:** nothing is left out that the platform had when
//! the run began: every read waits for that position.

use std::collections::HashSet;

use anyhow::Context;
use serde_json::Value;

use super::client::Client;
use super::matching::{Shelf, ShelfLine, Standing};
use super::names::Name;
use super::order_way::{Outcome, read};
use super::plan::Plan;
use super::timestamp::Timestamp;
use crate::api::segment;

/// Begins the id of a command that asks for a return; the platform puts `client/` before a client's key.
const RETURN_KEY: &str = "online-retail/return/";

/// The key of the command that asks for a return. Which order takes it is part of the key: once it is asked for, a run
/// finds it there.
pub(crate) fn return_key(invoice: &str, nth: u32, order: &str) -> String {
    format!("{RETURN_KEY}{invoice}/{nth}/{order}")
}

/// The customers that the returns are of, each once.
pub(crate) fn customers(plan: &Plan) -> Vec<Name> {
    let mut seen = HashSet::new();
    let customers = plan.returns.iter().filter_map(|row| row.customer);
    customers.filter(|customer| seen.insert(*customer)).collect()
}

/// The orders of a customer that are on the platform and not in the plan and were delivered, the earliest first.
pub(crate) async fn shelves(
    client: &Client,
    plan: &Plan,
    planned: &HashSet<&str>,
    customer: Name,
) -> anyhow::Result<Vec<(Shelf, bool)>> {
    let path = format!("/v1/orders?customer_id={}&limit=1000", segment(plan.names.text(customer)));
    let orders = client.list(&client.since_begin(&path)).await?;
    let ids = orders.iter().filter_map(|order| order.get("id")?.as_str());
    let mut shelves = Vec::new();
    for id in ids.filter(|id| !planned.contains(id)) {
        let Some(order) = read(client, id).await? else { continue };
        let delivered = Outcome::of(&order).is_some_and(|outcome| outcome.is_delivered());
        if delivered {
            let shelf = shelf(plan, customer, &order);
            let shelf =
                shelf.with_context(|| format!("order {id} is answered in a strange form"))?;
            shelves.push((shelf, has_returns(&order)));
        }
    }
    shelves.sort_by(|(a, _), (b, _)| by_time(a).cmp(&by_time(b)));
    Ok(shelves)
}

/// Invoices are numbered as they are written: of two at one time, the longer or greater number stands later in the files.
fn by_time(shelf: &Shelf) -> (Timestamp, usize, &str) {
    (shelf.time, shelf.order.len(), &shelf.order)
}

/// Whether a return was ever asked for.
pub(crate) fn has_returns(order: &Value) -> bool {
    order.get("returns").and_then(Value::as_array).is_some_and(|returns| !returns.is_empty())
}

fn shelf(plan: &Plan, customer: Name, order: &Value) -> Option<Shelf> {
    let lines = order.get("lines")?.as_array()?.iter().map(|line| {
        Some(ShelfLine {
            number: number(line, "line")?,
            sku: plan.names.find(line.get("sku")?.as_str()?),
            pence: line.get("unit_price")?.as_i64()?,
            left: number(line, "delivered")?,
        })
    });
    Some(Shelf {
        order: order.get("id")?.as_str()?.to_owned(),
        customer,
        time: Timestamp::parse_rfc3339(order.get("placed_at")?.as_str()?)?,
        lines: lines.collect::<Option<_>>()?,
    })
}

fn number(value: &Value, member: &str) -> Option<u32> {
    value.get(member)?.as_u64()?.try_into().ok()
}

/// The returns that were asked for of an order, by an import or by somebody else.
pub(crate) async fn standing(client: &Client, order: &str) -> anyhow::Result<Vec<Standing>> {
    let path = format!("/v1/orders/{}/events?limit=1000", segment(order));
    let events = client.list(&path).await?;
    let asked = events.iter().filter(|event| event["type"] == "ReturnRequested");
    let standing = asked.map(|event| {
        let lines = event["data"].get("lines")?.as_array()?.iter();
        let lines = lines.map(|line| Some((number(line, "line")?, number(line, "quantity")?)));
        let (invoice, nth) = event.get("command_id")?.as_str().map(of_import)?;
        Some(Standing {
            invoice,
            nth,
            order: order.to_owned(),
            lines: lines.collect::<Option<_>>()?,
        })
    });
    let standing: Option<Vec<Standing>> = standing.collect();
    standing.with_context(|| format!("the history of order {order} is answered in a strange form"))
}

/// Which return of which invoice a command asked for; of no invoice when somebody else asked.
fn of_import(command_id: &str) -> (String, u32) {
    let key = command_id.split_once(RETURN_KEY).map(|(_, key)| key);
    let mut parts = key.into_iter().flat_map(|key| key.splitn(3, '/'));
    let (invoice, nth) = (parts.next(), parts.next().and_then(|nth| nth.parse().ok()));
    (invoice.unwrap_or_default().to_owned(), nth.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_return_is_known_again_by_the_key_that_it_was_asked_under() {
        let command_id = format!("client/{}", return_key("C536379", 2, "536365"));
        assert_eq!(of_import(&command_id), ("C536379".to_owned(), 2));
        assert_eq!(of_import("client/by-hand"), (String::new(), 0));
    }
}
