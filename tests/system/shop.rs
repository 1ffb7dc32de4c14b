//! A small shop: what most tests need before they can begin.

use serde_json::{Value, json};

use crate::platform::Platform;

impl Platform {
    /// Sells a product at 12.75 and has so many units of it.
    pub(crate) async fn sell(&self, sku: &str, units: u32) {
        let product = json!({
            "sku": sku,
            "name": format!("Product {sku}"),
            "unit_price": { "amount": 1275, "currency": "GBP" },
            "stocked": true,
        });
        self.post("/v1/products", &format!("sell/{sku}"), &product).await.ok();
        if units > 0 {
            let path = format!("/v1/stock/{sku}/receive");
            // Also with a person's token, who has to say why.
            let received = json!({ "quantity": units, "reason": "what the shop opens with" });
            self.post(&path, &format!("receive/{sku}"), &received).await.ok();
        }
    }

    /// Places an order under its id and waits until it is confirmed or rejected.
    pub(crate) async fn place(&self, order: &Value) -> Value {
        let id = order["order_id"].as_str().unwrap();
        let key = format!("place/{id}");
        let headers = [("idempotency-key", key.as_str()), ("prefer", "wait=30")];
        self.post_with("/v1/orders", &headers, order.to_string()).await.ok()
    }

    /// Ships and delivers the order's one parcel.
    pub(crate) async fn deliver(&self, order_id: &str) {
        let path = format!("/v1/shipments?order_id={order_id}");
        let there = |list: &Value| list["items"].as_array().is_some_and(|list| list.len() == 1);
        let shipments = self.until(&path, there).await;
        let shipment = shipments["items"][0]["id"].as_str().unwrap().to_owned();
        let parcel = json!({ "carrier": "Royal Mail", "tracking": "RM1" });
        let path = format!("/v1/shipments/{shipment}");
        self.post(&format!("{path}/ship"), &format!("ship/{shipment}"), &parcel).await.ok();
        self.post(&format!("{path}/deliver"), &format!("deliver/{shipment}"), &json!({}))
            .await
            .ok();
    }
}

/// An order of two units.
pub(crate) fn order(id: &str, sku: &str, method: &str) -> Value {
    json!({
        "order_id": id,
        "currency": "GBP",
        "lines": [{ "sku": sku, "quantity": 2 }],
        "payment_method": method,
        "shipping_address": { "country": "United Kingdom" },
    })
}

/// The body of a command that has to say why.
pub(crate) fn why(reason: &str) -> Value {
    json!({ "reason": reason })
}
