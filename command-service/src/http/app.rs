//! What the handlers share.

use std::ops::Deref;
use std::sync::Arc;

use axum::http::Method;
use event_store::EventLog;
use event_store::keys::Vault;
use service_kit::clock::Clock;
use service_kit::valve::Valve;

use super::waiting::OrderWaiters;
use crate::erasure::Eraser;
use crate::processor::{ExecuteError, ProcessorHandle};
use crate::request_hash::RequestHasher;

/// What the handlers share. Every layer around a handler clones it for every request: so it is one pointer.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

/// What is shared.
pub(crate) struct Shared {
    pub(super) processor: ProcessorHandle,
    pub(super) log: Arc<dyn EventLog>,
    pub(super) vault: Arc<Vault>,
    pub(super) hasher: RequestHasher,
    pub(crate) clock: Clock,
    pub(super) waiters: Arc<OrderWaiters>,
    pub(super) eraser: Eraser,
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// Puts together what the handlers need.
    pub(crate) fn new(
        processor: ProcessorHandle,
        log: Arc<dyn EventLog>,
        vault: Arc<Vault>,
        hasher: RequestHasher,
        clock: Clock,
        waiters: Arc<OrderWaiters>,
    ) -> Self {
        let eraser =
            Eraser::new(Arc::clone(&vault), processor.clone(), hasher.clone(), Arc::clone(&clock));
        Self(Arc::new(Shared { processor, log, vault, hasher, clock, waiters, eraser }))
    }

    /// Shut for commands while as many wait as may, and for orders while too many that were placed wait to be begun: what would be made
    /// of one more is time taken from those. A draft comes as an order does, and nobody reads which it is.
    pub(crate) fn valve(&self, is_command: fn(&Method, &str) -> bool) -> Valve {
        let app = self.clone();
        Valve::new(move |method, path| {
            if !is_command(method, path) {
                return None;
            }
            let reason = if !app.processor.has_room() {
                "queue"
            } else if is_for_an_order(path) && !app.processor.may_place() {
                "orders"
            } else {
                return None;
            };
            metrics::counter!("docket_commands_turned_away_total", "reason" => reason).increment(1);
            Some(app.problem(ExecuteError::Overloaded))
        })
    }

    /// Nobody waits for an order's decision any more.
    pub(crate) fn end_waits(&self) {
        self.waiters.end();
    }

    /// Who destroys keys.
    pub(crate) fn eraser(&self) -> Eraser {
        self.eraser.clone()
    }
}

/// Whether a command begins an order, or places a draft.
fn is_for_an_order(path: &str) -> bool {
    let mut words = path.strip_prefix("/v1").unwrap_or(path).split('/').skip(1);
    matches!(
        (words.next(), words.next(), words.next()),
        (Some("orders"), None, _) | (Some("orders"), Some(_), Some("place"))
    )
}
