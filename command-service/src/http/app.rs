//! What the handlers share.

use std::ops::Deref;
use std::sync::Arc;

use event_store::EventLog;
use event_store::keys::Vault;
use service_kit::clock::Clock;
use service_kit::problem::Problem;

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

    /// Turns an order away, before anything is sealed, while too many wait to be begun.
    pub(super) fn check_room_for_an_order(&self) -> Result<(), Problem> {
        if self.processor.has_room_for_an_order() {
            return Ok(());
        }
        Err(self.problem(ExecuteError::Overloaded))
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
