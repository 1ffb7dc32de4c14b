//! What becomes of orders that were confirmed: parcels leave, whole or in part, arrive, and some of it comes back.
//!
//! **Invariant:** what is asked under a key is the same each time, so it is drawn from what the key names.

use anyhow::Result;
use serde_json::{Value, json};

use super::client::Shared;
use super::wishes::Wish;
use crate::client::Client;

/// What is counted of parcels and returns.
const IN_PART: &str = "parcels sent in part";
const RETURNED: &str = "returns received";

/// Ships and delivers the parcels that an order has by now; whether any arrived.
pub(super) async fn deliver(client: &Client, order: &str, shared: &Shared) -> Result<bool> {
    let Ok(list) = client.get(&format!("/v1/shipments?order_id={order}")).await else {
        return Ok(false);
    };
    let mut has_arrived = false;
    for shipment in list.body["items"].as_array().into_iter().flatten() {
        let Some(id) = shipment["id"].as_str() else { continue };
        let path = format!("/v1/shipments/{id}");
        let part = part_of(id, shipment);
        let mut parcel = json!({ "carrier": "Royal Mail", "tracking": "RM1" });
        let mut key = format!("ship/{id}");
        if let Some(line) = part {
            parcel["lines"] = json!([{ "line": line, "quantity": 1 }]);
            key = format!("ship-part/{id}");
        }
        let sent = Wish::new(key, format!("{path}/ship"), parcel).or_nothing();
        let sent = shared.carry_out(client, &sent).await?;
        if part.is_some() && sent.is_ok() && !sent.replayed {
            shared.tally.one(IN_PART);
        }
        let arrives = Wish::new(format!("deliver/{id}"), format!("{path}/deliver"), json!({}));
        has_arrived |= shared.carry_out(client, &arrives.or_nothing()).await?.is_ok();
    }
    Ok(has_arrived)
}

/// Of one shipment in three that has several units, one unit of its first line leaves alone: the line.
fn part_of(id: &str, shipment: &Value) -> Option<u64> {
    let lines = shipment["lines"].as_array()?;
    let units: u64 = lines.iter().filter_map(|line| line["quantity"].as_u64()).sum();
    let is_drawn = id.bytes().map(u64::from).sum::<u64>() % 3 == 0;
    let first = lines.first()?["line"].as_u64();
    first.filter(|_| is_drawn && units > 1 && shipment["status"] == "pending")
}

/// Sends a unit of an order back that arrived, and takes it in: to be sold again, or written off.
pub(super) async fn send_back(client: &Client, order: &str, shared: &Shared) -> Result<()> {
    let path = format!("/v1/orders/{order}");
    let Ok(found) = client.get(&path).await else { return Ok(()) };
    let units = |line: &Value, field: &str| line[field].as_u64().unwrap_or_default();
    let lines = found.body["lines"].as_array().into_iter().flatten();
    let mut arrived = lines.filter(|line| units(line, "delivered") > units(line, "returned"));
    let Some(line) = arrived.next() else { return Ok(()) };
    let (number, before) = (units(line, "line"), units(line, "returned"));
    let body = json!({ "lines": [{ "line": number, "quantity": 1 }], "reason": "one too many" });
    let key = format!("return/{order}/{number}/{before}");
    let asked = Wish::new(key, format!("{path}/returns"), body);
    let asked = shared.carry_out(client, &asked).await?;
    let Some(id) = asked.body["return_id"].as_str().filter(|_| asked.is_ok()) else {
        return Ok(());
    };
    let body = json!({ "restock": (number + before) % 2 == 0 });
    let path = format!("{path}/returns/{id}/receive");
    let received = Wish::new(format!("receive/{id}"), path, body).or_nothing();
    let received = shared.carry_out(client, &received).await?;
    if received.is_ok() && !received.replayed {
        shared.tally.one(RETURNED);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcel_is_split_the_same_way_each_time_and_only_while_it_is_here() {
        let shipment = |status: &str, quantity| json!({ "status": status, "lines": [{ "line": 2, "quantity": quantity }] });
        let drawn = |number| format!("order-{number}-s1");
        let split = (0..9).filter(|n| part_of(&drawn(*n), &shipment("pending", 3)) == Some(2));
        assert_eq!(split.count(), 3, "one in three");
        let all_of = |shipment: &Value| (0..9).filter_map(|n| part_of(&drawn(n), shipment)).count();
        assert_eq!(all_of(&shipment("pending", 1)), 0, "one unit is no part");
        assert_eq!(all_of(&shipment("shipped", 3)), 0, "it is away");
    }
}
