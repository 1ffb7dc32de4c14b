//! I15, where everybody is asked who they are: two customers order and look around all the while, and neither is ever shown
//! what is the other's, whatever breaks.
//!
//! **Invariant:** who is asked for is there: its owner has read it before. So a 404 says that it is hidden, and not that it is late.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::client::{Answer, Client};
use crate::load::Tally;
use crate::tokens::{CUSTOMERS, Tokens};

/// What is counted.
pub(crate) const ASKED_FOR: &str = "asked for what is another's";
/// Between two rounds.
const EVERY: Duration = Duration::from_millis(300);
/// How long one waits for an answer.
const DEADLINE: Duration = Duration::from_secs(5);

/// A customer who looks around.
#[derive(Debug)]
struct Canary {
    name: &'static str,
    client: Client,
    is_registered: bool,
    placed: u64,
    /// The order that it placed last.
    last: Option<String>,
    /// An order that its owner has seen.
    seen: Option<String>,
}

/// Both, until they are told to end.
#[derive(Debug)]
pub(crate) struct Canaries {
    stop: watch::Sender<bool>,
    going: JoinHandle<Vec<String>>,
}

impl Canaries {
    /// Lets them come.
    pub(crate) fn start(url: &str, tokens: &Tokens, tally: &Tally) -> Result<Self> {
        let mut both = Vec::new();
        for (name, token) in CUSTOMERS.into_iter().zip(&tokens.customers) {
            let client = Client::showing(url, token, DEADLINE)?;
            both.push(Canary {
                name,
                client,
                is_registered: false,
                placed: 0,
                last: None,
                seen: None,
            });
        }
        let (stop, stopped) = watch::channel(false);
        let tally = tally.clone();
        let going = tokio::spawn(async move {
            let mut found = Vec::new();
            while !*stopped.borrow() {
                for one in 0..both.len() {
                    both[one].looks_for_its_own().await;
                    if both[one].last.is_none() {
                        both[one].shops().await;
                    }
                    let other = &both[(one + 1) % both.len()];
                    found.extend(both[one].looks_around(other, &tally).await);
                }
                tokio::time::sleep(EVERY).await;
            }
            found
        });
        Ok(Self { stop, going })
    }

    /// Ends them; what they saw and should not have.
    pub(crate) async fn end(self, tally: &Tally) -> Result<Vec<String>> {
        self.stop.send_replace(true);
        let mut found = self.going.await.context("a canary panicked")?;
        if tally.get(ASKED_FOR) == 0 {
            found.push(format!("nothing was tested: `{ASKED_FOR}` did not happen"));
        }
        Ok(found)
    }
}

impl Canary {
    /// Orders now and then. What fails is tried again under the same key in a later round.
    async fn shops(&mut self) {
        let name = self.name;
        if !self.is_registered {
            let body = json!({ "name": format!("Person {name}") });
            let asked = self.client.post("/v1/customers", &format!("{name}/me"), &body).await;
            self.is_registered = asked.is_ok_and(|answer| answer.is_ok());
        }
        let order = format!("{name}-{}", self.placed);
        let body = json!({
            "order_id": order, "currency": "GBP", "lines": [{ "sku": "sku-1", "quantity": 1 }],
            "payment_method": "pm_ok", "shipping_address": { "country": "United Kingdom" },
        });
        let placed = self.client.post("/v1/orders", &format!("{name}/{order}"), &body).await;
        if !placed.is_ok_and(|answer| answer.is_ok()) {
            return;
        }
        self.placed += 1;
        self.last = Some(order);
    }

    /// Looks whether its last order is shown by now: a read model may be late.
    async fn looks_for_its_own(&mut self) {
        let Some(order) = &self.last else { return };
        let read = self.client.get(&format!("/v1/orders/{order}")).await;
        if read.is_ok_and(|answer| answer.is_ok()) {
            self.seen = self.last.take();
        }
    }

    /// Looks at what is its own, and tries what is the other's; what it saw and should not have.
    async fn looks_around(&self, other: &Self, tally: &Tally) -> Vec<String> {
        let mut found = Vec::new();
        for path in ["/v1/orders?limit=100", "/v1/payments?limit=100", "/v1/shipments?limit=100"] {
            let Ok(answer) = self.client.get(path).await else { continue };
            if answer.body.to_string().contains(other.name) {
                found.push(format!("I15: {path} shows {} what is {}'s", self.name, other.name));
            }
        }
        let Some(order) = &other.seen else { return found };
        let path = format!("/v1/orders/{order}");
        let read = self.client.get(&path).await;
        found.extend(self.hidden(&path, read, tally));
        let path = format!("{path}/cancel");
        let key = format!("{}/{order}/cancel", self.name);
        let cancelled = self.client.post(&path, &key, &json!({})).await;
        found.extend(self.hidden(&path, cancelled, tally));
        found
    }

    /// What is another's is not there; while things are broken there may be no answer.
    fn hidden(&self, path: &str, answer: Result<Answer>, tally: &Tally) -> Option<String> {
        let status = answer.ok()?.status;
        match status {
            404 => {
                tally.one(ASKED_FOR);
                None
            }
            429 | 500.. => None,
            _ => Some(format!("I15: {} was answered {status} by {path}", self.name)),
        }
    }
}
