//! The port to whoever knows the exact state of sagas.

use domain::ids::{OrderId, SagaId};
use domain::sagas::{SagaKind, SagaState};
use futures::future::BoxFuture;

/// One saga of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SagaSummary {
    /// Its id.
    pub id: SagaId,
    /// Which one it is.
    pub kind: SagaKind,
    /// Where it stands.
    pub state: SagaState,
}

/// Knows the sagas of an order. An empty answer means unknown: what events tell is shown instead.
pub trait SagaStates: Send + Sync + 'static {
    /// The order's sagas.
    fn of_order<'a>(&'a self, order_id: &'a OrderId) -> BoxFuture<'a, Vec<SagaSummary>>;
}

/// Nobody knows: sagas are shown as far as events tell.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSagaStates;

impl SagaStates for NoSagaStates {
    fn of_order<'a>(&'a self, _: &'a OrderId) -> BoxFuture<'a, Vec<SagaSummary>> {
        Box::pin(async { Vec::new() })
    }
}
