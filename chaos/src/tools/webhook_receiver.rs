//! Somebody outside who is told of orders by webhook: takes most of it, and sometimes fails, so that it is told again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Of so many requests one is answered with 500.
const FAILS_EACH: u64 = 13;

/// A public event that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// The same whenever it is told again.
    id: String,
    /// Such as `order.placed`.
    pub(crate) name: String,
    /// Of two about one subject the greater was later.
    sequence: String,
}

/// What was taken, by what it is about, such as `orders/o1`; each event once.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    requests: u64,
    pub(crate) failed: u64,
    pub(crate) repeated: u64,
    pub(crate) told: BTreeMap<String, Vec<Told>>,
}

/// A server that is told.
#[derive(Debug)]
pub(crate) struct WebhookReceiver {
    pub(crate) url: String,
    heard: Arc<Mutex<Heard>>,
    serving: JoinHandle<()>,
}

impl WebhookReceiver {
    /// One on the loopback.
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/told", listener.local_addr()?);
        let heard = Arc::<Mutex<Heard>>::default();
        let router = Router::new().route("/told", post(take)).with_state(Arc::clone(&heard));
        let serving = tokio::spawn(async move {
            // It ends when it is aborted.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, heard, serving })
    }

    /// What it heard so far.
    pub(crate) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for WebhookReceiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(heard): State<Arc<Mutex<Heard>>>, body: Bytes) -> StatusCode {
    let Ok(event) = serde_json::from_slice::<Value>(&body) else { return StatusCode::BAD_REQUEST };
    heard.lock().unwrap_or_else(PoisonError::into_inner).take(&event)
}

impl Heard {
    fn take(&mut self, event: &Value) -> StatusCode {
        self.requests += 1;
        if self.requests.is_multiple_of(FAILS_EACH) {
            self.failed += 1;
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
        let text = |field: &str| event[field].as_str().unwrap_or_default().to_owned();
        let told = Told { id: text("id"), name: text("type"), sequence: text("sequence") };
        let of_subject = self.told.entry(text("subject")).or_default();
        if of_subject.iter().any(|before| before.id == told.id) {
            self.repeated += 1;
        } else {
            of_subject.push(told);
        }
        StatusCode::OK
    }

    /// Whether it was told this of a subject.
    pub(crate) fn has(&self, subject: &str, name: &str) -> bool {
        self.told.get(subject).is_some_and(|told| told.iter().any(|one| one.name == name))
    }

    /// What was told out of its order, or under two ids though it happens once.
    pub(crate) fn wrong(&self, once: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        for (subject, told) in &self.told {
            if told.iter().filter(|one| one.name == once).count() > 1 {
                wrong.push(format!("I12: `{once}` of {subject} was told under two ids"));
            }
            if !told.is_sorted_by(|one, next| one.sequence < next.sequence) {
                wrong.push(format!("I13: what happened to {subject} was not told in order"));
            }
        }
        wrong
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn heard(events: &[(&str, &str, &str)]) -> Heard {
        let mut heard = Heard::default();
        for (id, name, sequence) in events {
            let event =
                json!({ "id": id, "type": name, "subject": "orders/o", "sequence": sequence });
            heard.take(&event);
        }
        heard
    }

    #[test]
    fn a_repeat_is_heard_once_and_what_is_wrong_is_found() {
        let good = heard(&[("a", "order.placed", "001"), ("b", "order.confirmed", "002")]);
        assert_eq!(good.wrong("order.placed"), [""; 0]);
        assert!(good.has("orders/o", "order.confirmed") && !good.has("orders/p", "order.placed"));
        let again = heard(&[("a", "order.placed", "001"), ("a", "order.placed", "001")]);
        assert_eq!((again.wrong("order.placed").len(), again.repeated), (0, 1));
        let twice = heard(&[("a", "order.placed", "001"), ("c", "order.placed", "003")]);
        assert_eq!(
            twice.wrong("order.placed"),
            ["I12: `order.placed` of orders/o was told under two ids"]
        );
        let late = heard(&[("b", "order.confirmed", "002"), ("a", "order.placed", "001")]);
        assert_eq!(
            late.wrong("order.placed"),
            ["I13: what happened to orders/o was not told in order"]
        );
    }
}
