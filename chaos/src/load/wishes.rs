//! What a customer may want next, drawn from a seed.

use serde_json::{Value, json};

use super::shop::{SCARCE, skus};

/// How payments go, the usual way most often.
const METHODS: [&str; 16] = [
    "pm_ok",
    "pm_ok",
    "pm_ok",
    "pm_ok",
    "pm_ok",
    "pm_ok",
    "pm_ok",
    "pm_declined",
    "pm_insufficient_funds",
    "pm_slow",
    "pm_timeout_then_ok",
    "pm_timeout_then_nothing",
    "pm_capture_fails_twice",
    "pm_capture_refused",
    "pm_refund_fails",
    "pm_refund_fails",
];

/// A command, as it will be sent however often.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wish {
    pub(crate) key: String,
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) may_change_nothing: bool,
}

impl Wish {
    pub(crate) fn new(key: String, path: String, body: Value) -> Self {
        Self { key, path, body, may_change_nothing: false }
    }

    pub(super) fn or_nothing(self) -> Self {
        Self { may_change_nothing: true, ..self }
    }
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Next {
    /// A command that was never sent.
    Command(Wish),
    /// An acknowledged command once more.
    Again,
    /// Another command under an acknowledged one's key.
    Reuse,
    /// The parcels of an order.
    Deliver(String),
    /// A unit of an order that arrived goes back.
    SendBack(String),
    /// A look at an order.
    Look(String),
}

/// One customer's wishes.
#[derive(Debug)]
pub(crate) struct Wishes {
    name: String,
    random: fastrand::Rng,
    count: u64,
    orders: Vec<String>,
    arrived: Vec<String>,
    hot: bool,
}

impl Wishes {
    /// Of a customer; with `hot`, of one who wants one product only.
    pub(crate) fn new(name: String, seed: u64, hot: bool) -> Self {
        let random = fastrand::Rng::with_seed(seed);
        Self { name, random, count: 0, orders: Vec::new(), arrived: Vec::new(), hot }
    }

    /// A parcel of an order arrived.
    pub(crate) fn has_arrived(&mut self, order: String) {
        self.arrived.push(order);
    }

    pub(crate) fn random(&mut self) -> &mut fastrand::Rng {
        &mut self.random
    }

    pub(crate) fn next(&mut self) -> Next {
        self.count += 1;
        if self.orders.is_empty() || self.hot {
            return Next::Command(self.place());
        }
        match self.random.u32(..100) {
            0..38 => Next::Command(self.place()),
            38..54 => Next::Command(self.receive()),
            54..61 => {
                Next::Command(self.of_order("cancel", json!({ "reason": "changed their mind" })))
            }
            61..66 => Next::Command(self.of_order("hold", json!({ "reason": "a look at it" }))),
            66..71 => Next::Command(self.of_order("release", json!({ "reason": "looked at" }))),
            71..74 => Next::Command(self.nonsense()),
            74..80 => Next::Again,
            80..83 => Next::Reuse,
            83..93 => Next::Deliver(recent(&mut self.random, &self.orders)),
            93..97 if !self.arrived.is_empty() => {
                Next::SendBack(recent(&mut self.random, &self.arrived))
            }
            _ => Next::Look(recent(&mut self.random, &self.orders)),
        }
    }

    fn key(&self, what: &str) -> String {
        format!("{}/{}/{what}", self.name, self.count)
    }

    fn place(&mut self) -> Wish {
        let order = format!("{}-{}", self.name, self.count);
        self.orders.push(order.clone());
        let mut skus = skus();
        self.random.shuffle(&mut skus);
        skus.truncate(self.random.usize(1..=3));
        if self.hot {
            skus = vec![SCARCE.to_owned()];
        }
        let mut lines = Vec::new();
        for sku in skus {
            lines.push(json!({ "sku": sku, "quantity": self.random.u32(1..=3) }));
        }
        let method = METHODS[self.random.usize(..METHODS.len())];
        let body = json!({
            "order_id": order, "currency": "GBP", "lines": lines, "payment_method": method,
            "shipping_address": { "country": "United Kingdom", "name": format!("Person {order}") },
        });
        Wish::new(self.key("place"), "/v1/orders".to_owned(), body)
    }

    fn receive(&mut self) -> Wish {
        let skus = skus();
        let sku = &skus[self.random.usize(..skus.len() - 1)];
        let body = json!({ "quantity": self.random.u32(1..=9), "reason": "a delivery" });
        Wish::new(self.key("receive"), format!("/v1/stock/{sku}/receive"), body)
    }

    fn of_order(&mut self, what: &str, body: Value) -> Wish {
        let path = format!("/v1/orders/{}/{what}", recent(&mut self.random, &self.orders));
        Wish::new(self.key(what), path, body).or_nothing()
    }

    /// Something that is always refused.
    fn nonsense(&mut self) -> Wish {
        let body = json!({
            "order_id": format!("{}-never-{}", self.name, self.count), "currency": "GBP",
            "lines": [{ "sku": "nobody-sells-this", "quantity": 1 }], "payment_method": "pm_ok",
            "shipping_address": { "country": "United Kingdom" },
        });
        Wish::new(self.key("nonsense"), "/v1/orders".to_owned(), body)
    }
}

/// One of the last few.
fn recent(random: &mut fastrand::Rng, orders: &[String]) -> String {
    let first = orders.len().saturating_sub(8);
    orders[random.usize(first..orders.len())].clone()
}
